"""A kernel as Jupyter's own client sees it. The tests read the last line that a script prints."""

import atexit
import json
import os
import queue
import subprocess
import sys
import tempfile
import time

from jupyter_client.kernelspec import KernelSpec
from jupyter_client.manager import KernelManager

TIMEOUT = 300


class Kernel:
    # Whether a cell's text on standard error may arrive after the end of the cell.
    is_late = False

    def __init__(self, argv=None, cwd=None, by_sockets=False, **environment):
        self.sockets = tempfile.TemporaryDirectory(prefix="evenhand-") if by_sockets else None
        where = {"transport": "ipc", "connection_file": f"{self.sockets.name}/kernel.json"} if by_sockets else {}
        self.manager = KernelManager(**where)
        self.manager._kernel_spec = KernelSpec(
            argv=argv or json.loads(os.environ["KERNEL_ARGV"]),
            display_name="Rust",
            language="rust",
            interrupt_mode="message",
        )
        self.began = time.monotonic()
        # What the kernel said while it prepared cells, which depends on how fast the machine is.
        self.building = []
        options = {"stdout": 2, "stderr": 2} | ({"cwd": cwd} if cwd else {})
        # A kernel that outlives a script that fails would keep its standard error open.
        atexit.register(self.kill)
        self.manager.start_kernel(env={**os.environ, **environment}, **options)
        self.client = self.manager.client()
        self.client.start_channels()
        self.client.wait_for_ready(timeout=TIMEOUT)
        self.pid = self.manager.provisioner.pid

    def ask(self, code, **options):
        return self.client.execute(code, **options)

    def message(self, timeout=TIMEOUT):
        return self.client.get_iopub_msg(timeout=timeout)

    def outputs(self, asked):
        """Yields each output of a cell as it arrives."""
        patience = TIMEOUT
        while True:
            try:
                message = self.message(patience)
            except queue.Empty:
                if patience == TIMEOUT:
                    raise
                return
            if message["parent_header"].get("msg_id") != asked:
                continue
            kind, content = message["msg_type"], message["content"]
            if kind == "status" and content["execution_state"] == "idle":
                if not self.is_late:
                    return
                patience = 1
            elif kind == "clear_output" or is_of_building(content):
                self.building.append({"kind": kind, **content})
            elif kind not in ("status", "execute_input"):
                yield {"kind": kind, **content}

    def reply(self, asked):
        while True:
            message = self.client.get_shell_msg(timeout=TIMEOUT)
            if message["parent_header"].get("msg_id") == asked:
                return message["content"]

    def run(self, code, **options):
        """The answer to a cell, with its outputs. Consecutive texts of a stream are joined."""
        asked = self.ask(code, **options)
        outputs, pieces = [], []

        def join():
            if pieces:
                outputs[-1]["text"] = "".join(pieces)
                pieces.clear()

        for output in self.outputs(asked):
            last = outputs[-1] if outputs else {}
            if not (output["kind"] == "stream" and last.get("name") == output["name"]):
                join()
                outputs.append(output)
            if output["kind"] == "stream":
                pieces.append(output["text"])
        join()
        return {**self.reply(asked), "outputs": outputs}

    def runs(self, asked, seconds=TIMEOUT):
        """Waits until a cell reports that it is running."""
        for output in self.outputs(asked):
            if output.get("text", "").startswith("runs"):
                return
        raise AssertionError("the cell did not run")

    def interrupt(self):
        self.manager.interrupt_kernel()

    def processes(self):
        """The kernel's process and everything that it started."""
        parents = {}
        for entry in filter(str.isdigit, os.listdir("/proc")):
            try:
                with open(f"/proc/{entry}/stat") as stat:
                    fields = stat.read().rsplit(")", 1)[1].split()
                with open(f"/proc/{entry}/cmdline") as command:
                    words = command.read().split("\0")
            except (OSError, IndexError):
                continue
            if fields[0] not in "ZX":
                parents[int(entry)] = (int(fields[1]), words)
        found = {self.pid: parents[self.pid][1]}
        while True:
            more = {
                process: words
                for process, (parent, words) in parents.items()
                if parent in found and process not in found
            }
            if not more:
                return found
            found.update(more)

    def folder(self):
        """Its build directory, from evcxr's environment."""
        until = time.monotonic() + TIMEOUT
        while time.monotonic() < until:
            for process, command in self.processes().items():
                if command[0].endswith("evcxr_jupyter"):
                    with open(f"/proc/{process}/environ") as variables:
                        for line in variables.read().split("\0"):
                            if line.startswith("EVCXR_TMPDIR="):
                                return line.partition("=")[2]
            time.sleep(0.1)
        raise AssertionError("evcxr did not start")

    def kill(self):
        if self.manager.has_kernel:
            self.manager.shutdown_kernel(now=True)

    def end(self):
        self.client.stop_channels()
        self.manager.shutdown_kernel()


def is_of_building(content):
    return content.get("transient", {}).get("display_id", "").startswith("evenhand-building")


def plain(**environment):
    """Plain evcxr without the wrapper, with a build directory as warm as the kernel's."""
    kernel = Kernel()
    evcxr, command = next(
        (process, command)
        for process, command in kernel.processes().items()
        if command[0].endswith("evcxr_jupyter") and "--control_file" in command
    )
    with open(f"/proc/{evcxr}/environ") as variables:
        lines = [line.partition("=") for line in variables.read().split("\0") if line]
    theirs = {name: value for name, _, value in lines}
    folder = tempfile.TemporaryDirectory()
    build, copy = theirs["EVCXR_TMPDIR"], folder.name
    subprocess.run(["cp", "-al", f"{build}/.", copy], check=True)
    kernel.end()
    # With the variables that cargo sets for a test, more would be rebuilt.
    os.environ.clear()
    for name, value in theirs.items():
        # With these two, the wrapper and the library communicate.
        if name not in ("EVENHAND_OUTPUTS", "EVENHAND_STOP_FILE", "EVENHAND_STREAMS"):
            os.environ[name] = value.replace(build, copy)
    argv = [command[0], "--control_file", "{connection_file}"]
    kernel = Kernel(argv, **environment)
    kernel.is_late = True
    # It is removed with the kernel.
    kernel.folder = folder
    return kernel


def ended(processes, seconds=20):
    """The processes that still exist although they should have ended."""

    def alive(process):
        try:
            with open(f"/proc/{process}/stat") as stat:
                return stat.read().rsplit(")", 1)[1].split()[0] not in "ZX"
        except OSError:
            return False

    until = time.monotonic() + seconds
    while True:
        left = [process for process in processes if alive(process)]
        if not left or time.monotonic() > until:
            return left
        time.sleep(0.1)


def tell(said):
    print(json.dumps(said), flush=True)
