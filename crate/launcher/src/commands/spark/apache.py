"""Apache Spark's own Spark Connect server, for the process that started it alone.

One line on standard output tells the address once it listens, with the token that
the server asks for. The server ends when standard input does: the parent holds the
other end, and the operating system closes it however the parent dies.
"""

import importlib.util
import os
import secrets
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import threading
import time

port, log, master = int(sys.argv[1]), sys.argv[2], sys.argv[3]
TOKEN = "SPARK_CONNECT_AUTHENTICATE_TOKEN"


def guarded():
    """A pipe to a process that ends the server's group when this process has ended."""
    ours, theirs = os.pipe()[::-1]
    if os.fork() == 0:
        os.close(ours)
        os.setsid()
        for descriptor in (0, 1, 2):
            os.dup2(os.open(os.devnull, os.O_RDWR), descriptor)
        words = b""
        while part := os.read(theirs, 4096):
            words += part
        server, _, folder = words.decode().partition(" ")
        if server:
            try:
                os.killpg(int(server), signal.SIGKILL)
            except ProcessLookupError:
                pass
            shutil.rmtree(folder, ignore_errors=True)
        os._exit(0)
    os.close(theirs)
    return ours


def end_with_parent():
    while os.read(0, 4096):
        pass
    os._exit(0)


def free_port():
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        return taken.getsockname()[1]


def is_listening(port):
    with socket.socket() as asked:
        asked.settimeout(1)
        return asked.connect_ex(("127.0.0.1", port)) == 0


def memory():
    """A quarter of the machine's memory, in megabytes: 1 GB at least, 4 GB at most."""
    pages, size = os.sysconf("SC_PHYS_PAGES"), os.sysconf("SC_PAGE_SIZE")
    return min(max(pages * size // 4 // 2**20, 1024), 4096)


guard = guarded()
threading.Thread(target=end_with_parent, daemon=True).start()

port = port or free_port()
if is_listening(port):
    sys.exit(f"port {port} of 127.0.0.1 is taken")
token = secrets.token_urlsafe(24)
# Not imported, which would need packages that the server does without.
installed = importlib.util.find_spec("pyspark").submodule_search_locations[0]
scratch = tempfile.mkdtemp(prefix="evenhand-spark-")
# Executors work in Spark's folder, and leave there what they were sent.
home = os.path.join(scratch, "home")
os.mkdir(home)
for name in os.listdir(installed):
    if name != "work":
        os.symlink(os.path.join(installed, name), os.path.join(home, name))
settings = {
    "spark.connect.grpc.binding.address": "127.0.0.1",
    "spark.connect.grpc.binding.port": port,
    "spark.driver.bindAddress": "127.0.0.1",
    # On this port or not at all: nobody else gets the token.
    "spark.port.maxRetries": 0,
    "spark.ui.enabled": "false",
    # Tables live as long as the server, which forgets them.
    "spark.sql.warehouse.dir": f"{scratch}/warehouse",
    "spark.local.dir": scratch,
    "spark.sql.shuffle.partitions": max(os.cpu_count() or 1, 2),
}
if master.startswith("local-cluster["):
    # An executor must not want more than a worker has.
    settings["spark.executor.memory"] = master.rstrip("]").split(",")[-1] + "m"
command = [f"{home}/bin/spark-submit", "--master", master, "--driver-memory", f"{memory()}m"]
# A Spark that has run out of memory refuses all that follows: the next session starts another.
command += ["--driver-java-options", "-XX:+ExitOnOutOfMemoryError"]
for name, value in settings.items():
    command += ["--conf", f"{name}={value}"]
command += ["--class", "org.apache.spark.sql.connect.service.SparkConnectServer", "spark-internal"]
environment = {**os.environ, "SPARK_HOME": home, "SPARK_LOCAL_IP": "127.0.0.1", TOKEN: token}
for name in ("SPARK_REMOTE", "SPARK_CONF_DIR", "PYTHONPATH"):
    environment.pop(name, None)
with open(log, "ab") as output:
    server = subprocess.Popen(
        command,
        env=environment,
        stdin=subprocess.DEVNULL,
        stdout=output,
        stderr=output,
        start_new_session=True,
    )
os.write(guard, f"{server.pid} {scratch}".encode())
while not is_listening(port):
    if server.poll() is not None:
        with open(log, errors="replace") as output:
            sys.stderr.writelines(output.readlines()[-8:])
        sys.exit(1)
    time.sleep(0.1)
# By the name with which Spark's own clients send a token unencrypted.
print(f"sc://localhost:{port}/;token={token}", flush=True)
sys.exit(server.wait())
