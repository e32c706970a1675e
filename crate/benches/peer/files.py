"""Reads files with polars. Each line of standard input says how and which: `eager PATH` or `lazy PATH`.
Prints the seconds and the number of rows."""

import sys
import time

import polars

for line in sys.stdin:
    way, path = line.rstrip("\n").split(" ", 1)
    is_csv = path.endswith(".csv")
    began = time.perf_counter()
    if way == "eager":
        frame = polars.read_csv(path) if is_csv else polars.read_ndjson(path)
    else:
        lazy = polars.scan_csv(path) if is_csv else polars.scan_ndjson(path)
        frame = lazy.filter(polars.col("score") > 0.9).select("id", "text").collect()
    print(time.perf_counter() - began, frame.height, flush=True)
    del frame
