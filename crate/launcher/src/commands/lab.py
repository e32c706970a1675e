"""Runs JupyterLab, and ends it when the launcher ends, however that happens.

The launcher holds the other end of standard input and writes nothing. When the launcher is gone,
even if it was killed, the input ends and JupyterLab is told to terminate. It then ends its kernels
as well, and the folder with their sockets is removed.
"""

import os
import shutil
import signal
import sys
import threading

from jupyterlab.labapp import main


def end_with_the_launcher():
    while os.read(0, 1):
        pass
    os.kill(os.getpid(), signal.SIGTERM)


threading.Thread(target=end_with_the_launcher, daemon=True).start()
try:
    sys.exit(main())
finally:
    shutil.rmtree(os.environ["JUPYTER_RUNTIME_DIR"], ignore_errors=True)
