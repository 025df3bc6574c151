"""Times recurrent layers beside ONNX Runtime and PyTorch, on one thread, and prints a Markdown table.

usage: recurrent.py --cnn target/release/cnn [--rounds 3] [--only TEXT]

Each round gives every engine a turn of half a second, in rotated order; reported are the least times.
"""
import argparse
import json
import pathlib
import subprocess
import tempfile
import time

import numpy as np
import onnx
import onnxruntime
import torch
from onnx import TensorProto, helper, numpy_helper

# Cell, features, units, steps, directions, batch.
SIZES = [
    (cell, features, 256, steps, directions, batch)
    for cell in ("lstm", "gru")
    for features, steps in ((256, 100), (512, 32))
    for directions in (1, 2)
    for batch in (1, 8)
]


def file(cell, features, units, steps, directions, batch):
    """An ONNX model of one layer: its axes are steps, batch, features."""
    random = np.random.default_rng(0)
    gates = 4 if cell == "lstm" else 3
    shapes = {"W": (directions, gates * units, features), "R": (directions, gates * units, units), "B": (directions, 2 * gates * units)}
    weights = [numpy_helper.from_array((random.standard_normal(s) * 0.05).astype(np.float32), name) for name, s in shapes.items()]
    more = {"linear_before_reset": 1} if cell == "gru" else {}
    direction = "bidirectional" if directions == 2 else "forward"
    node = helper.make_node(cell.upper(), ["x", "W", "R", "B"], ["y"], hidden_size=units, direction=direction, **more)
    x = helper.make_tensor_value_info("x", TensorProto.FLOAT, [steps, batch, features])
    y = helper.make_tensor_value_info("y", TensorProto.FLOAT, [steps, directions, batch, units])
    graph = helper.make_graph([node], "g", [x], [y], weights)
    return helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8)


def timed(run, seconds=0.5):
    run()
    times, end = [], time.perf_counter() + seconds
    while len(times) < 5 or time.perf_counter() < end:
        begin = time.perf_counter()
        run()
        times.append(1e3 * (time.perf_counter() - begin))
    return min(times)


def engines(cnn, folder, size):
    cell, features, units, steps, directions, batch = size
    path = folder / "layer.onnx"
    onnx.save(file(*size), path)
    toml = folder / "layer.toml"
    direction = 'direction = "both"\n' if directions == 2 else ""
    toml.write_text(f'[inputs]\nx = [1, {steps}, {features}]\n\n[[layer]]\nname = "y"\nop = "{cell}"\nunits = {units}\n{direction}')
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = 1
    session = onnxruntime.InferenceSession(str(path), options, providers=["CPUExecutionProvider"])
    x = np.random.default_rng(1).standard_normal((steps, batch, features)).astype(np.float32)
    module = {"lstm": torch.nn.LSTM, "gru": torch.nn.GRU}[cell](features, units, bidirectional=directions == 2).eval()
    tensor = torch.from_numpy(x)

    def ours():
        command = [cnn, "bench", toml, "--threads", "1", "--batch", str(batch), "--json"]
        done = subprocess.run(list(map(str, command)), capture_output=True, text=True)
        if done.returncode != 0:
            raise SystemExit(done.stderr)
        return json.loads(done.stdout)["min_ms"]

    return {
        "cnn": ours,
        "ONNX Runtime": lambda: timed(lambda: session.run(None, {"x": x})),
        "PyTorch": lambda: timed(lambda: module(tensor)),
    }


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--cnn", required=True)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--only", default="", help="cells whose rows hold this")
    arguments = parser.parse_args()
    torch.set_num_threads(1)
    torch.set_grad_enabled(False)
    print("| layer | features | steps | directions | batch | ms | ONNX Runtime | PyTorch | times as fast |\n|---|---|---|---|---|---|---|---|---|")
    for size in SIZES:
        cell, features, units, steps, directions, batch = size
        head = f"| {cell}, {units} units | {features} | {steps} | {directions} | {batch} |"
        if arguments.only not in head:
            continue
        with tempfile.TemporaryDirectory() as folder:
            all_of = engines(arguments.cnn, pathlib.Path(folder), size)
            times = {name: [] for name in all_of}
            for round in range(arguments.rounds):
                names = list(all_of)
                for name in names[round % len(names) :] + names[: round % len(names)]:
                    times[name].append(all_of[name]())
        ours, *others = [min(each) for each in times.values()]
        print(head, f"{ours:.3g} |", " | ".join(f"{other:.3g}" for other in others), f"| {min(others) / ours:.2f} |", flush=True)


if __name__ == "__main__":
    main()
