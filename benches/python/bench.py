"""Times a call from Python against ONNX Runtime's, interleaved in one process.

usage: bench.py MODELS [--rounds 20]

MODELS is a folder with lenet5.onnx, lenet5_b8.onnx, mobilenet_v2.onnx …, as `benches/peers/models.py` makes them. Prints a
Markdown table: the median of a call in milliseconds, and its ratio, of rounds in which both take turns.
"""

import argparse
import os
import pathlib
import statistics
import time

import numpy as np
import onnxruntime

import cnn

NETWORKS = ["lenet5", "lenet5_b8", "mobilenet_v2", "mobilenet_v2_b8", "resnet18", "resnet18_b8"]


def timed(call, seconds):
    """The median time of calls that fill so many seconds, at least three."""
    times, start = [], time.perf_counter()
    while len(times) < 3 or time.perf_counter() - start < seconds:
        begin = time.perf_counter()
        call()
        times.append(time.perf_counter() - begin)
    return statistics.median(times) * 1e3


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("models", type=pathlib.Path)
    parser.add_argument("--rounds", type=int, default=20)
    parser.add_argument("--threads", type=int, nargs="*", default=[1, os.cpu_count()])
    arguments = parser.parse_args()
    print("| network | threads | cnn | ONNX Runtime | ratio |\n|---|---:|---:|---:|---:|")
    for name in NETWORKS:
        path = str(arguments.models / f"{name}.onnx")
        for threads in arguments.threads:
            options = onnxruntime.SessionOptions()
            options.intra_op_num_threads = threads
            theirs = onnxruntime.InferenceSession(path, options, providers=["CPUExecutionProvider"])
            ours = cnn.load(path, threads=threads)
            (port,) = theirs.get_inputs()
            x = np.random.default_rng(0).standard_normal(port.shape).astype(np.float32)
            expected = theirs.run(None, {port.name: x})[0]
            assert np.abs(ours(x) - expected).max() <= 1e-4 * np.abs(expected).max()
            rounds = [(timed(lambda: ours(x), 0.05), timed(lambda: theirs.run(None, {port.name: x}), 0.05))
                      for _ in range(arguments.rounds)]
            a, b = (statistics.median(column) for column in zip(*rounds))
            ratio = statistics.median(theirs / ours for ours, theirs in rounds)
            print(f"| {name} | {threads} | {a:.3f} | {b:.3f} | {ratio:.2f} × |", flush=True)


if __name__ == "__main__":
    main()
