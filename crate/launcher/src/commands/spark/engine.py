"""Sail's Spark Connect server, for the process that started it alone.

One line on standard output tells the address once it listens, and a folder for
its tables, which Sail forgets when it ends. The process ends when standard input
does: the parent holds the other end, and the operating system closes it however
the parent dies.
"""

import os
import shutil
import sys
import tempfile
import threading

port, log = int(sys.argv[1]), sys.argv[2]
tables = tempfile.mkdtemp(prefix="evenhand-spark-")


def end_with_parent():
    while os.read(0, 4096):
        pass
    shutil.rmtree(tables, ignore_errors=True)
    # Not sys.exit: a query in progress must not hold it up.
    os._exit(0)


# Before the import, which takes a while.
threading.Thread(target=end_with_parent, daemon=True).start()

from pysail.spark import SparkConnectServer  # noqa: E402

server = SparkConnectServer("127.0.0.1", port)
# From here on it only logs.
with open(log, "ab") as file:
    errors = os.dup(2)
    os.dup2(file.fileno(), 2)
try:
    server.start(background=True)
except BaseException as failure:
    shutil.rmtree(tables, ignore_errors=True)
    os.write(errors, f"{failure}\n".encode())
    sys.exit(1)
print(f"sc://127.0.0.1:{server.listening_address[1]} {tables}", flush=True)
threading.Event().wait()
