"""A Spark script: sums by key, with a function from a module that is submitted beside it."""

import argparse

from pyspark.sql import SparkSession
from pyspark.sql import functions as F
from spark_words import shout


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--input", required=True)
    parser.add_argument("--output", required=True)
    arguments = parser.parse_args()
    spark = SparkSession.builder.appName("sums").getOrCreate()
    print("shuffle partitions:", spark.conf.get("spark.sql.shuffle.partitions"))
    table = spark.read.csv(arguments.input, schema="key string, value double")
    upper = F.udf(shout)
    table.groupBy(upper("key").alias("key")).agg(F.sum("value")).orderBy("key").coalesce(1).write.csv(arguments.output)
    spark.stop()


if __name__ == "__main__":
    main()
