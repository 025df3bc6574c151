"""What every worker does, whoever runs it: loads a network once, and scores tables of images.

`OMP_NUM_THREADS` and its like mean nothing here: a network has the threads that it is loaded with.
"""

import os
import pathlib
import time

import numpy as np
import pyarrow as pa

import cnn

# A row of scores: besides the likeliest class, who found it (a process), with how many threads, and when (seconds since 1970).
SCHEMA = pa.schema([
    ("id", pa.int64()), ("label", pa.int64()), ("class", pa.int64()), ("score", pa.float32()),
    ("worker", pa.int64()), ("threads", pa.int64()), ("began", pa.float64()), ("ended", pa.float64()),
])


class Scorer:
    """A network in a worker. `threads` of all workers of a machine together should be its cores."""

    def __init__(self, model, weights=None, threads=1, batch=32):
        self.net = cnn.load(model, weights=weights, threads=threads)
        (image,) = self.net.inputs
        self.shape, self.batch = image.shape[1:], batch

    def __call__(self, rows):
        """A table of `SCHEMA` for a table (or record batch) with `id`, `label` and `image`: raw bytes, channels × height ×
        width. The network always runs on `batch` images, the last ones zeros where there are fewer, so that the bits of an
        image's score do not depend on how images were divided."""
        began = time.time()
        pixels = self._pixels(rows["image"])
        count = len(pixels)
        classes, scores = np.empty(count, np.int64), np.empty(count, np.float32)
        images = np.zeros((self.batch, *self.shape), np.float32)
        for start in range(0, count, self.batch):
            chosen = pixels[start : start + self.batch]
            np.multiply(chosen, np.float32(1 / 255), out=images[: len(chosen)])
            images[len(chosen) :] = 0
            answers = self.net(images)[: len(chosen)]
            classes[start : start + self.batch], scores[start : start + self.batch] = answers.argmax(1), answers.max(1)
        ended = time.time()
        constants = [os.getpid(), _threads(), began, ended]
        columns = [rows["id"], rows["label"], classes, scores, *(np.repeat(constant, count) for constant in constants)]
        return pa.Table.from_arrays([_column(values, field.type) for values, field in zip(columns, SCHEMA)], schema=SCHEMA)

    def _pixels(self, column):
        """The bytes of all images as one u8 array, images × channels × height × width: Arrow's own memory, not a copy."""
        column = column.combine_chunks() if isinstance(column, pa.ChunkedArray) else column
        size = int(np.prod(self.shape))
        if column.null_count:
            raise ValueError(f"{column.null_count} of {len(column)} images are missing")
        _, offsets, data = column.buffers()
        offset = np.int64 if pa.types.is_large_binary(column.type) else np.int32
        ends = np.frombuffer(offsets, offset)[column.offset : column.offset + len(column) + 1]
        lengths = np.unique(np.diff(ends))
        if len(lengths) and lengths.tolist() != [size]:
            raise ValueError(f"images have {lengths.tolist()} bytes, and the network takes {list(self.shape)}: {size}")
        pixels = np.frombuffer(data, np.uint8)[ends[0] : ends[-1]] if len(column) else np.empty(0, np.uint8)
        return pixels.reshape(-1, *self.shape)


def _threads():
    """Threads of this process that run networks: the one that calls, and those of the network, which are known by name."""
    names = [_name(task) for task in pathlib.Path("/proc/self/task").iterdir()]
    return 1 + sum(name.startswith("cnn-worker") for name in names)


def _name(task):
    try:
        return (task / "comm").read_text()
    except OSError:  # a thread that ended meanwhile
        return ""


def _column(values, kind):
    values = values.combine_chunks() if isinstance(values, pa.ChunkedArray) else pa.array(values)
    return values.cast(kind)
