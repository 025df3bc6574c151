"""Makes the small ONNX files that `cargo test -p cnn-onnx` reads, with the answers of ONNX's reference evaluator or, where
that lacks something, of ONNX Runtime.

    python tests/onnx/make.py        needs: tests/onnx/setup.sh VENV

Each NAME.onnx in cnn-onnx/tests/models comes with NAME.safetensors: `input/X` and `output/Y` under the ONNX names, f32.
Everything is made from fixed seeds, so that the files are the same on every machine.
"""

import json
import pathlib
import struct

import numpy as np
import onnx
import onnxruntime
from onnx import TensorProto, helper, numpy_helper
from onnx.reference import ReferenceEvaluator

FOLDER = pathlib.Path(__file__).resolve().parents[2] / "cnn-onnx" / "tests" / "models"
random = np.random.default_rng(0)


def weights(*shape, dtype=np.float32):
    return random.uniform(-0.5, 0.5, shape).astype(dtype)


def positive(*shape):
    return random.uniform(0.5, 1.5, shape).astype(np.float32)


def safetensors(path, tensors):
    header, data = {}, b""
    for name, array in tensors.items():
        raw = np.ascontiguousarray(array, dtype="<f4").tobytes()
        header[name] = {"dtype": "F32", "shape": list(array.shape), "data_offsets": [len(data), len(data) + len(raw)]}
        data += raw
    text = json.dumps(header).encode()
    text += b" " * (-len(text) % 8)
    path.write_bytes(struct.pack("<Q", len(text)) + text + data)


def value(name, shape, kind=TensorProto.FLOAT):
    return helper.make_tensor_value_info(name, kind, shape)


def model(nodes, inputs, outputs, constants, opset, ir=8):
    initializers = [numpy_helper.from_array(array, name) for name, array in constants.items()]
    graph = helper.make_graph(nodes, "g", inputs, outputs, initializers)
    return helper.make_model(graph, opset_imports=[helper.make_opsetid("", opset)], ir_version=ir)


def save(name, built, arrays, expected_by=None, answers=None):
    """Writes a model and its answers; `expected_by` is a model of newer operators that means the same."""
    if answers is None:
        answers = ReferenceEvaluator(expected_by or built).run(None, arrays)
    onnx.save(built, FOLDER / f"{name}.onnx")
    tensors = {f"input/{key}": array for key, array in arrays.items()}
    tensors |= {f"output/{output.name}": np.asarray(array) for output, array in zip(built.graph.output, answers)}
    safetensors(FOLDER / f"{name}.safetensors", tensors)


def residual():
    """What PyTorch's exporter writes: paths as names, a free batch, a view made of shape arithmetic."""
    node = helper.make_node
    nodes = [
        node("Conv", ["input", "layer1.0.conv1.weight", "layer1.0.conv1.bias"], ["c1"], "/layer1/layer1.0/conv1/Conv",
             kernel_shape=[3, 3], pads=[1, 1, 1, 1]),
        node("BatchNormalization", ["c1", "layer1.0.bn1.weight", "layer1.0.bn1.bias", "mean", "var"], ["b1"], "/layer1/layer1.0/bn1/BatchNormalization", epsilon=1e-3),
        node("Relu", ["b1"], ["r1"], "/layer1/layer1.0/relu/Relu"),
        node("Conv", ["r1", "onnx::Conv_9"], ["c2"], "/layer1/layer1.0/conv2/Conv", group=2, pads=[1, 1, 1, 1], kernel_shape=[3, 3]),
        node("Add", ["c2", "c1"], ["sum"], "/layer1/layer1.0/Add"),
        node("Constant", [], ["low"], value_float=0.0),
        node("Constant", [], ["high"], value_float=6.0),
        node("Clip", ["sum", "low", "high"], ["clipped"], "/act/Clip"),
        node("MaxPool", ["clipped"], ["pooled"], "/pool/MaxPool", kernel_shape=[3, 3], strides=[2, 2], ceil_mode=1),
        node("Shape", ["pooled"], ["shape"]),
        node("Constant", [], ["zero"], value=numpy_helper.from_array(np.array(0, np.int64))),
        node("Gather", ["shape", "zero"], ["batch"], axis=0),
        node("Unsqueeze", ["batch", "axes"], ["batch1"]),
        node("Concat", ["batch1", "minus_one"], ["target"], axis=0),
        node("Reshape", ["pooled", "target"], ["flat"], "/Reshape"),
        node("Gemm", ["flat", "fc.weight", "fc.bias"], ["scores"], "/fc/Gemm", transB=1, alpha=0.5, beta=2.0),
        node("Softmax", ["scores"], ["output"], "/Softmax", axis=1),
    ]
    constants = {
        "layer1.0.conv1.weight": weights(4, 3, 3, 3),
        "layer1.0.conv1.bias": weights(4, dtype=np.float64).astype(np.float32),
        "layer1.0.bn1.weight": positive(4), "layer1.0.bn1.bias": weights(4), "mean": weights(4), "var": positive(4),
        "onnx::Conv_9": weights(4, 2, 3, 3),
        "axes": np.array([0], np.int64), "minus_one": np.array([-1], np.int64),
        "fc.weight": weights(5, 36), "fc.bias": weights(5),
    }
    built = model(nodes, [value("input", ["batch", 3, 6, 6])], [value("output", ["batch", 5])], constants, 17)
    save("residual", built, {"input": weights(2, 3, 6, 6)})


def old():
    """Operators of opset 5: attributes that became inputs, `broadcast`, Dropout with two outputs, softmax over the rest."""
    node = helper.make_node
    constants = {
        "w": weights(4, 2, 3, 3), "scale": positive(4), "shift": weights(4), "mean": weights(4), "var": positive(4),
        "offset": weights(4), "slope": weights(4), "m": weights(16, 6),
    }
    shared = lambda opset: [
        node("Conv", ["x", "w"], ["c"], auto_pad="SAME_LOWER", strides=[2, 2], kernel_shape=[3, 3]),
        node("BatchNormalization", ["c", "scale", "shift", "mean", "var"], ["b"], epsilon=1e-5,
             **({"is_test": 1} if opset < 7 else {})),
        node("Add", ["b", "offset"], ["a"], **({"broadcast": 1, "axis": 1} if opset < 7 else {})),
        node("PRelu", ["a", "slope"], ["p"]),
        node("AveragePool", ["p"], ["v"], kernel_shape=[2, 2], strides=[1, 1]),
        node("Dropout", ["v"], ["d", "mask"] if opset < 7 else ["d"], **({"is_test": 1, "ratio": 0.4} if opset < 7 else {})),
    ]
    x = value("x", [1, 2, 6, 6])
    # Initialisers were inputs as well.
    inputs = [x] + [value(name, array.shape) for name, array in constants.items()]
    nodes = shared(5) + [
        node("Reshape", ["d", "shape"], ["f"]),
        node("MatMul", ["f", "m"], ["s"]),
        node("Softmax", ["s"], ["y"]),
    ]
    constants["shape"] = np.array([0, -1], np.int64)
    inputs.append(value("shape", [2], TensorProto.INT64))
    built = model(nodes, inputs, [value("y", [1, 6])], constants, 5, ir=3)
    constants = {**constants, "offset": constants["offset"].reshape(4, 1, 1), "slope": constants["slope"].reshape(4, 1, 1)}
    newer = shared(17) + [
        node("Reshape", ["d", "shape"], ["f"]),
        node("MatMul", ["f", "m"], ["s"]),
        node("Softmax", ["s"], ["y"], axis=1),
    ]
    save("old", built, {"x": weights(1, 2, 6, 6)}, model(newer, [x], [value("y", [1, 6])], constants, 17))


def channels_last():
    """What TensorFlow's exporter writes: a transpose around every convolution, channels last in between."""
    node = helper.make_node
    nodes = [
        node("Transpose", ["image:0"], ["t0"], "first", perm=[0, 3, 1, 2]),
        node("Conv", ["t0", "k0"], ["c0"], "conv0", kernel_shape=[3, 3], auto_pad="SAME_UPPER", strides=[2, 2]),
        node("Transpose", ["c0"], ["t1"], "back0", perm=[0, 2, 3, 1]),
        node("Add", ["t1", "bias"], ["a0"], "biased"),
        node("Relu", ["a0"], ["r0"], "relu"),
        node("Transpose", ["r0"], ["t2"], "forth1", perm=[0, 3, 1, 2]),
        node("Conv", ["t2", "k1"], ["c1"], "conv1", kernel_shape=[1, 1]),
        node("Transpose", ["c1"], ["t3"], "back1", perm=[0, 2, 3, 1]),
        node("Concat", ["r0", "t3"], ["j"], "join", axis=3),
        node("ReduceMean", ["j", "axes"], ["m"], "mean", keepdims=0),
        node("MatMul", ["m", "dense"], ["s"], "dense"),
        node("Softmax", ["s"], ["y"], "probabilities", axis=-1),
    ]
    constants = {
        "k0": weights(4, 3, 3, 3), "k1": weights(2, 4, 1, 1), "bias": weights(4), "dense": weights(6, 5),
        "axes": np.array([1, 2], np.int64),
    }
    built = model(nodes, [value("image:0", ["n", 7, 6, 3])], [value("y", ["n", 5])], constants, 18)
    save("channels_last", built, {"image:0": weights(2, 7, 6, 3)})


def shuffle():
    """ShuffleNet's channel shuffle as views, and half-precision weights."""
    node = helper.make_node
    nodes = [
        node("Conv", ["x", "w"], ["c"], "conv", kernel_shape=[1, 1]),
        node("Cast", ["c"], ["cf"], "cast", to=TensorProto.FLOAT),
        node("Reshape", ["cf", "grouped"], ["g"], "view"),
        node("Transpose", ["g"], ["t"], "swap", perm=[0, 2, 1, 3, 4]),
        node("Reshape", ["t", "joined"], ["y"], "back"),
    ]
    constants = {
        "w": weights(6, 2, 1, 1), "grouped": np.array([0, 2, 3, 4, 5], np.int64),
        "joined": np.array([0, -1, 4, 5], np.int64),
    }
    newer = model(nodes, [value("x", [3, 2, 4, 5])], [value("y", [3, 6, 4, 5])], constants, 13)
    half = {**constants, "w": constants["w"].astype(np.float16)}
    newer.graph.initializer[0].CopyFrom(numpy_helper.from_array(half["w"].astype(np.float32), "w"))
    built = model(nodes, [value("x", [3, 2, 4, 5])], [value("y", [3, 6, 4, 5])], half, 13)
    save("shuffle", built, {"x": weights(3, 2, 4, 5)}, newer)


def signal():
    """One axis of pixels, two outputs, and weights in a file beside the model."""
    node = helper.make_node
    nodes = [
        node("Conv", ["x", "w", "b"], ["c"], "conv", kernel_shape=[3], dilations=[2], pads=[1, 2]),
        node("LeakyRelu", ["c"], ["r"], "leaky", alpha=0.2),
        node("GlobalAveragePool", ["r"], ["g"], "mean"),
        node("Squeeze", ["g", "axes"], ["best"], "squeeze"),
    ]
    constants = {"w": weights(4, 3, 3), "b": weights(4), "axes": np.array([2], np.int64)}
    built = model(nodes, [value("x", ["n", 3, 9])], [value("r", ["n", 4, 8]), value("best", ["n", 4])], constants, 13)
    arrays = {"x": weights(2, 3, 9)}
    save("signal", built, arrays)
    data = b""
    for tensor in built.graph.initializer[:2]:
        raw = numpy_helper.to_array(tensor).tobytes()
        tensor.ClearField("raw_data")
        tensor.data_location = TensorProto.EXTERNAL
        for key, entry in {"location": "signal.data", "offset": len(data), "length": len(raw)}.items():
            tensor.external_data.add(key=key, value=str(entry))
        data += raw
    (FOLDER / "signal.data").write_bytes(data)
    (FOLDER / "signal.onnx").write_bytes(built.SerializeToString())


def wide(name, inputs, outputs, nodes, constants, opset):
    """A model whose outputs are many things made of a few inputs."""
    values = [value(key, dims) for key, dims in inputs.items()]
    built = model(nodes, values, [value(key, dims) for key, dims in outputs.items()], constants, opset)
    onnx.checker.check_model(built)
    arrays = {key: weights(*(2 if dim == "n" else dim for dim in dims)) for key, dims in inputs.items()}
    session = onnxruntime.InferenceSession(built.SerializeToString(), providers=["CPUExecutionProvider"])
    save(name, built, arrays, answers=session.run(None, arrays))


def ints(*numbers):
    return np.array(numbers, np.int64)


def parts():
    """Slices, splits, pads, indices: everything that takes a part of a tensor or puts something around it."""
    node = helper.make_node
    nodes = [
        node("Slice", ["x", "starts", "ends", "axes", "steps"], ["sliced"]),
        node("Split", ["x", "sizes"], ["a", "b"], axis=1),
        node("Split", ["x"], ["c", "d", "e"], axis=-1, num_outputs=3),
        node("Concat", ["b", "a"], ["swapped"], axis=1),
        node("Concat", ["a"], ["alone"], axis=1),
        node("Concat", ["c", "d"], ["wider"], axis=3),
        node("Pad", ["x", "pads", "fill"], ["padded"]),
        node("Pad", ["x", "cut", "", "last_two"], ["cropped"]),
        node("Gather", ["x", "second"], ["gathered"], axis=2),
        node("Squeeze", ["e", "axis3"], ["squeezed"]),
    ]
    constants = {
        "starts": ints(-1, 1), "ends": ints(-100, 6), "axes": ints(1, 3), "steps": ints(-2, 2),
        "sizes": ints(1, 3), "pads": ints(0, 1, 2, 0, 0, 2, 0, 3), "fill": np.array(0.5, np.float32),
        "cut": ints(-1, 1, 0, -2), "last_two": ints(2, 3), "second": np.array(1, np.int64), "axis3": ints(3),
    }
    outputs = {
        "sliced": ["n", 2, 5, 3], "swapped": ["n", 4, 5, 7], "alone": ["n", 1, 5, 7], "wider": ["n", 4, 5, 6], "padded": ["n", 7, 7, 10],
        "cropped": ["n", 4, 4, 6], "gathered": ["n", 4, 7], "squeezed": ["n", 4, 5],
    }
    wide("parts", {"x": ["n", 4, 5, 7]}, outputs, nodes, constants, 18)


def views():
    """Blocks of pixels that become channels and back, as views and as operators; orders of many axes."""
    node = helper.make_node
    nodes = [
        node("Reshape", ["x", "cbbhw"], ["v0"]), node("Transpose", ["v0"], ["v1"], perm=[0, 1, 4, 2, 5, 3]),
        node("Reshape", ["v1", "large"], ["crd"]),
        node("Reshape", ["x", "bbchw"], ["v2"]), node("Transpose", ["v2"], ["v3"], perm=[0, 3, 4, 1, 5, 2]),
        node("Reshape", ["v3", "large"], ["dcr"]),
        node("Reshape", ["crd", "chbwb"], ["v4"]), node("Transpose", ["v4"], ["v5"], perm=[0, 3, 5, 1, 2, 4]),
        node("Reshape", ["v5", "small"], ["depth"]),
        node("Transpose", ["v0"], ["v6"], perm=[0, 5, 3, 1, 4, 2]), node("Reshape", ["v6", "small"], ["mixed"]),
        node("DepthToSpace", ["x"], ["space_dcr"], blocksize=2), node("DepthToSpace", ["x"], ["space_crd"], blocksize=2, mode="CRD"),
        node("SpaceToDepth", ["crd"], ["depth_dcr"], blocksize=2),
    ]
    constants = {
        "cbbhw": ints(0, 3, 2, 2, 4, 5), "bbchw": ints(0, 2, 2, 3, 4, 5), "large": ints(0, 3, 8, 10), "small": ints(0, 12, 4, 5),
        "chbwb": ints(0, 3, 4, 2, 5, 2),
    }
    large, small = ["n", 3, 8, 10], ["n", 12, 4, 5]
    outputs = {
        "crd": large, "dcr": large, "depth": small, "mixed": small, "space_dcr": large, "space_crd": large, "depth_dcr": small,
    }
    wide("views", {"x": ["n", 12, 4, 5]}, outputs, nodes, constants, 13)


def resizes():
    node = helper.make_node
    nodes = [
        node("Resize", ["x", "", "twice"], ["nearest"], mode="nearest", coordinate_transformation_mode="asymmetric", nearest_mode="floor"),
        node("Resize", ["x", "", "", "size"], ["linear"], mode="linear", coordinate_transformation_mode="pytorch_half_pixel"),
        node("Resize", ["x", "", "", "size"], ["corners"], mode="linear", coordinate_transformation_mode="align_corners"),
        node("Resize", ["x", "", "half"], ["smaller"], mode="linear"),
        node("Resize", ["x", "", "odd"], ["ceiled"], nearest_mode="ceil"),
        node("Resize", ["x", "", "", "two"], ["some"], axes=[3, 2], nearest_mode="round_prefer_ceil"),
    ]
    constants = {
        "twice": np.array([1, 1, 2, 2], np.float32), "size": ints(2, 2, 7, 9), "half": np.array([1, 1, 0.5, 0.5], np.float32),
        "odd": np.array([1, 1, 1.7, 0.6], np.float32), "two": ints(3, 8),
    }
    sizes = {"nearest": (8, 10), "linear": (7, 9), "corners": (7, 9), "smaller": (2, 2), "ceiled": (6, 3), "some": (8, 3)}
    wide("resizes", {"x": [2, 2, 4, 5]}, {key: [2, 2, *size] for key, size in sizes.items()}, nodes, constants, 18)


def resampled():
    """Cubic and antialiased resizes, and resizes of signals, which ONNX Runtime answers."""
    node = helper.make_node
    nodes = [
        node("Resize", ["x", "", "more"], ["cubic"], mode="cubic"),
        node("Resize", ["x", "", "", "size"], ["corners"], mode="cubic", coordinate_transformation_mode="align_corners"),
        node("Resize", ["x", "", "half"], ["excluded"], mode="cubic", exclude_outside=1, cubic_coeff_a=-0.5),
        node("Resize", ["x", "", "half"], ["smooth"], mode="linear", antialias=1),
        node("Resize", ["x", "", "half"], ["smoothest"], mode="cubic", antialias=1, cubic_coeff_a=-0.5, exclude_outside=1),
        node("Resize", ["signal", "", "third"], ["nearest"], mode="nearest", coordinate_transformation_mode="asymmetric", nearest_mode="floor"),
        node("Resize", ["signal", "", "longer"], ["linear"], mode="linear", coordinate_transformation_mode="align_corners"),
    ]
    constants = {
        "half": np.array([1, 1, 0.75, 0.5], np.float32), "more": np.array([1, 1, 2, 1.7], np.float32), "size": ints(2, 3, 4, 5),
        "third": np.array([1, 1, 1 / 3], np.float32), "longer": np.array([1, 1, 2.5], np.float32),
    }
    outputs = {"cubic": (8, 15), "corners": (4, 5), "excluded": (3, 4), "smooth": (3, 4), "smoothest": (3, 4)}
    values = [value(name, [2, 3, *size]) for name, size in outputs.items()]
    values += [value("nearest", [2, 3, 3]), value("linear", [2, 3, 22])]
    built = model(nodes, [value("x", [2, 3, 4, 9]), value("signal", [2, 3, 9])], values, constants, 18)
    arrays = {"x": weights(2, 3, 4, 9), "signal": weights(2, 3, 9)}
    save("resampled", built, arrays, answers=onnxruntime.InferenceSession(built.SerializeToString()).run(None, arrays))


def weighted():
    """Convolutions whose weights are inputs, or computed."""
    node = helper.make_node
    nodes = [
        node("Conv", ["x", "w", "b"], ["grouped"], group=2, strides=[2, 1], pads=[1, 0, 1, 2], dilations=[1, 2]),
        node("Relu", ["w"], ["positive"]),
        node("Conv", ["y", "positive"], ["plain"], auto_pad="SAME_UPPER"),
    ]
    inputs = {"x": [1, 4, 7, 6], "w": [6, 2, 3, 2], "b": [6], "y": [1, 2, 4, 5]}
    wide("weighted", inputs, {"grouped": [1, 6, 4, 6], "plain": [1, 6, 4, 5]}, nodes, {}, 13)


def patterns():
    """What exporters write for one operation."""
    node = helper.make_node
    nodes = [
        node("Div", ["x", "root"], ["d"]), node("Erf", ["d"], ["e"]), node("Add", ["e", "one"], ["g"]),
        node("Mul", ["half", "g"], ["h"]), node("Mul", ["h", "x"], ["gelu"]),
        node("Pow", ["x", "three"], ["p"]), node("Mul", ["factor", "p"], ["f"]), node("Add", ["x", "f"], ["i"]),
        node("Mul", ["i", "scale"], ["j"]), node("Tanh", ["j"], ["t"]), node("Add", ["one", "t"], ["u"]),
        node("Mul", ["x", "u"], ["v"]), node("Mul", ["v", "half"], ["gelu_tanh"]),
        node("Add", ["x", "threes"], ["k"]), node("Clip", ["k", "zero", "six"], ["l"]), node("Div", ["l", "six"], ["hard_sigmoid"]),
        node("Mul", ["x", "l"], ["m"]), node("Div", ["m", "six"], ["hard_swish"]),
        node("NonZero", ["x"], ["nobody"]),
    ]
    number = lambda x: np.array(x, np.float32)
    constants = {
        "root": number(2**0.5), "one": number(1), "half": number(0.5), "three": number(3), "factor": number(0.044715),
        "scale": number((2 / np.pi) ** 0.5), "threes": number(3), "zero": number(0), "six": number(6),
    }
    same = ["n", 2, 3, 4]
    wide("patterns", {"x": same}, dict.fromkeys(["gelu", "gelu_tanh", "hard_sigmoid", "hard_swish"], same), nodes, constants, 17)


def reductions():
    """Reductions along all kinds of axes, whole powers, and products of all vectors with a matrix."""
    node = helper.make_node
    nodes = [
        node("ReduceMax", ["x", "pixels"], ["max"], keepdims=0), node("ReduceMax", ["x", "channels"], ["maps"]),
        node("ReduceMin", ["x", "rows"], ["min"]), node("ReduceSum", ["x", "ends"], ["sum"]),
        node("ReduceProd", ["x", "channels"], ["product"], keepdims=0), node("ReduceSumSquare", ["x", "pixels"], ["squares"]),
        node("Unsqueeze", ["x", "rows"], ["more"]), node("Expand", ["more", "spread"], ["expanded"]),
        node("ReduceSum", ["expanded", "apart"], ["apart_sum"]), node("ReduceMean", ["expanded", "apart"], ["apart_mean"], keepdims=0),
        node("Pow", ["x", "two"], ["square"]), node("Pow", ["x", "three"], ["cube"]),
        node("Transpose", ["x"], ["last"], perm=[0, 2, 3, 1]), node("MatMul", ["last", "m"], ["m1"]), node("Add", ["m1", "b"], ["m2"]),
        node("Relu", ["m2"], ["m3"]), node("MatMul", ["m3", "m"], ["m4"]), node("Transpose", ["m4"], ["mixed"], perm=[0, 3, 1, 2]),
        node("Reshape", ["x", "tokens"], ["t"]), node("MatMul", ["t", "k"], ["words"]),
    ]
    number = lambda x: np.array(x, np.float32)
    constants = {
        "pixels": ints(2, 3), "channels": ints(1), "rows": ints(-2), "ends": ints(1, -1), "spread": ints(1, 1, 1, 2, 1),
        "apart": ints(1, 3), "two": number(2), "three": number(3), "m": weights(3, 3), "b": weights(3),
        "tokens": ints(0, 3, 20), "k": weights(20, 6),
    }
    same = ["n", 3, 4, 5]
    outputs = dict.fromkeys(["square", "cube", "mixed"], same) | {
        "max": ["n", 3], "maps": ["n", 1, 4, 5], "min": ["n", 3, 1, 5], "sum": ["n", 1, 4, 1], "product": ["n", 4, 5],
        "squares": ["n", 3, 1, 1], "apart_sum": ["n", 1, 4, 1, 5], "apart_mean": ["n", 4, 5], "words": ["n", 3, 6],
    }
    wide("reductions", {"x": same}, outputs, nodes, constants, 18)


def functions():
    """Functions of an element, and norms."""
    node = helper.make_node
    nodes = [node("Abs", ["x"], ["abs"]), node("Add", ["abs", "one"], ["above"])]
    of_x = "Neg Mish Softsign Erf Exp Floor Ceil Round Sign".split()
    nodes += [node(op, ["x"], [op.lower()]) for op in of_x]
    nodes += [node(op, ["above"], [op.lower()]) for op in ["Reciprocal", "Log", "Sqrt"]]
    nodes += [
        node("Celu", ["x"], ["celu"], alpha=0.5), node("Shrink", ["x"], ["shrink"], lambd=0.2, bias=0.1),
        node("ThresholdedRelu", ["x"], ["thresholded"], alpha=0.1), node("Pow", ["above", "exponent"], ["power"]),
        node("ReduceL1", ["x", "pixels"], ["l1"]), node("ReduceL2", ["x", "channels"], ["l2"], keepdims=0),
        node("ReduceLogSumExp", ["x", "pixels"], ["log_sum_exp"]),
        node("LpNormalization", ["x"], ["unit"], axis=1),
        node("InstanceNormalization", ["x", "w", "b"], ["instance"], epsilon=1e-3),
        node("LayerNormalization", ["x", "last", "last"], ["layer"]),
        node("Transpose", ["x"], ["turned"], perm=[0, 2, 3, 1]), node("LayerNormalization", ["turned", "w", "b"], ["inner"]),
        node("Transpose", ["inner"], ["channelwise"], perm=[0, 3, 1, 2]),
        node("ReduceMean", ["x", "channels"], ["mean"]), node("Sub", ["x", "mean"], ["centred"]), node("Pow", ["centred", "two"], ["squares"]),
        node("ReduceMean", ["squares", "channels"], ["variance"]), node("Add", ["variance", "epsilon"], ["added"]), node("Sqrt", ["added"], ["deviation"]),
        node("Div", ["centred", "deviation"], ["by_hand"]),
    ]
    number = lambda x: np.array(x, np.float32)
    constants = {
        "one": number([1]), "exponent": number(1.7), "pixels": ints(2, 3), "channels": ints(1), "w": weights(3), "b": weights(3),
        "last": weights(5), "two": number(2), "epsilon": number(1e-6),
    }
    same = ["n", 3, 4, 5]
    names = [op.lower() for op in of_x] + ["abs", "reciprocal", "log", "sqrt", "celu", "shrink", "thresholded", "power", "unit", "instance", "layer", "channelwise", "by_hand"]
    outputs = dict.fromkeys(names, same) | {"l1": ["n", 3, 1, 1], "l2": ["n", 4, 5], "log_sum_exp": ["n", 3, 1, 1]}
    wide("functions", {"x": same}, outputs, nodes, constants, 18)


def bordered():
    """Borders that repeat pixels."""
    node = helper.make_node
    nodes = [
        node("Pad", ["x", "pads"], ["reflect"], mode="reflect"), node("Pad", ["x", "pads"], ["edge"], mode="edge"),
        node("Pad", ["x", "pads"], ["wrap"], mode="wrap"),
        node("Pad", ["signal", "ends"], ["signals"], mode="reflect"),
    ]
    constants = {"pads": ints(0, 0, 1, 3, 0, 0, 2, 0), "ends": ints(0, 0, 2, 0, 0, 1)}
    outputs = dict.fromkeys(["reflect", "edge", "wrap"], ["n", 2, 7, 8]) | {"signals": ["n", 2, 8]}
    wide("bordered", {"x": ["n", 2, 4, 5], "signal": ["n", 2, 5]}, outputs, nodes, constants, 19)


def moved():
    """A batch that moves, is joined with another axis, and comes back: a single image."""
    node = helper.make_node
    nodes = [
        node("Transpose", ["x"], ["t"], perm=[3, 0, 1, 2]), node("Reshape", ["t", "rows"], ["r"]),
        node("Gemm", ["r", "m", "b"], ["g"]), node("Reshape", ["g", "back"], ["y"]),
        node("Flatten", ["x"], ["f"]), node("MatMul", ["f", "k"], ["z"]),
    ]
    constants = {"rows": ints(-1, 2), "back": ints(5, -1, 3), "m": weights(2, 3), "b": weights(3), "k": weights(10, 4)}
    values = [value("y", [5, "n", 3]), value("z", ["n", 4])]
    built = model(nodes, [value("x", ["n", 2, 1, 5])], values, constants, 13)
    arrays = {"x": weights(1, 2, 1, 5)}
    save("moved", built, arrays)


def transposed():
    """ConvTranspose, with all that decides its size; pools with more padding than half of the window."""
    node = helper.make_node
    nodes = [
        node("ConvTranspose", ["x", "w", "b"], ["plain"], strides=[2, 3]),
        node("ConvTranspose", ["x", "w"], ["padded"], strides=[2, 2], pads=[1, 0, 0, 1], output_padding=[1, 0]),
        node("ConvTranspose", ["x", "w"], ["shaped"], strides=[3, 2], output_shape=[10, 8]),
        node("ConvTranspose", ["x", "w"], ["same"], strides=[2, 2], auto_pad="SAME_UPPER"),
        node("ConvTranspose", ["x", "w"], ["dilated"], dilations=[2, 2], group=2),
        node("MaxPool", ["x"], ["max"], kernel_shape=[3, 2], pads=[2, 1, 2, 1]),
        node("AveragePool", ["x"], ["mean"], kernel_shape=[3, 2], pads=[2, 1, 2, 1]),
        node("AveragePool", ["x"], ["counted"], kernel_shape=[3, 3], pads=[2, 2, 2, 2], count_include_pad=1),
    ]
    constants = {"w": weights(2, 3, 3, 3), "b": weights(3)}
    outputs = {
        "plain": ["n", 3, 9, 15], "padded": ["n", 3, 9, 10], "shaped": ["n", 3, 10, 8], "same": ["n", 3, 8, 10],
        "dilated": ["n", 6, 8, 9], "max": ["n", 2, 6, 6], "mean": ["n", 2, 6, 6], "counted": ["n", 2, 6, 7],
    }
    wide("transposed", {"x": ["n", 2, 4, 5]}, outputs, nodes, constants, 19)


def matrices():
    """Without a batch: products of matrices of all forms, and tensors of more than three axes."""
    node = helper.make_node
    nodes = [
        node("MatMul", ["a", "b"], ["partly"]),
        node("MatMul", ["a", "row"], ["vector"]),
        node("Gemm", ["m", "k", "m2"], ["gemm"], transA=1, transB=1, alpha=0.5, beta=2.0),
        node("Flatten", ["a"], ["flat"], axis=3),
        node("ReduceMean", ["a", "axes"], ["mean"], keepdims=0),
        node("Softmax", ["m"], ["soft"], axis=0),
        node("Max", ["m", "three"], ["max"]),
        node("Unsqueeze", ["m", "ends"], ["more"]),
        node("Transpose", ["a"], ["turned"], perm=[1, 0, 2, 3]), node("Add", ["a", "turned"], ["crossed"]),
        node("Concat", ["turned", "crossed"], ["joined"], axis=0),
    ]
    constants = {
        "row": weights(4), "k": weights(5, 4), "m2": weights(3, 5), "three": weights(3), "axes": ints(2), "ends": ints(0, -1),
    }
    outputs = {
        "partly": [3, 2, 3, 2], "vector": [3, 1, 3], "gemm": [3, 5], "flat": [9, 4], "mean": [3, 1, 4], "soft": [4, 3], "max": [4, 3],
        "more": [1, 4, 3, 1], "joined": [4, 3, 3, 4],
    }
    wide("matrices", {"a": [3, 1, 3, 4], "b": [1, 2, 4, 2], "m": [4, 3]}, outputs, nodes, constants, 18)


def elements():
    """Operands that broadcast, functions with parameters, and constants of one number."""
    node = helper.make_node
    nodes = [
        node("ConstantOfShape", ["map"], ["filled"], value=numpy_helper.from_array(np.array([0.25], np.float32))),
        node("Add", ["x", "filled"], ["a"]), node("Div", ["a", "column"], ["b"]), node("Sub", ["row", "b"], ["c"]),
        node("Max", ["c", "x", "channel"], ["d"]), node("Min", ["d", "one"], ["e"]), node("Sum", ["e", "x", "x"], ["sum"]),
        node("PRelu", ["x", "slopes"], ["prelu"]), node("PRelu", ["x", "row"], ["unusual"]),
        node("Clip", ["x", "", "one"], ["clipped"]), node("Selu", ["x"], ["selu"], alpha=1.5),
        node("HardSigmoid", ["x"], ["hard"]), node("LogSoftmax", ["x"], ["log"], axis=2), node("Gelu", ["x"], ["gelu"], approximate="tanh"),
        node("Sigmoid", ["x"], ["gate"], "/act/Sigmoid"), node("Mul", ["gate", "x"], ["silu"], "/act/Mul"),
        node("LRN", ["x"], ["lrn"], size=3, alpha=0.1, bias=2.0), node("ReduceMean", ["x", "ends"], ["mean"]),
    ]
    constants = {
        "map": ints(1, 3, 4, 5), "column": positive(3, 4, 1), "row": weights(5), "channel": weights(3, 1, 1),
        "one": np.array(0.3, np.float32), "slopes": weights(3, 1, 1), "ends": ints(1, 3),
    }
    names = "sum prelu unusual clipped selu hard log gelu silu lrn".split()
    wide("elements", {"x": ["n", 3, 4, 5]}, {**{name: ["n", 3, 4, 5] for name in names}, "mean": ["n", 1, 4, 1]}, nodes, constants, 20)


def mobile_last():
    """TensorFlow's MobileNet in small: padding, depthwise convolutions, a residual, pools and the way to a vector, all in
    channels last, with the transposes that tf2onnx leaves."""
    node = helper.make_node
    first, back = dict(perm=[0, 3, 1, 2]), dict(perm=[0, 2, 3, 1])
    nodes = [
        node("Pad", ["image", "pads"], ["p0"], "padded"),
        node("Transpose", ["p0"], ["t0"], **first),
        node("Conv", ["t0", "stem"], ["c0"], "stem", strides=[2, 2]),
        node("BatchNormalization", ["c0", "scale", "shift", "mean", "var"], ["n0"], "bn"),
        node("Transpose", ["n0"], ["h0"], **back),
        node("Relu", ["h0"], ["r0"], "relu"),
        node("Transpose", ["r0"], ["t1"], **first),
        node("Conv", ["t1", "depthwise"], ["c1"], "depthwise", group=4, auto_pad="SAME_UPPER"),
        node("Transpose", ["c1"], ["h1"], **back),
        node("Mul", ["h1", "factors"], ["m1"], "factors"),
        node("Clip", ["m1", "zero", "six"], ["r1"], "relu6"),
        node("Add", ["r1", "r0"], ["s1"], "sum"),
        node("Transpose", ["s1"], ["t2"], **first),
        node("MaxPool", ["t2"], ["q2"], "pool", kernel_shape=[2, 2], strides=[2, 2]),
        node("Transpose", ["q2"], ["h2"], **back),
        node("Reshape", ["h2", "vector"], ["v"], "flatten"),
        node("MatMul", ["v", "dense"], ["d"], "dense"),
        node("Add", ["d", "bias"], ["scores"], "scores"),
    ]
    constants = {
        "pads": ints(0, 0, 0, 0, 0, 1, 1, 0), "stem": weights(4, 3, 3, 3), "scale": positive(4), "shift": weights(4), "mean": weights(4),
        "var": positive(4), "depthwise": weights(4, 1, 3, 3), "factors": positive(4), "zero": np.array(0, np.float32),
        "six": np.array(6, np.float32), "vector": ints(-1, 24), "dense": weights(24, 5), "bias": weights(5),
    }
    wide("mobile_last", {"image": ["n", 8, 12, 3]}, {"scores": ["n", 5]}, nodes, constants, 18)


def scopes():
    """Names as PyTorch's newer exporter gives them: in the nodes' metadata. And a module of several nodes."""
    nodes, constants = [], {"stem.0.weight": weights(4, 3, 3, 3), "stem.0.weight_bias": weights(4)}
    def add(op, inputs, output, *path, **attributes):
        nodes.append(helper.make_node(op, inputs, [output], f"node_{output}", **attributes))
        nodes[-1].metadata_props.add(key="pkg.torch.onnx.name_scopes", value=str(["", *path, output]))
    add("Conv", ["x", "stem.0.weight", "stem.0.weight_bias"], "conv", "stem", "stem.1", pads=[1, 1, 1, 1])
    add("HardSigmoid", ["conv"], "hard", "stem", "stem.2", alpha=1 / 6)
    add("Mul", ["conv", "hard"], "swish", "stem", "stem.2")
    add("Relu", ["swish"], "relu", "block", "block.act")
    add("Relu", ["relu"], "relu_1", "block", "block.act")
    add("Add", ["relu_1", "conv"], "y", "block")
    built = model(nodes, [value("x", ["n", 3, 4, 4])], [value("y", ["n", 4, 4, 4])], constants, 20, ir=10)
    save("scopes", built, {"x": weights(2, 3, 4, 4)})


def attributes():
    """Operators of opset 9, when axes, bounds and sizes were attributes and softmax took all axes from one on."""
    node = helper.make_node
    nodes = [
        node("Slice", ["x"], ["sliced"], starts=[1, -3], ends=[3, 100], axes=[1, 3]),
        node("Pad", ["x"], ["padded"], pads=[0, 0, 1, 0, 0, 0, 0, 2], value=-1.5),
        node("Split", ["x"], ["a", "b"], axis=1, split=[3, 1]), node("Mul", ["b", "a"], ["parts"]),
        node("Clip", ["x"], ["clipped"], min=-0.25, max=0.125), node("Clip", ["x"], ["above"], min=0.0),
        node("ReduceMean", ["x"], ["means"], axes=[2, 3], keepdims=0), node("Unsqueeze", ["means"], ["more"], axes=[1]),
        node("Squeeze", ["more"], ["squeezed"], axes=[1]), node("Dropout", ["squeezed"], ["dropped"], ratio=0.3),
        node("Gemm", ["dropped", "m", "m_bias"], ["gemm"], alpha=2.0),
        node("Softmax", ["x"], ["soft"]), node("LogSoftmax", ["x"], ["log"], axis=2),
        node("BatchNormalization", ["x", "scale", "shift", "mean", "var"], ["norm"], momentum=0.9),
        node("PRelu", ["x", "slope"], ["prelu"]), node("Upsample", ["x", "scales"], ["up"]),
        node("AveragePool", ["x"], ["pool"], kernel_shape=[2, 3], auto_pad="SAME_LOWER", strides=[2, 1]),
    ]
    constants = {
        "m": weights(4, 3), "m_bias": weights(3), "scale": positive(4), "shift": weights(4), "mean": weights(4), "var": positive(4),
        "slope": weights(1), "scales": np.array([1, 1, 2, 3], np.float32),
    }
    same = ["n", 4, 5, 6]
    outputs = {
        "sliced": ["n", 2, 5, 3], "padded": ["n", 4, 6, 8], "parts": ["n", 3, 5, 6], "clipped": same, "above": same, "gemm": ["n", 3],
        "soft": same, "log": same, "norm": same, "prelu": same, "up": ["n", 4, 10, 18], "pool": ["n", 4, 3, 6],
    }
    wide("attributes", {"x": same}, outputs, nodes, constants, 9)


def recurrent():
    """LSTM and GRU in every direction, with first and last states, batch first and not. Answers are ONNX Runtime's."""
    random = np.random.default_rng(7)
    draw = lambda *shape: random.uniform(-0.5, 0.5, shape).astype(np.float32)
    t, n, i, h = 7, 2, 5, 6
    nodes, constants = [], {"lengths": np.array([t, t], np.int32)}
    def add(op, name, inputs, **attributes):
        directions = 2 if attributes.get("direction") == "bidirectional" else 1
        gates = 4 if op == "LSTM" else 3
        constants.update({f"{name}.w": draw(directions, gates * h, i), f"{name}.r": draw(directions, gates * h, h), f"{name}.b": draw(directions, 2 * gates * h)})
        given = [inputs[0], f"{name}.w", f"{name}.r", f"{name}.b" if inputs[1] else "", *inputs[2:]]
        nodes.append(helper.make_node(op, given, [name, f"{name}_h"], name, hidden_size=h, **attributes))
    add("LSTM", "forward", ["x", True])
    add("LSTM", "backward", ["x", False], direction="reverse")
    add("LSTM", "both", ["x", True, "lengths", "h0", "c0"], direction="bidirectional")
    add("LSTM", "constant", ["x", True, "", "held_h"])
    constants["held_h"] = draw(1, n, h)
    add("GRU", "reset_before", ["x", True])
    add("GRU", "reset_after", ["x", True, "", "h0"], direction="bidirectional", linear_before_reset=1)
    add("GRU", "gru_backward", ["x", False], direction="reverse", linear_before_reset=1)
    inputs = [value("x", [t, n, i]), value("h0", [2, n, h]), value("c0", [2, n, h])]
    outputs = []
    for node in nodes:
        directions = 2 if any(a.name == "direction" and a.s == b"bidirectional" for a in node.attribute) else 1
        outputs += [value(node.output[0], [t, directions, n, h]), value(node.output[1], [directions, n, h])]
    built = model(nodes, inputs, outputs, constants, 14)
    arrays = {"x": 2 * draw(t, n, i), "h0": draw(2, n, h), "c0": draw(2, n, h)}
    session = onnxruntime.InferenceSession(built.SerializeToString())
    save("recurrent", built, arrays, answers=session.run(None, arrays))


def speech():
    """Windows of a sound as detectors of speech take them: signals that are convolved side by side, then the steps of an LSTM
    that gives its memory; norms of rows; borders of channels. Answers are ONNX Runtime's."""
    random = np.random.default_rng(11)
    draw = lambda *shape: random.uniform(-0.5, 0.5, shape).astype(np.float32)
    t, h = 6, 5
    norm = lambda name, n: {f"{name}.scale": draw(n), f"{name}.shift": draw(n), f"{name}.mean": draw(n), f"{name}.var": 1 + draw(n)}
    constants = {
        "sides": np.array([0, 4, 0, 4], np.int64), "one": np.array([1], np.int64), "above": np.array([0, 2, 0, 0, 1, 0], np.int64),
        "conv.w": draw(8, 1, 5), "conv.b": draw(8), **norm("norm", 8), **norm("rows", 8),
        "one_way.w": draw(1, 4 * h, 8), "one_way.r": draw(1, 4 * h, h), "one_way.b": draw(1, 8 * h),
        "two_ways.w": draw(2, 4 * h, 8), "two_ways.r": draw(2, 4 * h, h), "two_ways.b": draw(2, 8 * h),
    }
    weights = lambda name: [f"{name}.{part}" for part in "wrb"]
    statistics = lambda name: [f"{name}.{part}" for part in ("scale", "shift", "mean", "var")]
    nodes = [
        helper.make_node("Pad", ["x", "sides"], ["padded"], "padded", mode="reflect"),
        helper.make_node("Unsqueeze", ["padded", "one"], ["signals"], "signals"),
        helper.make_node("Conv", ["signals", "conv.w", "conv.b"], ["convolved"], "convolved", kernel_shape=[5], strides=[2], pads=[1, 2]),
        helper.make_node("BatchNormalization", ["convolved", *statistics("norm")], ["normed"], "normed"),
        helper.make_node("Relu", ["normed"], ["positive"], "positive"),
        helper.make_node("MaxPool", ["positive"], ["pooled"], "pooled", kernel_shape=[2], strides=[2]),
        helper.make_node("Pad", ["pooled", "above"], ["bordered"], "bordered", mode="reflect"),
        helper.make_node("ReduceMean", ["pooled"], ["means"], "means", axes=[2], keepdims=0),
        helper.make_node("BatchNormalization", ["means", *statistics("rows")], ["rows"], "rows"),
        helper.make_node("Unsqueeze", ["rows", "one"], ["steps"], "steps"),
        helper.make_node("LSTM", ["steps", *weights("one_way"), "", "h0", "c0"], ["", "last", "memory"], "one_way", hidden_size=h),
        helper.make_node("LSTM", ["steps", *weights("two_ways")], ["both", "both_last", "both_memory"], "two_ways", hidden_size=h, direction="bidirectional"),
    ]
    inputs = [value("x", [t, 40]), value("h0", [1, 1, h]), value("c0", [1, 1, h])]
    outputs = [
        value("bordered", [t, 11, 12]), value("rows", [t, 8]), value("last", [1, 1, h]), value("memory", [1, 1, h]),
        value("both", [t, 2, 1, h]), value("both_last", [2, 1, h]), value("both_memory", [2, 1, h]),
    ]
    built = model(nodes, inputs, outputs, constants, 14)
    arrays = {"x": 2 * draw(t, 40), "h0": draw(1, 1, h), "c0": draw(1, 1, h)}
    session = onnxruntime.InferenceSession(built.SerializeToString())
    save("speech", built, arrays, answers=session.run(None, arrays))


def crnn():
    """A text recogniser as PyTorch's older exporter writes it: columns become steps, the batch moves and comes back."""
    import io
    import torch
    from torch import nn

    torch.manual_seed(0)

    class Tail(nn.Module):
        def __init__(self, inputs, hidden, outputs):
            super().__init__()
            self.rnn = nn.LSTM(inputs, hidden, bidirectional=True)
            self.embedding = nn.Linear(2 * hidden, outputs)

        def forward(self, x):
            result, _ = self.rnn(x)
            t, b, h = result.size()
            return self.embedding(result.view(t * b, h)).view(t, b, -1)

    class Crnn(nn.Module):
        def __init__(self):
            super().__init__()
            self.cnn = nn.Sequential(nn.Conv2d(1, 8, 3, padding=1), nn.ReLU(), nn.MaxPool2d(2), nn.Conv2d(8, 12, 3, (2, 1), 1), nn.ReLU(), nn.AvgPool2d((4, 1)))
            self.rnn = nn.Sequential(Tail(12, 16, 10), Tail(10, 16, 11))
            self.gru = nn.GRU(11, 7, num_layers=2, batch_first=True)

        def forward(self, x):
            columns = self.cnn(x).squeeze(2).permute(2, 0, 1)
            scores = self.rnn(columns)
            return scores.log_softmax(2), self.gru(scores.permute(1, 0, 2))[0]

    network = Crnn().eval()
    x = torch.rand(1, 1, 16, 40)
    file = io.BytesIO()
    torch.onnx.export(network, (x,), file, dynamo=False, opset_version=17, input_names=["x"], output_names=["scores", "states"], dynamic_axes={"x": {0: "n"}})
    with torch.no_grad():
        answers = [answer.numpy() for answer in network.double()(x.double())]
    save("crnn", onnx.load_from_string(file.getvalue()), {"x": x.numpy()}, answers=answers)


FOLDER.mkdir(parents=True, exist_ok=True)
MODELS = [residual, old, channels_last, shuffle, signal, parts, views, resizes, transposed, matrices, elements, mobile_last, scopes, attributes, resampled, weighted, patterns, moved, reductions, functions, bordered, recurrent, speech, crnn]
for make in MODELS:
    make()
