"""The local model in llama.cpp's own server, for the parent process alone.

The first line on standard input is the configuration as JSON. One line on
standard output tells the address once the model is loaded. The process ends
when standard input does: the parent holds the other end, and the operating
system closes it however the parent dies.
"""

import json
import os
import sys
import threading

settings = json.loads(sys.stdin.readline())


def end_with_parent():
    while sys.stdin.buffer.read(4096):
        pass
    # Not sys.exit: a load or an answer in progress must not hold it up.
    os._exit(0)


# Before the import and the load, which take a while.
threading.Thread(target=end_with_parent, daemon=True).start()

import xllamacpp as xlc  # noqa: E402

params = xlc.CommonParams()
params.model.path = settings["model"]
params.model_alias = {settings["label"]}
params.hostnames = ["127.0.0.1"]
params.port = 0
params.api_keys = [settings["key"]]
params.cors_origins = ""
params.ui = False
params.endpoint_slots = False
params.offline = True
params.verbosity = 1

params.cpuparams.n_threads = settings["threads"]
params.cpuparams_batch.n_threads = settings["threads"]
params.n_threads_http = 16
params.n_parallel = settings["slots"]
params.n_ctx = settings["slots"] * settings["context"]
params.fit_params = False
# One cache for all slots answers the same seed differently, depending on what
# else is being asked at the time.
params.kv_unified = False
# Old prompts in memory (8 GiB of them by default) are not worth it on a laptop.
params.cache_ram_mib = 0

server = xlc.Server(params)
print(json.dumps({"address": server.listening_address}), flush=True)
threading.Event().wait()
