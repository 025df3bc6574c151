"""Makes Parquet files of images to score.

usage: make_data.py FOLDER [--images 10000] [--size 32] [--channels 1] [--files 8]

They are MNIST digits, enlarged or padded, as raw bytes (u8, channels × height × width) with an `id` and the digit's `label`.
"""

import argparse
import pathlib

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

DIGITS = pathlib.Path(__file__).resolve().parents[2] / "tests" / "fixtures" / "mnist"


def enlarged(digits, size, channels):
    """Digits of 28 × 28 as images: padded where that is enough, else each pixel repeated and the rest padded."""
    times = max(1, size // digits.shape[1])
    images = digits.repeat(times, 1).repeat(times, 2)
    before = (size - images.shape[1]) // 2
    after = size - images.shape[1] - before
    images = np.pad(images, ((0, 0), (before, after), (before, after)))
    return np.repeat(images[:, None], channels, 1)


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("folder", type=pathlib.Path)
    parser.add_argument("--images", type=int, default=10_000)
    parser.add_argument("--size", type=int, default=32)
    parser.add_argument("--channels", type=int, default=1)
    parser.add_argument("--files", type=int, default=8)
    arguments = parser.parse_args()
    digits, labels = np.load(DIGITS / "test_images_u8.npy"), np.load(DIGITS / "test_labels_u8.npy")
    arguments.folder.mkdir(parents=True, exist_ok=True)
    for number, ids in enumerate(np.array_split(np.arange(arguments.images), arguments.files)):
        chosen = ids % len(digits)
        images = enlarged(digits[chosen], arguments.size, arguments.channels)
        table = pa.table({
            "id": pa.array(ids, pa.int64()),
            "label": pa.array(labels[chosen].astype(np.int64)),
            "image": pa.array([image.tobytes() for image in images], pa.binary()),
        })
        pq.write_table(table, arguments.folder / f"part-{number:03}.parquet", row_group_size=512)
    print(f"{arguments.images} images of {arguments.channels} × {arguments.size} × {arguments.size} in {arguments.folder}")


if __name__ == "__main__":
    main()
