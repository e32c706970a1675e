"""Apache Spark's own client on tables that evenhand has written, and the reverse."""

import datetime as dt
import decimal
import json
import sys

from pyspark.sql import SparkSession

remote, ours, theirs = sys.argv[1:]
spark = SparkSession.builder.remote(remote).create()

frame = spark.read.parquet(ours)
rows = [[repr(value) for value in row] for row in frame.orderBy("at").collect()]

schema = (
    "at int, tiny tinyint, small smallint, big bigint, single float, double double, "
    "text string, truth boolean, bytes binary, money decimal(12,3), day date, "
    "time timestamp, local timestamp_ntz, list array<int>, pair struct<a:int,b:string>, "
    "map map<string,bigint>"
)
utc = dt.timezone.utc
full = (
    1, -128, 32767, 2**63 - 1, 1.5, -0.1, "ä\t\U0001f600", True, b"\x00\xff",
    decimal.Decimal("-12345.678"), dt.date(2024, 2, 29),
    dt.datetime(2024, 2, 29, 12, 30, 0, 1, tzinfo=utc), dt.datetime(1969, 12, 31, 23, 59, 59, 999999),
    [1, None, 3], (7, "x"), {"k": 2},
)
nulls = (2,) + (None,) * 15
made = spark.createDataFrame([full, nulls], schema)
made.write.parquet(theirs)

print(json.dumps({"schema": frame.schema.simpleString(), "rows": rows}))
