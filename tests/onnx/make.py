"""Makes the small ONNX files that `cargo test -p cnn-onnx` reads, with the answers of ONNX's reference evaluator.

    python tests/onnx/make.py        needs: pip install onnx numpy

Each NAME.onnx in cnn-onnx/tests/models comes with NAME.safetensors: `input/X` and `output/Y` under the ONNX names, f32.
Everything is made from fixed seeds, so that the files are the same on every machine.
"""

import json
import pathlib
import struct

import numpy as np
import onnx
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


def save(name, built, arrays, expected_by=None):
    """Writes a model and its answers; `expected_by` is a model of newer operators that means the same."""
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


FOLDER.mkdir(parents=True, exist_ok=True)
for make in [residual, old, channels_last, shuffle, signal]:
    make()
