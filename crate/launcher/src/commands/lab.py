"""JupyterLab, which ends with the launcher, however that ends.

The launcher holds the other end of standard input and writes nothing. When it is gone, also
killed outright, the input ends, and JupyterLab is told to terminate: it ends its kernels, too.
The folder in which they listened goes with them.
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
