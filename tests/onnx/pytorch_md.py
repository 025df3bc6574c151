"""Runs the lines of docs/pytorch.md: its Python in one interpreter, its shell lines, its TOML as the file it is called.

usage: pytorch_md.py --cnn target/release/cnn

Pretrained weights are not fetched: the networks get random ones. `cat.jpg` is a made-up picture. The functions for
Keras' kernels are compared with convolutions and products written out in their layout.
"""
import argparse
import os
import pathlib
import re
import subprocess
import tempfile
import warnings

import numpy as np
import torch
from PIL import Image

PAGE = pathlib.Path(__file__).resolve().parents[2] / "docs" / "pytorch.md"


def keras(page):
    """Kernels in Keras' order do the same as the converted ones in PyTorch's."""
    random = np.random.default_rng(0)
    x = random.normal(size=(5, 6, 4))  # height, width, channels
    nchw = torch.from_numpy(x).permute(2, 0, 1)[None]
    windows = np.lib.stride_tricks.sliding_window_view(x, (3, 2), (0, 1))  # [3, 5, 4, 3, 2]
    full, deep = random.normal(size=(3, 2, 4, 7)), random.normal(size=(3, 2, 4, 2))
    functional = torch.nn.functional
    as_hwc = lambda y: y[0].permute(1, 2, 0).numpy()
    convolved = as_hwc(functional.conv2d(nchw, torch.from_numpy(page["conv"](full))))
    assert np.allclose(convolved, np.einsum("yxchw,hwco->yxo", windows, full))
    convolved = as_hwc(functional.conv2d(nchw, torch.from_numpy(page["depthwise"](deep)), groups=4))
    assert np.allclose(convolved, np.einsum("yxchw,hwcm->yxcm", windows, deep).reshape(3, 5, 8))
    matrix = random.normal(size=(120, 3))
    assert np.allclose(page["dense"](matrix) @ x.ravel(), x.ravel() @ matrix)
    assert np.allclose(page["dense_after_flatten"](matrix, 5, 6, 4) @ nchw.numpy().ravel(), x.ravel() @ matrix)


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--cnn", required=True)
    program = pathlib.Path(parser.parse_args().cnn).resolve()
    os.environ["PATH"] = f"{program.parent}{os.pathsep}{os.environ['PATH']}"
    warnings.simplefilter("ignore")
    torch.manual_seed(0)
    page = {}
    with tempfile.TemporaryDirectory() as folder:
        os.chdir(folder)
        Image.fromarray(np.random.default_rng(0).integers(0, 256, (300, 400, 3), np.uint8)).save("cat.jpg")
        for kind, text in re.findall(r"^```(\w+)\n(.*?)^```", PAGE.read_text(), re.S | re.M):
            print(f"--- {kind}\n{text}", flush=True)
            if kind == "python":
                exec(text.replace("(weights=weights)", "()"), page)
            elif kind == "sh":
                subprocess.run(["bash", "-euc", text], check=True)
            else:
                pathlib.Path(text.split()[1]).write_text(text)
        keras(page)
        os.chdir("/")
    print("every line runs")


if __name__ == "__main__":
    main()
