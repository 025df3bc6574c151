"""Scores Parquet files of images in plain processes: what the engines are compared with.

usage: plain_score.py IN OUT --model lenet5 [--weights W] [--workers 2] [--threads 1]
"""

import argparse
import multiprocessing
import pathlib
import time

import pyarrow as pa
import pyarrow.parquet as pq

from scoring import Scorer


def work(paths, output, model, weights, threads, batch, rows, ready, go):
    """A process: some of the files."""
    scorer = Scorer(model, weights, threads, batch)
    ready.release()
    go.wait()
    for path in paths:
        scored = [scorer(part) for part in pq.ParquetFile(path).iter_batches(rows)]
        pq.write_table(pa.concat_tables(scored), output / path.name)


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("input", type=pathlib.Path)
    parser.add_argument("output", type=pathlib.Path)
    parser.add_argument("--model", required=True)
    parser.add_argument("--weights")
    parser.add_argument("--workers", type=int, default=2)
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--batch", type=int, default=32)
    parser.add_argument("--rows", type=int, default=512)
    arguments = parser.parse_args()
    arguments.output.mkdir(parents=True, exist_ok=True)
    files = sorted(arguments.input.glob("*.parquet"))
    context = multiprocessing.get_context("spawn")
    ready, go = context.Semaphore(0), context.Event()
    options = (arguments.output, arguments.model, arguments.weights, arguments.threads, arguments.batch, arguments.rows)
    processes = [context.Process(target=work, args=(files[i :: arguments.workers], *options, ready, go))
                 for i in range(arguments.workers)]
    for process in processes:
        process.start()
    for _ in processes:
        ready.acquire()
    start = time.monotonic()
    go.set()
    for process in processes:
        process.join()
    assert all(process.exitcode == 0 for process in processes)
    print(f"{time.monotonic() - start:.2f} s")


if __name__ == "__main__":
    main()
