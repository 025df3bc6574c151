"""Scores Parquet files of images on a cluster with Ray Data.

usage: ray_score.py IN OUT --model lenet5 [--weights W] [--workers 2] [--threads 1] [--address auto]

Each worker is an actor that holds one network and asks Ray for as many CPUs as the network has threads. What it gets are
read-only views of Ray's shared memory. On a cluster, IN and
OUT are places that all its machines reach, and `--address` is the cluster's; nothing else changes.
"""

import argparse
import os
import pathlib
import sys
import time

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent))

import ray  # noqa: E402

from scoring import Scorer  # noqa: E402


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
    parser.add_argument("--address", help="a cluster's; without it, this machine")
    arguments = parser.parse_args()
    here = {} if arguments.address else {
        # Whoever reads and writes files has a CPU of its own in Ray's books, so that workers may have all others.
        "num_cpus": arguments.workers * arguments.threads + 1,
        "include_dashboard": False,
    }
    ray.init(address=arguments.address, log_to_driver=False,
             runtime_env={"env_vars": {"PYTHONPATH": os.pathsep.join(sys.path)}}, **here)
    ray.data.DataContext.get_current().enable_progress_bars = False
    start = time.monotonic()
    # Some blocks for each worker: few large ones would leave workers without any.
    rows = ray.data.read_parquet(arguments.input, override_num_blocks=8 * arguments.workers)
    scored = rows.map_batches(
        Scorer,
        fn_constructor_args=(arguments.model, arguments.weights, arguments.threads, arguments.batch),
        batch_format="pyarrow",
        batch_size=arguments.rows,
        num_cpus=arguments.threads,
        compute=ray.data.ActorPoolStrategy(size=arguments.workers),
        zero_copy_batch=True,
        # A worker that dies is started again, and its batch is scored again.
        max_restarts=-1,
        max_task_retries=-1,
    )
    # Scores are few bytes: a task that writes takes those of many batches.
    scored.write_parquet(arguments.output, min_rows_per_file=1 << 16)
    print(f"{time.monotonic() - start:.2f} s")


if __name__ == "__main__":
    main()
