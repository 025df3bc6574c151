"""Compares folders of scores: the same rows with the same bits. usage: compare.py FOLDER FOLDER…"""

import pathlib
import sys

import pyarrow as pa
import pyarrow.parquet as pq


def scores(folder):
    """All rows by id."""
    tables = [pq.read_table(path).select(["id", "class", "score"]) for path in pathlib.Path(folder).glob("*.parquet")]
    kinds = pa.schema([("id", pa.int64()), ("class", pa.int64()), ("score", pa.float32())])
    return pa.concat_tables(table.cast(kinds) for table in tables).sort_by("id").combine_chunks()


def main():
    first, *others = sys.argv[1:]
    expected = scores(first)
    assert expected["id"].to_pylist() == list(range(len(expected))), "rows are missing or twice"
    for folder in others:
        assert scores(folder).equals(expected), f"{folder} differs from {first}"
    print(f"{len(expected)} rows, the same bits in {len(sys.argv) - 1} folders")


if __name__ == "__main__":
    main()
