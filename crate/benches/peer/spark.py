"""Apache Spark's own client on the same server: spark.py ADDRESS QUERY. Prints the best times in
seconds as a line of JSON."""

import json
import sys
import time

from pyspark.sql import SparkSession

address, query = sys.argv[1:]
spark = SparkSession.builder.remote(address).create()


def best(times, work):
    least = float("inf")
    for _ in range(times):
        began = time.perf_counter()
        work()
        least = min(least, time.perf_counter() - began)
    return least


spark.sql("select 1").collect()
one = best(50, lambda: spark.sql("select 1").collect())
arrow = best(3, lambda: spark.sql(query).toArrow())
pandas = best(3, lambda: spark.sql(query).toPandas())
print(json.dumps({"one": one, "arrow": arrow, "pandas": pandas}))
