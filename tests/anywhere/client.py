"""The installed kernel as the tools that people have start it. Prints what they saw as JSON."""

import json
import os
import queue
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import nbformat
from jupyter_client import BlockingKernelClient
from jupyter_client.kernelspec import KernelSpecManager
from jupyter_client.manager import KernelManager
from nbclient import NotebookClient

TIMEOUT = 300
NAME = "evenhand"
folder = Path(sys.argv[1])
seen = {}


def notebook(cells, path=None):
    made = nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell(cell) for cell in cells])
    made.metadata["kernelspec"] = {"name": NAME, "display_name": "Rust (evenhand)", "language": "rust"}
    if path:
        nbformat.write(made, path)
    return made


def text(cell):
    found = []
    for output in cell["outputs"]:
        # What the kernel says of a build of more than two seconds depends on how fast the machine is.
        if output["output_type"] == "display_data":
            continue
        found.append(output.get("text") or output.get("data", {}).get("text/plain") or output.get("evalue", ""))
    return "".join(found)


CELLS = [
    ":dep evenhand\nuse evenhand::prelude::*;",
    'let df = df!["answer" => ["kind", "strong"]]?;\ndf.height()',
    "std::env::current_dir()?.display().to_string()",
    'println!("{}", std::env::var("AZURE_OPENAI_API_KEY").is_ok());',
]

# nbclient, as nbmake and jupyter-book use it.
began = time.monotonic()
executed = notebook(CELLS)
NotebookClient(executed, kernel_name=NAME, timeout=TIMEOUT, startup_timeout=TIMEOUT,
               resources={"metadata": {"path": str(folder)}}).execute()
seen["nbclient"] = [text(cell) for cell in executed.cells]
seen["nbclient_streams"] = [
    output["name"] for cell in executed.cells for output in cell["outputs"] if output["output_type"] == "stream"
]
seen["seconds"] = time.monotonic() - began

# papermill finds the kernel by the notebook's own metadata.
import papermill

source, target = folder / "papermill.ipynb", folder / "papermill-out.ipynb"
notebook([':dep evenhand = "0.1"\nuse evenhand::prelude::*;', "evenhand::polars::prelude::DataFrame::empty().height()"], source)
papermill.execute_notebook(str(source), str(target), cwd=str(folder), progress_bar=False, start_timeout=TIMEOUT)
seen["papermill"] = [text(cell) for cell in nbformat.read(target, 4).cells]

# jupyter_console, with its own client and standard input.
console = subprocess.run(
    [str(Path(sys.executable).parent / "jupyter-console"), "--kernel", NAME, "--simple-prompt", "--ZMQTerminalInteractiveShell.kernel_timeout=300"],
    input="20 + 1\nexit\n", capture_output=True, text=True, cwd=folder, timeout=TIMEOUT,
)
seen["console"] = console.stdout + console.stderr


def until_ready(client):
    """Waits until the kernel answers and its broadcasts arrive. jupyter_client's own wait takes a kernel
    for dead that does not beat within a second."""
    until = time.monotonic() + TIMEOUT
    while time.monotonic() < until:
        client.kernel_info()
        try:
            client.get_shell_msg(timeout=TIMEOUT)
            client.get_iopub_msg(timeout=1)
            return
        except queue.Empty:
            pass
    raise TimeoutError("the kernel does not answer")


def raw(environment, cells, cwd, gone=None):
    """Starts the spec's argv by hand, with this environment, and runs the cells. The program that an
    option names may be gone, as after `cargo clean`."""
    spec = KernelSpecManager().get_kernel_spec(NAME)
    manager = KernelManager()
    manager.write_connection_file()
    argv = [word.replace("{connection_file}", manager.connection_file) for word in spec.argv]
    if gone:
        argv[argv.index(f"--{gone}") + 1] = "/no/such/program"
    process = subprocess.Popen(argv, env={**environment, **spec.env}, cwd=cwd, stdin=subprocess.PIPE,
                               stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    # A client of its own: the manager would take a kernel for dead that it did not start.
    client = BlockingKernelClient(connection_file=manager.connection_file)
    client.load_connection_file()
    client.start_channels()
    answers = []
    try:
        until_ready(client)
        for cell in cells:
            found = []
            def hook(message):
                content = message["content"]
                if message["msg_type"] in ("stream", "execute_result", "error"):
                    found.append(content.get("text") or content.get("evalue") or content.get("data", {}).get("text/plain", ""))
            client.execute_interactive(cell, timeout=TIMEOUT, output_hook=hook, allow_stdin=False)
            answers.append("".join(found))
        client.shutdown()
        try:
            process.wait(timeout=60)
        except subprocess.TimeoutExpired:
            answers.append("the kernel goes on")
    finally:
        client.stop_channels()
        process.kill()
        out, log = process.communicate()
        manager.cleanup_connection_file()
    return answers, (out + log).decode()


# VS Code's extension: argv and a connection file of its own, its own environment with the variables
# of an editor, TCP, the notebook's folder, and no name of a notebook.
editor = {**os.environ, "VSCODE_PID": "1", "VSCODE_CWD": "/", "ELECTRON_RUN_AS_NODE": "1", "PYTHONUNBUFFERED": "1"}
for name in ("JPY_SESSION_NAME", "JPY_PARENT_PID"):
    editor.pop(name, None)
HEIGHT = 'evenhand::polars::df!["a" => [1, 2]]?.height()'
seen["vscode"], seen["vscode_log"] = raw(editor, [":dep evenhand", HEIGHT, "1 + 1"], folder)

# JupyterHub's single-user server: a clean environment without the user's PATH.
hub = {name: os.environ[name] for name in ("HOME", "LANG", "TMPDIR") if name in os.environ}
hub |= {"PATH": "/usr/local/bin:/usr/bin:/bin", "JUPYTERHUB_USER": "ada", "JUPYTERHUB_API_TOKEN": "Canary-of-the-hub"}
seen["hub"], seen["hub_log"] = raw(hub, [":dep evenhand", HEIGHT], folder, gone="program")

print(json.dumps(seen))
