"""Shows the large frame of benches/display with polars and with itables: display.py ROWS.
Prints a line of JSON for each way; times in milliseconds, memory in MB."""

import json
import sys
import time

import itables
import polars as pl

WORDS = ["nurse", "engineer", "teacher", "chef", "pilot", "baker", "judge", "miner"]


def large(rows):
    n = pl.int_range(rows, dtype=pl.Int64, eager=True)
    words = pl.Series(WORDS)

    def column(c):
        if c < 10:
            return (n * (2 * c + 3)) % 1_000_003
        if c < 16:
            return ((n * (c + 1)) % 10_007) / 97.0
        return words.gather((n * (c + 1)) % len(WORDS))

    return pl.DataFrame({f"c{c}": column(c) for c in range(20)})


def memory(name):
    with open("/proc/self/status") as status:
        line = next(line for line in status if line.startswith(name))
    return int(line.split()[1]) / 1e3


def measure(name, show):
    with open("/proc/self/clear_refs", "w") as refs:
        refs.write("5")
    before = memory("VmRSS")
    start = time.perf_counter()
    html = show()
    first = time.perf_counter() - start
    peak = memory("VmHWM") - before
    best = first
    for _ in range(5):
        start = time.perf_counter()
        show()
        best = min(best, time.perf_counter() - start)
    size = len(html.encode())
    print(json.dumps({"name": name, "first": first * 1e3, "best": best * 1e3, "bytes": size, "memory": peak}))


def main():
    frame = large(int(sys.argv[1]))
    measure("polars in Python, `_repr_html_`, 10 rows", frame._repr_html_)
    for size in ["64KB", "2MB"]:
        measure(
            f"itables, `maxBytes` of {size}",
            lambda: itables.to_html_datatable(frame, maxBytes=size, connected=True),
        )


main()
