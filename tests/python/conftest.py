"""What the tests share: ONNX files of the networks, and a network that is always there."""

import pathlib

import numpy as np
import pytest

import cnn
from networks import NETWORKS

ROOT = pathlib.Path(__file__).resolve().parents[2]


@pytest.fixture(scope="session")
def files(tmp_path_factory):
    """The networks as files, by name."""
    folder = tmp_path_factory.mktemp("networks")
    paths = {name: folder / f"{name}.onnx" for name in NETWORKS}
    for name, path in paths.items():
        path.write_bytes(NETWORKS[name]())
    return paths


@pytest.fixture(scope="session")
def lenet5():
    return cnn.load("lenet5", threads=1)


@pytest.fixture(scope="session")
def digits():
    """Some test digits as LeNet-5 takes them, and their labels."""
    images = np.load(ROOT / "tests/fixtures/mnist/test_images_u8.npy")[:64].astype(np.float32) / 255
    labels = np.load(ROOT / "tests/fixtures/mnist/test_labels_u8.npy")[:64]
    return np.pad(images, ((0, 0), (2, 2), (2, 2)))[:, None], labels
