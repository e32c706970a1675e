"""Runs JupyterLab with our kernel alone, and ends it when the launcher ends, however that happens.

The launcher holds the other end of standard input and writes nothing. When the launcher is gone,
even if it was killed, the input ends and JupyterLab is told to terminate. It then ends its kernels
as well, and the folder with their sockets is removed.

JupyterLab starts the kernel that a notebook names as soon as the notebook is opened. The command of
another kernel, such as `python -m ipykernel_launcher`, may run a file next to the notebook. It also
writes a checkpoint.
"""

import hashlib
import os
import shutil
import signal
import sys
import threading
import time

from jupyter_client.kernelspec import KernelSpecManager, NoSuchKernel
from jupyter_server.services.contents.filecheckpoints import AsyncFileCheckpoints
from jupyterlab.labapp import main


def end_with_the_launcher():
    while os.read(0, 1):
        pass
    while True:
        os.kill(os.getpid(), signal.SIGTERM)
        # A first try fails where the notebooks' folder is gone.
        time.sleep(30)


class OurKernel(KernelSpecManager):
    """Knows the kernelspec of the launcher, and no other.

    `allowed_kernelspecs` would only leave others out of the list.
    """

    def find_kernel_specs(self):
        folder = os.environ["EVENHAND_KERNELSPEC"]
        return {os.path.basename(folder): folder}

    def get_kernel_spec(self, kernel_name):
        folder = self.find_kernel_specs().get(kernel_name.lower())
        if folder is None:
            raise NoSuchKernel(kernel_name)
        return self.kernel_spec_class.from_resource_dir(folder)


class OurCheckpoints(AsyncFileCheckpoints):
    """Writes checkpoints beside a notebook, but neither through a link nor into a shared folder.

    In a stranger's folder, `.ipynb_checkpoints` or a file in it may be a link to any file of the
    reader's. Jupyter's own place for the checkpoints of a read-only folder, in the temporary folder,
    may have been made by another user.
    """

    def checkpoint_path(self, checkpoint_id, path):
        folder, name = os.path.split(self._get_os_path(path.strip("/")))
        stem, extension = os.path.splitext(name)
        name = f"{stem}-{checkpoint_id}{extension}"
        place = os.path.join(folder, self.checkpoint_dir)
        links = os.path.islink(place) or os.path.islink(os.path.join(place, name))
        if links or not os.access(folder, os.W_OK):
            runtime = os.environ["JUPYTER_RUNTIME_DIR"]
            place = os.path.join(runtime, hashlib.sha256(os.fsencode(folder)).hexdigest())
        with self.perm_to_403():
            os.makedirs(place, exist_ok=True)
        return os.path.join(place, name)


threading.Thread(target=end_with_the_launcher, daemon=True).start()
try:
    sys.exit(main())
finally:
    shutil.rmtree(os.environ["JUPYTER_RUNTIME_DIR"], ignore_errors=True)
