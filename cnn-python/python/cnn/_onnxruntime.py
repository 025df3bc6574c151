"""ONNX Runtime's names for what this package does: in a program that uses `onnxruntime`, changing the import is enough."""

from __future__ import annotations

import enum
import os
import warnings
from typing import Any, Dict, List, Optional, Sequence, Union

import numpy as np

from ._cnn import ArrayInfo, Network, load
from ._errors import OptionError


class GraphOptimizationLevel(enum.IntEnum):
    """How much a graph is changed. Only `ORT_DISABLE_ALL` makes a difference here."""

    ORT_DISABLE_ALL = 0
    ORT_ENABLE_BASIC = 1
    ORT_ENABLE_EXTENDED = 2
    ORT_ENABLE_LAYOUT = 3
    ORT_ENABLE_ALL = 99


class ExecutionMode(enum.IntEnum):
    """Whether operators run side by side. They never do here: threads share each one."""

    ORT_SEQUENTIAL = 0
    ORT_PARALLEL = 1


class SessionOptions:
    """Options of a session. `intra_op_num_threads` and `graph_optimization_level` count, others are kept and ignored."""

    def __init__(self) -> None:
        self.intra_op_num_threads = 0
        self.inter_op_num_threads = 0
        self.graph_optimization_level = GraphOptimizationLevel.ORT_ENABLE_ALL
        self.execution_mode = ExecutionMode.ORT_SEQUENTIAL
        self.log_severity_level = 2
        self.enable_profiling = False
        self.enable_mem_pattern = True
        self.enable_cpu_mem_arena = True

    def add_session_config_entry(self, key: str, value: str) -> None:
        """Is ignored."""

    def add_free_dimension_override_by_name(self, name: str, value: int) -> None:
        """Is refused: give `shapes` to `cnn.load`."""
        raise OptionError(f"the dimension `{name}` is given to cnn.load, as a part of `shapes`")


class RunOptions:
    """Options of a run; none counts."""

    def __init__(self) -> None:
        self.log_severity_level = 2
        self.logid = ""


class NodeArg:
    """An input or output: its name, its shape (a word for an axis of any size) and its type in ONNX's words."""

    def __init__(self, info: ArrayInfo) -> None:
        self.name: str = info.name
        self.type: str = {"float32": "tensor(float)"}.get(info.dtype.name, f"tensor({info.dtype.name})")
        self.shape: List[Union[int, str]] = ["batch", *info.shape[1:]] if info.any_batch else list(info.shape)
        for axis, name in info.free.items():
            self.shape[axis] = name

    def __repr__(self) -> str:
        return f"NodeArg(name={self.name!r}, type={self.type!r}, shape={self.shape})"


class InferenceSession:
    """A network under ONNX Runtime's names."""

    def __init__(
        self,
        path_or_bytes: Union[str, bytes, "os.PathLike[str]"],
        sess_options: Optional[SessionOptions] = None,
        providers: Optional[Sequence[Any]] = None,
        provider_options: Optional[Sequence[Dict[Any, Any]]] = None,
        **kwargs: Any,
    ) -> None:
        wanted = [name if isinstance(name, str) else name[0] for name in providers or ()]
        if wanted and "CPUExecutionProvider" not in wanted:
            warnings.warn(f"networks run on the CPU here, not on {', '.join(wanted)}", stacklevel=2)
        options: Dict[str, Any] = {}
        if sess_options is not None:
            options["threads"] = sess_options.intra_op_num_threads or None
            level = int(sess_options.graph_optimization_level)
            options["optimise"] = level != int(GraphOptimizationLevel.ORT_DISABLE_ALL)
        self._options = sess_options
        self._network: Network = load(path_or_bytes, **options)
        self._inputs = [NodeArg(info) for info in self._network.inputs]
        self._outputs = [NodeArg(info) for info in self._network.outputs]

    def get_inputs(self) -> List[NodeArg]:
        """The inputs in the file's order."""
        return self._inputs

    def get_outputs(self) -> List[NodeArg]:
        """The outputs in the file's order."""
        return self._outputs

    def get_providers(self) -> List[str]:
        """What it runs on."""
        return get_available_providers()

    def get_session_options(self) -> SessionOptions:
        """The options it was made with."""
        return self._options or SessionOptions()

    def run(
        self,
        output_names: Optional[Sequence[str]],
        input_feed: Dict[str, Any],
        run_options: Optional[RunOptions] = None,
    ) -> List[np.ndarray]:
        """Runs the network on arrays by name. Gives the outputs of these names, or all, as a list."""
        results = self._network(dict(input_feed))
        if output_names is None or len(output_names) == 0:
            return list(results.values())
        try:
            return [results[name] for name in output_names]
        except KeyError as missing:
            names = ", ".join(f"`{name}`" for name in results)
            raise OptionError(f"the network has no output `{missing.args[0]}`; it has {names}") from None


def get_available_providers() -> List[str]:
    """What networks can run on: the CPU."""
    return ["CPUExecutionProvider"]


def get_device() -> str:
    """What networks run on."""
    return "CPU"
