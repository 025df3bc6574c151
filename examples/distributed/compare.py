"""Compares folders of scores: the same rows with the same bits, from workers with the threads that were asked for.

usage: compare.py FOLDER FOLDER… [--threads 1]

Tells how many images a second the workers of each folder scored, from the first batch's beginning to the last one's end.
"""

import argparse
import pathlib

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from scoring import SCHEMA


def scores(folder):
    """All rows by id."""
    tables = [pq.read_table(path).select(SCHEMA.names).cast(SCHEMA) for path in pathlib.Path(folder).glob("*.parquet")]
    return pa.concat_tables(tables).sort_by("id").combine_chunks()


def span(rows):
    """When the first batch began and the last one ended."""
    return pc.min(rows["began"]).as_py(), pc.max(rows["ended"]).as_py()


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("folders", nargs="+", type=pathlib.Path)
    parser.add_argument("--threads", type=int, default=1)
    arguments = parser.parse_args()
    answers = ["id", "label", "class", "score"]
    expected = None
    for folder in arguments.folders:
        rows = scores(folder)
        assert rows["id"].to_pylist() == list(range(len(rows))), f"{folder}: rows are missing or twice"
        expected = rows.select(answers) if expected is None else expected
        assert rows.select(answers).equals(expected), f"{folder} differs from {arguments.folders[0]}"
        threads = pc.unique(rows["threads"]).to_pylist()
        assert threads == [arguments.threads], f"{folder}: workers with {threads} threads"
        began, ended = span(rows)
        workers = len(pc.unique(rows["worker"]))
        print(f"{folder.name}: {len(rows) / (ended - began):.1f} images/s while {workers} workers were at work")
    print(f"{len(expected)} rows, the same bits in {len(arguments.folders)} folders; {arguments.threads} threads a worker")


if __name__ == "__main__":
    main()
