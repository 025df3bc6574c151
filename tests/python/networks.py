"""Small networks as ONNX files, made here from fixed seeds: what the package is compared with ONNX Runtime on."""

from __future__ import annotations

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper


class Graph:
    """An ONNX graph under construction; `x` is its input, [batch, 3, 16, 16] unless said otherwise."""

    def __init__(self, shape=(3, 16, 16), batch="N", inputs=1):
        self.random = np.random.default_rng(0)
        self.nodes, self.constants = [], []
        self.shape, self.batch = shape, batch
        self.inputs = [helper.make_tensor_value_info(f"x{i}" if i else "x", TensorProto.FLOAT, [batch, *shape])
                       for i in range(inputs)]
        self.outputs = []

    def constant(self, array):
        name = f"c{len(self.constants)}"
        self.constants.append(numpy_helper.from_array(np.asarray(array), name))
        return name

    def weights(self, *shape, low=-0.5, high=0.5):
        return self.constant(self.random.uniform(low, high, shape).astype(np.float32))

    def node(self, op, *operands, **attributes):
        name = f"v{len(self.nodes)}"
        self.nodes.append(helper.make_node(op, list(operands), [name], **attributes))
        return name

    def conv(self, x, c, f, k, groups=1, **attributes):
        attributes.setdefault("pads", [k // 2] * 4)
        return self.node("Conv", x, self.weights(f, c // groups, k, k), self.weights(f), kernel_shape=[k, k],
                         group=groups, **attributes)

    def norm(self, x, c):
        parts = [self.weights(c), self.weights(c), self.weights(c), self.weights(c, low=0.5, high=1.5)]
        return self.node("BatchNormalization", x, *parts)

    def dense(self, x, n, units):
        return self.node("Gemm", x, self.weights(units, n), self.weights(units), transB=1)

    def build(self, *outputs):
        infos = [helper.make_tensor_value_info(name, TensorProto.FLOAT, None) for name in outputs]
        graph = helper.make_graph(self.nodes, "g", self.inputs, infos, self.constants)
        model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8)
        return onnx.shape_inference.infer_shapes(model).SerializeToString()


def conv(**options):
    def build():
        g = Graph()
        return g.build(g.conv("x", 3, 8, **options))
    return build


def activation(op, **attributes):
    def build():
        g = Graph()
        return g.build(g.node(op, g.conv("x", 3, 8, k=3), **attributes))
    return build


def pool(op, **attributes):
    def build():
        g = Graph()
        return g.build(g.node(op, "x", **attributes))
    return build


def lenet():
    g = Graph((1, 32, 32))
    x = g.node("Tanh", g.conv("x", 1, 6, 5, pads=[0] * 4))
    x = g.node("AveragePool", x, kernel_shape=[2, 2], strides=[2, 2])
    x = g.node("Tanh", g.conv(x, 6, 16, 5, pads=[0] * 4))
    x = g.node("AveragePool", x, kernel_shape=[2, 2], strides=[2, 2])
    x = g.node("Tanh", g.conv(x, 16, 120, 5, pads=[0] * 4))
    x = g.node("Tanh", g.dense(g.node("Flatten", x), 120, 84))
    return g.build(g.node("Softmax", g.dense(x, 84, 10), axis=1))


def residual():
    g = Graph()
    stem = g.node("Relu", g.norm(g.conv("x", 3, 16, 3), 16))
    x = g.node("Relu", g.norm(g.conv(stem, 16, 16, 3), 16))
    x = g.node("Add", g.norm(g.conv(x, 16, 16, 3), 16), stem)
    x = g.node("GlobalAveragePool", g.node("Relu", x))
    return g.build(g.dense(g.node("Flatten", x), 16, 10))


def inverted_residual():
    g = Graph()
    six = [g.constant(np.float32(0)), g.constant(np.float32(6))]
    x = g.node("Clip", g.conv("x", 3, 24, 1), *six)
    x = g.node("Clip", g.conv(x, 24, 24, 3, groups=24, strides=[2, 2]), *six)
    return g.build(g.conv(x, 24, 12, 1))


def inception():
    g = Graph()
    a, b = g.conv("x", 3, 8, 1), g.conv(g.conv("x", 3, 8, 1), 8, 16, 3)
    c = g.conv(g.node("MaxPool", "x", kernel_shape=[3, 3], pads=[1] * 4), 3, 8, 1)
    return g.build(g.node("Concat", a, b, c, axis=1))


def squeeze_excite():
    g = Graph()
    x = g.conv("x", 3, 16, 3)
    s = g.node("Relu", g.conv(g.node("GlobalAveragePool", x), 16, 4, 1))
    return g.build(g.node("Mul", x, g.node("Sigmoid", g.conv(s, 4, 16, 1))))


def two_inputs():
    g = Graph(inputs=2)
    return g.build(g.node("Add", g.conv("x", 3, 8, 3), g.conv("x1", 3, 8, 3)))


def two_outputs():
    g = Graph()
    x = g.node("Relu", g.conv("x", 3, 8, 3))
    return g.build(x, g.node("GlobalMaxPool", x))


def upsampled():
    g = Graph()
    scales = g.constant(np.array([1, 1, 2, 2], np.float32))
    return g.build(g.node("Resize", g.conv("x", 3, 8, 3), "", scales, mode="nearest", nearest_mode="floor",
                          coordinate_transformation_mode="asymmetric"))


def transposed():
    g = Graph()
    return g.build(g.node("ConvTranspose", "x", g.weights(3, 8, 2, 2), strides=[2, 2]))


def lrn():
    g = Graph()
    return g.build(g.node("LRN", g.conv("x", 3, 16, 3), size=5))


NETWORKS = {
    "conv_1": conv(k=1),
    "conv_3": conv(k=3),
    "conv_5": conv(k=5),
    "conv_stride": conv(k=3, strides=[2, 2]),
    "conv_dilated": conv(k=3, dilations=[2, 2], pads=[2] * 4),
    "conv_groups": conv(k=3, groups=1, pads=[0, 1, 2, 1]),
    "relu": activation("Relu"),
    "leaky_relu": activation("LeakyRelu", alpha=0.1),
    "elu": activation("Elu"),
    "tanh": activation("Tanh"),
    "sigmoid": activation("Sigmoid"),
    "softplus": activation("Softplus"),
    "hard_swish": activation("HardSwish"),
    "max_pool": pool("MaxPool", kernel_shape=[3, 3], strides=[2, 2], pads=[1] * 4),
    "average_pool": pool("AveragePool", kernel_shape=[2, 2], strides=[2, 2]),
    "global_pool": pool("GlobalAveragePool"),
    "lenet": lenet,
    "residual": residual,
    "inverted_residual": inverted_residual,
    "inception": inception,
    "squeeze_excite": squeeze_excite,
    "two_inputs": two_inputs,
    "two_outputs": two_outputs,
    "upsampled": upsampled,
    "transposed": transposed,
    "lrn": lrn,
}


def feeds(model: bytes, batch: int, seed: int = 0) -> dict[str, np.ndarray]:
    """Made-up inputs for a model."""
    random = np.random.default_rng(seed)
    inputs = onnx.load_from_string(model).graph.input
    dims = [[dim.dim_value for dim in one.type.tensor_type.shape.dim][1:] for one in inputs]
    return {one.name: random.uniform(-1, 1, (batch, *shape)).astype(np.float32) for one, shape in zip(inputs, dims)}
