"""Runs the ONNX project's own test cases (`onnx.backend.test`) with the command `cnn`, on both back ends.

usage: backend.py --cnn target/release/cnn [--backends jit,interp] [--jobs 2] [--only TEXT] [--all]

Counted is every case of 2-D networks of floats that uses only operators that the importer is meant to know (OPERATORS);
for each of the others one reason is given why it is not. Cases give parameters as inputs of the graph. A network has them
in its file: such inputs (PARAMETERS, and all that are not floats) become initializers, with the case's values. All other
inputs, weights of convolutions among them, are given by the names that the file has.

Networks here take and give floats. An input of 8-bit integers is given as the numbers that its operator says they stand for,
with a QuantizeLinear, and an output of integers is read through a DequantizeLinear: the integers must be the same, all of them.
"""
import argparse
import collections
import concurrent.futures
import os
import pathlib
import re
import subprocess
import sys
import tempfile

import numpy as np
import onnx
import onnx.backend.test
from onnx import TensorProto, helper, numpy_helper
from onnx.backend.test.loader import load_model_tests

OPERATORS = set("""
Conv ConvTranspose MaxPool AveragePool GlobalAveragePool GlobalMaxPool Relu LeakyRelu PRelu Elu Selu Sigmoid Tanh
HardSigmoid HardSwish Gelu Softplus Clip Softmax LogSoftmax BatchNormalization LRN Add Sub Mul Div Sum Max Min Concat
Split Slice Flatten Reshape Squeeze Unsqueeze Transpose Pad Resize Upsample Dropout Identity Gemm MatMul ReduceMean
DepthToSpace SpaceToDepth Constant ConstantOfShape Shape Gather Abs Neg Reciprocal Mish Softsign Celu Expand
ReduceMax ReduceMin ReduceSum ReduceProd ReduceSumSquare
QuantizeLinear DequantizeLinear QLinearConv QLinearMatMul
""".split())
# Inputs from here on are weights or parameters.
PARAMETERS = {
    "ConstantOfShape": 0,
    **dict.fromkeys("""ConvTranspose BatchNormalization PRelu Clip Dropout Pad Reshape Resize Upsample Slice Split Squeeze
                       Unsqueeze ReduceMean ReduceMax ReduceMin ReduceSum ReduceProd ReduceSumSquare Gather Expand
                       QuantizeLinear DequantizeLinear QLinearConv QLinearMatMul
                       """.split(), 1),
}
# What the ONNX project's evaluator answers where PyTorch and ONNX Runtime agree on something else.
SCALES = "a fractional product of size and scale: PyTorch and ONNX Runtime align corners to the whole size"
DIFFERENT = {
    "test_resize_downsample_scales_linear_align_corners_cpu": SCALES,
    "test_resize_downsample_scales_cubic_align_corners_cpu": SCALES,
}
SPATIAL = set("Conv ConvTranspose MaxPool AveragePool GlobalAveragePool GlobalMaxPool LRN".split())
UNUSUAL = {b"tf_crop_and_resize", b"not_larger", b"not_smaller"}
# Where these have the scale and the zero point of their first operand and of their result, if it is of integers.
SCALES_OF = {"QuantizeLinear": (None, 1), "DequantizeLinear": (1, None), "QLinearConv": (1, 6), "QLinearMatMul": (1, 6)}
INTEGERS = {TensorProto.UINT8, TensorProto.INT8}
FLOATS = {TensorProto.FLOAT, TensorProto.FLOAT16, TensorProto.DOUBLE, TensorProto.BFLOAT16}
KINDS = ["node", "simple", "pytorch-operator", "pytorch-converted", "real"]


class NotCounted(Exception):
    """Why a case is not counted."""


def load(case):
    """The case's model and its data sets: pairs of lists of arrays."""
    if case.model is not None:
        return case.model, case.data_sets
    root = pathlib.Path(onnx.backend.test.__file__).parents[2]
    if case.model_dir is None:
        # A whole network without trained weights, with the answer to the numbers 0 … 1.
        path = root.parent / case.url
        model = onnx.load(path)
        given = {tensor.name for tensor in model.graph.initializer}
        shapes = [shape(value) for value in model.graph.input if value.name not in given]
        inputs = [(np.arange(np.prod(s)).reshape(s) / np.prod(s)).astype(np.float32) for s in shapes]
        output = onnx.load_tensor(str(path).replace(".onnx", "_output_0.pb"))
        return model, [(inputs, [numpy_helper.to_array(output)])]
    folder = pathlib.Path(case.model_dir)
    model = onnx.load(folder / "model.onnx")
    files = lambda data, what: sorted(data.glob(f"{what}_*.pb"), key=lambda p: int(p.stem.split("_")[1]))
    read = lambda data, what: [numpy_helper.to_array(onnx.load_tensor(str(path))) for path in files(data, what)]
    return model, [(read(data, "input"), read(data, "output")) for data in sorted(folder.glob("test_data_set_*"))]


def shape(value):
    return tuple(dim.dim_value for dim in value.type.tensor_type.shape.dim)


def counted(model, sets):
    """Raises NotCounted unless the case is one of those that should pass."""
    graph = model.graph
    others = sorted({node.op_type for node in graph.node} - OPERATORS | {n.op_type for n in graph.node if n.domain})
    if others:
        raise NotCounted("other operators")
    types = lambda values: {value.type.tensor_type.elem_type for value in values if scale(model, value) is None}
    if not types(graph.output) <= FLOATS:
        raise NotCounted("an output is not of floats (indices, masks, shapes, integers)")
    data = [value for value in graph.input if not parameter(model, value)]
    if not types(data) <= FLOATS:
        raise NotCounted("an input is not of floats")
    if any(node.op_type in SCALES_OF for node in graph.node):
        kinds = {value.type.tensor_type.elem_type for value in [*graph.input, *graph.output]}
        if not kinds <= INTEGERS | {TensorProto.FLOAT, TensorProto.INT32}:
            raise NotCounted("integers of other than 8 bits, 16-bit scales")
        if any(a.name == "block_size" and a.i for node in graph.node for a in node.attribute):
            raise NotCounted("a scale for each block")
        for inputs, _ in sets:
            given = dict(zip([value.name for value in graph.input], inputs))
            for value in [*data, *graph.output]:
                names = scale(model, value) or []
                if any(np.size(given[name]) > 1 for name in names if name in given):
                    raise NotCounted("a scale for each channel of what is computed")
            if graph.node[0].op_type == "QuantizeLinear" and np.size(inputs[1]) > 1:
                raise NotCounted("a scale for each channel of what is computed")
    for inputs, outputs in sets:
        if any(array.size == 0 for array in [*inputs, *outputs] if array.dtype.kind == "f"):
            raise NotCounted("an empty tensor")
        for node in graph.node:
            ranks = [array.ndim for value, array in zip(graph.input, inputs) if value.name in node.input]
            if node.op_type in SPATIAL and ranks and ranks[0] > 4:
                raise NotCounted("3-D")
    largest = max(np.abs(array[np.isfinite(array)]).max(initial=0) for pair in sets for arrays in pair for array in arrays
                  if array.dtype.kind == "f")
    if largest > np.finfo(np.float32).max:
        raise NotCounted("numbers beyond single precision (the file holds uninitialised memory)")
    for node in graph.node:
        attributes = {attribute.name: helper.get_attribute_value(attribute) for attribute in node.attribute}
        if attributes.get("training_mode"):
            raise NotCounted("training")
        if node.op_type == "Dropout" and len(node.input) > 2:
            mode = [a for value, a in zip(graph.input, sets[0][0]) if value.name == node.input[2]]
            if any(array.any() for array in mode):
                raise NotCounted("training")
        for name in ["coordinate_transformation_mode", "keep_aspect_ratio_policy"]:
            if node.op_type == "Resize" and attributes.get(name) in UNUSUAL:
                raise NotCounted("Resize as exporters do not write it (crop and resize, aspect ratio)")
        if node.op_type == "Gather" and not folded(graph, node):
            raise NotCounted("Gather of what is computed")
    if not data:
        raise NotCounted("nothing is computed: all inputs are parameters")


def scale(model, value):
    """The names of scale and zero point of an input or output of 8-bit integers; None if it is of something else."""
    if value.type.tensor_type.elem_type not in INTEGERS:
        return None
    for node in model.graph.node:
        first, result = SCALES_OF.get(node.op_type, (None, None))
        for at, held in [(first, node.input[:1]), (result, node.output[:1])]:
            if at is not None and value.name in held:
                return [name for name in node.input[at:at + 2] if name]
    return None


def folded(graph, node):
    given = {name for other in graph.node if other.op_type in ("Constant", "Shape") for name in other.output}
    return node.input[0] in given | {tensor.name for tensor in graph.initializer}


def parameter(model, value):
    """Whether an input of the graph is part of the network."""
    graph = model.graph
    if value.name in {tensor.name for tensor in graph.initializer}:
        return True
    users = [(node, list(node.input).index(value.name)) for node in graph.node if value.name in node.input]
    return any(position >= PARAMETERS.get(node.op_type, 99) for node, position in users)


def baked(model, arrays, outputs):
    """The model with its parameters as initializers, the other inputs' arrays, and what must come out."""
    model = onnx.ModelProto.FromString(model.SerializeToString())
    graph, left, arrays = model.graph, [], list(arrays)
    given = {tensor.name for tensor in graph.initializer}
    # Data sets leave initializers out.
    values = [value for value in graph.input if value.name not in given]
    for value, array in zip(values, arrays):
        if parameter(model, value):
            graph.initializer.append(numpy_helper.from_array(np.asarray(array), value.name))
            graph.input.remove(value)
        elif names := scale(model, value):
            floats = helper.make_tensor_value_info(f"{value.name}_floats", TensorProto.FLOAT, array.shape)
            graph.node.insert(0, helper.make_node("QuantizeLinear", [floats.name, *names], [value.name]))
            graph.input.insert(list(graph.input).index(value), floats)
            graph.input.remove(value)
            left.append(numbers(array, *(given_array(values, arrays, name) for name in names)))
        else:
            left.append(np.asarray(array, np.float64 if array.dtype == np.float64 else np.float32))
    outputs = list(outputs)
    for at, value in enumerate(list(graph.output)):
        if names := scale(model, value):
            floats = helper.make_tensor_value_info(f"{value.name}_floats", TensorProto.FLOAT, outputs[at].shape)
            graph.node.append(helper.make_node("DequantizeLinear", [value.name, *names], [floats.name]))
            graph.output.remove(value)
            graph.output.insert(at, floats)
            outputs[at] = numbers(outputs[at], *(given_array(values, arrays, name) for name in names))
    return model, left, outputs


def given_array(values, arrays, name):
    return next(array for value, array in zip(values, arrays) if value.name == name)


def numbers(integers, scale, zero=0):
    """What integers stand for."""
    return (integers.astype(np.int32) - np.int32(zero)).astype(np.float32) * np.float32(scale)


def run(cnn, backend, model, arrays):
    """The outputs of the command, or what it says is wrong."""
    with tempfile.TemporaryDirectory() as folder:
        folder = pathlib.Path(folder)
        onnx.save(model, folder / "model.onnx")
        command = [cnn, "run", str(folder / "model.onnx"), "--backend", backend, "--threads", "1", "--output", f"{folder}/out/"]
        given = {tensor.name for tensor in model.graph.initializer}
        names = [value.name for value in model.graph.input if value.name not in given]
        for number, (name, array) in enumerate(zip(names, arrays, strict=True)):
            np.save(folder / f"{number}.npy", array)
            command += ["--input", f"{name}={folder}/{number}.npy"]
        done = subprocess.run(command, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True, timeout=600)
        if done.returncode != 0:
            raise RuntimeError(done.stderr.strip())
        names = [output.name for output in model.graph.output]
        return [np.load(folder / "out" / f"{name}.npy") for name in map(file_name, names)]


def file_name(name):
    name = re.sub(r"[^A-Za-z0-9_.-]", "_", name.lstrip("/").replace("/", "."))
    return name if re.match(r"[A-Za-z_]", name) else "_" + name


def compare(found, expected, case):
    for found, expected in zip(found, expected, strict=True):
        if found.shape != expected.shape:
            raise AssertionError(f"shape {found.shape}, expected {expected.shape}")
        wrong = np.abs(found - expected) > case.atol + case.rtol * np.abs(expected)
        if wrong.any() or (np.isnan(found) != np.isnan(expected)).any():
            raise AssertionError("other numbers")


def one(cnn, backends, case, model, sets):
    """What went wrong on which back end."""
    problems = {}
    for backend in backends:
        try:
            for inputs, outputs in sets:
                built, arrays, expected = baked(model, inputs, outputs)
                compare(run(cnn, backend, built, arrays), expected, case)
        except (RuntimeError, AssertionError, OSError, subprocess.TimeoutExpired) as problem:
            problems[backend] = str(problem)
    return problems


def grouped(text):
    """An error's text without what is of this case only."""
    text = re.sub(r"`[^`]*\.onnx`: |node `[^`]*` |/tmp/\S*", "", text.splitlines()[0] if text else "nothing said")
    return re.sub(r"-?\d+(, -?\d+)*", "#", text.removeprefix("error: "))


def listed(title, groups, all_names):
    print(title)
    for reason, names in sorted(groups.items(), key=lambda group: -len(group[1])):
        shown = names if all_names else names[:4]
        print(f"  {len(names):4}  {reason}")
        print(f"        {', '.join(sorted(shown))}{'' if len(shown) == len(names) else ', …'}")


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--cnn", required=True)
    parser.add_argument("--backends", default="jit,interp")
    parser.add_argument("--jobs", type=int, default=os.cpu_count())
    parser.add_argument("--only", default="", help="cases whose names hold this")
    parser.add_argument("--all", action="store_true", help="name all cases of each group")
    arguments = parser.parse_args()
    backends = arguments.backends.split(",")
    cnn = str(pathlib.Path(arguments.cnn).resolve())
    left_out, failed, passed = collections.defaultdict(list), collections.defaultdict(list), 0
    with concurrent.futures.ThreadPoolExecutor(arguments.jobs) as pool:
        running = {}
        for kind in KINDS:
            for case in load_model_tests(kind=kind):
                if arguments.only not in case.name:
                    continue
                try:
                    if case.name in DIFFERENT:
                        raise NotCounted(DIFFERENT[case.name])
                    model, sets = load(case)
                    counted(model, sets)
                    running[pool.submit(one, cnn, backends, case, model, sets)] = case.name
                except NotCounted as reason:
                    left_out[str(reason)].append(case.name)
        for future in concurrent.futures.as_completed(running):
            problems = future.result()
            passed += not problems
            for backend, problem in problems.items():
                failed[f"{backend}: {grouped(problem)}"].append(running[future])
    listed("not counted:", left_out, arguments.all)
    if failed:
        listed("not passed:", failed, arguments.all)
    print(f"{passed} of {len(running)} cases pass on {' and '.join(backends)}")
    sys.exit(passed < len(running))


if __name__ == "__main__":
    main()
