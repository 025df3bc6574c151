"""Runs quantised networks (QDQ files, with fixed scales) with the command `cnn` and with ONNX Runtime, and compares the integers
of their last layer.

usage: integers.py --cnn target/release/cnn MODEL.onnx… [--images 4] [--isa avx2]

The models are those of benches/peers (`models.py FOLDER resnet18_int8`) or any that end in a DequantizeLinear with one scale.
Inputs are made up. Most integers are the same; none may be off by more than 1 where the networks are of the layers that ONNX
Runtime computes in integers too.
"""
import argparse
import pathlib
import subprocess
import sys
import tempfile

import numpy as np
import onnx
import onnxruntime
from onnx import numpy_helper


def last_scale(model):
    """What an integer of the last layer stands for."""
    graph = model.graph
    makers = {name: node for node in graph.node for name in node.output}
    constants = {tensor.name: tensor for tensor in graph.initializer}
    node = makers[graph.output[0].name]
    while node.op_type != "DequantizeLinear":
        node = makers[node.input[0]]
    return float(numpy_helper.to_array(constants[node.input[1]]))


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--cnn", required=True)
    parser.add_argument("--images", type=int, default=4)
    parser.add_argument("--isa")
    parser.add_argument("models", nargs="+", type=pathlib.Path)
    arguments = parser.parse_args()
    worst = 0
    for path in arguments.models:
        model = onnx.load(path)
        scale = last_scale(model)
        session = onnxruntime.InferenceSession(str(path), providers=["CPUExecutionProvider"])
        port = session.get_inputs()[0]
        off = np.zeros(256, int)
        for seed in range(arguments.images):
            x = np.random.default_rng(seed).standard_normal(port.shape, np.float32)
            expected = session.run(None, {port.name: x})[0]
            with tempfile.TemporaryDirectory() as folder:
                np.save(f"{folder}/x.npy", x)
                isa = ["--isa", arguments.isa] if arguments.isa else []
                subprocess.run([arguments.cnn, "run", path, "--input", f"{folder}/x.npy", "--output", f"{folder}/y.npy", *isa],
                               check=True, stdout=subprocess.DEVNULL)
                found = np.load(f"{folder}/y.npy")
            distance = np.rint(np.abs(found - expected) / scale).astype(int)
            off += np.bincount(distance.ravel(), minlength=256)[:256]
        print(f"{path.name}: {off[0]} of {off.sum()} integers the same, {off[1]} off by 1, {off[2:].sum()} by more"
              f" (at most {off.nonzero()[0].max()})", flush=True)
        worst = max(worst, off.nonzero()[0].max())
    sys.exit(worst > 1)


if __name__ == "__main__":
    main()
