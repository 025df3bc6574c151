"""Scores Parquet files of images on a cluster with Ray Data.

usage: ray_score.py IN OUT --model lenet5 [--weights W] [--workers 2] [--threads 1] [--address auto]

Each worker is an actor that holds one network and asks Ray for as many CPUs as the network has threads. On a cluster, IN and
OUT are places that all its machines reach, and `--address` is the cluster's; nothing else changes.
"""

import argparse
import os
import pathlib
import sys
import time

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent))
# Progress bars are for people.
os.environ.setdefault("RAY_DATA_DISABLE_PROGRESS_BARS", "1")

import ray  # noqa: E402

from scoring import Scorer  # noqa: E402


class Worker:
    """An actor: its network is loaded once. Batches are read-only views of Ray's shared memory."""

    def __init__(self, model, weights, threads, batch):
        self.scorer = Scorer(model, weights, threads, batch)

    def __call__(self, rows):
        classes, scores = self.scorer.scores(rows["image"])
        return {"id": rows["id"], "label": rows["label"], "class": classes, "score": scores}


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
    start = time.monotonic()
    # A block for each turn of a worker at least: few large blocks would leave workers without any.
    rows = ray.data.read_parquet(arguments.input, override_num_blocks=8 * arguments.workers)
    scored = rows.map_batches(
        Worker,
        fn_constructor_args=(arguments.model, arguments.weights, arguments.threads, arguments.batch),
        batch_size=arguments.rows,
        num_cpus=arguments.threads,
        compute=ray.data.ActorPoolStrategy(size=arguments.workers),
        zero_copy_batch=True,
        # A worker that dies is started again, and its batch is scored again.
        max_restarts=-1,
        max_task_retries=-1,
    )
    scored.write_parquet(arguments.output)
    print(f"{time.monotonic() - start:.2f} s")


if __name__ == "__main__":
    main()
