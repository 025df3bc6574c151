"""Scores Parquet files of images on a cluster with Spark.

usage: spark_score.py IN OUT --model lenet5 [--weights W] [--workers 2] [--threads 1] [--master local[2]]

Each Python worker of Spark loads the network once for its process, however many partitions it gets. On a cluster, `--master`
is the cluster's, and `spark.task.cpus` keeps `threads` cores for each task.
"""

import argparse
import functools
import os
import pathlib
import sys
import time

FOLDER = str(pathlib.Path(__file__).resolve().parent)
sys.path.insert(0, FOLDER)

from pyspark.sql import SparkSession  # noqa: E402


@functools.lru_cache(maxsize=1)
def scorer(model, weights, threads, batch):
    """The network of this process."""
    from scoring import Scorer

    return Scorer(model, weights, threads, batch)


def score(batches, folder, **options):
    """What `mapInArrow` calls for each partition."""
    import sys as python

    if folder not in python.path:
        python.path.insert(0, folder)
    import spark_score

    network = spark_score.scorer(**options)
    for rows in batches:
        yield from network(rows).to_batches()


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("input")
    parser.add_argument("output")
    parser.add_argument("--model", required=True)
    parser.add_argument("--weights")
    parser.add_argument("--workers", type=int, default=2)
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--batch", type=int, default=32, help="images of one run of the network")
    parser.add_argument("--rows", type=int, default=512, help="rows that a worker gets at once")
    parser.add_argument("--master", help="a cluster's; without it, this machine")
    arguments = parser.parse_args()
    cores = arguments.workers * arguments.threads
    os.environ.setdefault("PYSPARK_PYTHON", sys.executable)
    # Without a cluster, a task whose worker dies is tried up to 4 times, as it is on one.
    spark = (
        SparkSession.builder.master(arguments.master or f"local[{cores}, 4]")
        .config("spark.task.cpus", arguments.threads)
        .config("spark.sql.execution.arrow.maxRecordsPerBatch", arguments.rows)
        .config("spark.ui.enabled", "false")
        .config("spark.executorEnv.PYTHONPATH", os.pathsep.join(sys.path))
        .getOrCreate()
    )
    spark.sparkContext.setLogLevel("ERROR")
    start = time.monotonic()
    work = functools.partial(score, folder=FOLDER, model=arguments.model, weights=arguments.weights,
                             threads=arguments.threads, batch=arguments.batch)
    rows = spark.read.parquet(arguments.input)
    kinds = "id long, label long, class long, score float, worker long, threads long, began double, ended double"
    scored = rows.mapInArrow(work, kinds)
    scored.write.mode("overwrite").parquet(arguments.output)
    print(f"{time.monotonic() - start:.2f} s")


if __name__ == "__main__":
    main()
