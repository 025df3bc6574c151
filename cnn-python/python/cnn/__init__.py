"""Convolutional neural networks, compiled.

    import cnn

    net = cnn.load("model.onnx", threads=2)
    y = net(x)

`load` reads ONNX files, TOML files and built-in models, `from_torch` PyTorch modules; a `Network` is called with
arrays. `InferenceSession` has ONNX Runtime's names, so that in a program that uses it changing the import is enough.
"""

from ._cnn import ArrayInfo, Network, StepTime, __version__, load
from ._errors import (
    Error,
    FileError,
    InputError,
    InternalError,
    LimitError,
    ModelError,
    OptionError,
    OutOfMemoryError,
    WeightsError,
)
from ._onnxruntime import (
    ExecutionMode,
    GraphOptimizationLevel,
    InferenceSession,
    NodeArg,
    RunOptions,
    SessionOptions,
    get_available_providers,
    get_device,
)
from ._torch import from_torch

__all__ = [
    "ArrayInfo",
    "Error",
    "ExecutionMode",
    "FileError",
    "GraphOptimizationLevel",
    "InferenceSession",
    "InputError",
    "InternalError",
    "LimitError",
    "ModelError",
    "Network",
    "NodeArg",
    "OptionError",
    "OutOfMemoryError",
    "RunOptions",
    "SessionOptions",
    "StepTime",
    "WeightsError",
    "__version__",
    "from_torch",
    "get_available_providers",
    "get_device",
    "load",
]
