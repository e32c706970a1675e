"""Shows the frames of benches/display with polars and with itables.
display.py ROWS shows the large frame and prints one line of JSON for each way of showing it; times
are in milliseconds, memory in MB. display.py --pages FOLDER writes the wide frame's HTML there."""

import json
import sys
import time
from pathlib import Path

import itables
import itables.javascript
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


def wide():
    n = pl.int_range(10_000, dtype=pl.Int64, eager=True)
    words = pl.Series([word[:2] for word in WORDS])

    def column(c):
        values = (n * (c + 7)) % 97
        return values if c < 46 else words.gather(values % len(WORDS))

    return pl.DataFrame({f"c{c}": column(c) for c in range(50)})


def pages(folder):
    frame = wide()
    no_limits = {"maxBytes": 0, "maxRows": 0, "maxColumns": 0}
    for name, html in {
        "polars": frame._repr_html_(),
        # What `init_notebook_mode` inserts once into a notebook: the script and its style.
        "itables-before": itables.javascript.generate_init_offline_itables_html(
            itables.options.dt_bundle
        ),
        "itables": itables.to_html_datatable(frame, connected=False, **no_limits),
    }.items():
        Path(folder, f"{name}.html").write_text(html, encoding="utf-8")


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
    if sys.argv[1] == "--pages":
        return pages(sys.argv[2])
    frame = large(int(sys.argv[1]))
    measure("polars in Python, `_repr_html_`, 10 rows", frame._repr_html_)
    for size in ["64KB", "2MB"]:
        measure(
            f"itables, `maxBytes` of {size}",
            lambda: itables.to_html_datatable(frame, maxBytes=size, connected=True),
        )


main()
