"""Records what PyTorch's `interpolate` answers along one axis, for `cargo test -p cnn-ir --test resize`.

    python tests/onnx/resize_grid.py        needs: tests/onnx/setup.sh VENV

Writes cnn-ir/tests/resize/pytorch.bin: a sequence of cases, each

    u8 mode (0 nearest, 1 nearest-exact, 2 linear, 3 linear with aligned corners)
    u8 n, the places of the input
    f32 scale, or 0
    u16 size of the result
    nearest: n × u8, how often each place of the input is taken; else: size × u16, the place in 1/1024

Both the 1-D and the 2-D operator are asked; they must agree, unless the size
stays what it is. (`nearest-exact` does not always, and does not copy
what keeps its size as ONNX Runtime does: such cases are left out.) Beside that, two comparisons are printed: how often ONNX
Runtime's answer to the exported file differs from PyTorch's, and how often that of the ONNX project's evaluator does.
"""
import pathlib
import struct
import warnings

import numpy as np
import onnx
import onnxruntime
import torch
from onnx import helper
from onnx.reference import ReferenceEvaluator
from torch.nn import functional

FILE = pathlib.Path(__file__).resolve().parents[2] / "cnn-ir" / "tests" / "resize" / "pytorch.bin"
SCALES = [2, 3, 4, 5, 6, 8, 16, 0.5, 0.25, 0.125, 1 / 16, 1 / 3, 2 / 3, 1 / 6, 1 / 7, 4 / 3, 0.1, 0.2, 0.3, 0.4, 0.6, 0.7,
          0.75, 0.8, 0.9, 0.35, 0.55, 0.65, 0.15, 1.1, 1.2, 1.25, 1.3, 1.5, 1.6, 1.75, 2.5, 3.5]
LARGEST, SIZES = 40, 64
MODES = ["nearest", "nearest-exact", "linear", "aligned"]


def pytorch(mode, n, **to):
    """The answer to 0, 1, … n − 1: places."""
    x = torch.arange(n, dtype=torch.float32)
    aligned = {} if mode.startswith("nearest") else {"align_corners": mode == "aligned"}
    two = {"scale_factor": (to["scale_factor"], 1.0)} if "scale_factor" in to else {"size": (to["size"], 1)}
    name = mode if mode.startswith("nearest") else "linear"
    one = functional.interpolate(x.reshape(1, 1, n), mode=name, **to, **aligned).numpy().ravel()
    name = mode if mode.startswith("nearest") else "bilinear"
    other = functional.interpolate(x.reshape(1, 1, n, 1), mode=name, **two, **aligned).numpy().ravel()
    # In 2-D PyTorch copies what keeps its size (as ONNX Runtime does in 1-D too); in 1-D it takes the scale seriously.
    same = one.shape == other.shape and (len(one) == n or np.abs(one - other).max() <= 1e-5 * n)
    assert same or mode == "nearest-exact", (mode, n, to)
    return other if same and (len(one) != n or mode != "nearest-exact") else None


def case(mode, n, scale, answer):
    head = struct.pack("<BBfH", MODES.index(mode), n, scale, len(answer))
    if mode.startswith("nearest"):
        return head + bytes(np.bincount(answer.astype(int), minlength=n).astype(np.uint8))
    return head + np.rint(answer * 1024).astype("<u2").tobytes()


def exported(mode, scale):
    """What PyTorch's exporters write for it."""
    attributes = {
        "nearest": dict(mode="nearest", coordinate_transformation_mode="asymmetric", nearest_mode="floor"),
        "nearest-exact": dict(mode="nearest", coordinate_transformation_mode="half_pixel", nearest_mode="round_prefer_ceil"),
        "linear": dict(mode="linear", coordinate_transformation_mode="half_pixel"),
        "aligned": dict(mode="linear", coordinate_transformation_mode="align_corners"),
    }[mode]
    value = lambda name, dims: helper.make_tensor_value_info(name, 1, dims)
    graph = helper.make_graph([helper.make_node("Resize", ["x", "", "s"], ["y"], **attributes)], "g",
                              [value("x", [1, 1, "n", 1])], [value("y", [1, 1, "m", 1])], [helper.make_tensor("s", 1, [4], [1, 1, scale, 1])])
    return helper.make_model(graph, opset_imports=[helper.make_opsetid("", 13)], ir_version=8)


def main():
    onnxruntime.set_default_logger_severity(4)
    data, runtime, evaluator, total = b"", {}, {}, 0
    for mode in MODES:
        for scale in SCALES:
            model = exported(mode, scale)
            session = onnxruntime.InferenceSession(model.SerializeToString())
            reference = ReferenceEvaluator(model)
            for n in range(1, LARGEST + 1):
                if int(np.floor(n * scale)) == 0:
                    continue
                answer = pytorch(mode, n, scale_factor=float(scale))
                if answer is None:
                    continue
                if mode.startswith("nearest") or scale <= 2:
                    data += case(mode, n, scale, answer)
                x = np.arange(n, dtype=np.float32).reshape(1, 1, n, 1)
                total += 1
                for run, different in ((session.run, runtime), (reference.run, evaluator)):
                    if scale > 2 and run == reference.run:
                        continue
                    other = run(None, {"x": x})[0].ravel()
                    if other.shape != answer.shape or np.abs(other - answer).max() > 1e-4 * n:
                        different.setdefault(mode, []).append((n, round(scale, 4)))
    for mode in MODES[:2]:
        for n in range(1, LARGEST + 1):
            for size in range(1, SIZES + 1, 1 if mode == "nearest" else 2):
                answer = pytorch(mode, n, size=size)
                data += b"" if answer is None else case(mode, n, 0.0, answer)
    FILE.write_bytes(data)
    print(f"{len(data)} bytes")
    for name, different in (("ONNX Runtime", runtime), ("the ONNX project's evaluator", evaluator)):
        for mode, cases in different.items():
            print(f"{name}: {mode}: {len(cases)} of {total // len(MODES)} differ, such as {cases[:6]}")


if __name__ == "__main__":
    with warnings.catch_warnings(action="ignore"):
        main()
