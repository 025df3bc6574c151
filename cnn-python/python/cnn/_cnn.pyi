from os import PathLike
from typing import Any, Mapping, Optional, Sequence, Union, overload

import numpy as np
from numpy.typing import ArrayLike, NDArray

__version__: str

class ArrayInfo:
    """An array that a network takes or gives."""

    @property
    def name(self) -> str:
        """Its name."""
    @property
    def shape(self) -> tuple[int, ...]:
        """Its shape, for the batch that the network was compiled for first."""
    @property
    def dtype(self) -> np.dtype[Any]:
        """The type of its elements."""
    @property
    def any_batch(self) -> bool:
        """Whether axis 0 is the batch and may have any size."""
    @property
    def free(self) -> dict[int, str]:
        """Names of the sizes that the model's file leaves free, by axis: an array may have other sizes there than `shape`."""

class StepTime:
    """A step of the compiled code and how long it took."""

    @property
    def layer(self) -> str:
        """The layer it computes, or a part of it."""
    @property
    def op(self) -> str:
        """The layer's operator."""
    @property
    def kernel(self) -> str:
        """The kernel that computes it."""
    @property
    def ms(self) -> float:
        """Milliseconds for the whole batch: the median of the runs."""
    @property
    def multiplications(self) -> int:
        """Multiplications for one image; 0 where they are another step's."""
    @property
    def bytes(self) -> int:
        """Bytes of its weights, operands and result, for the whole batch."""

class Network:
    """A network, compiled. Any number of threads may call it at once; the GIL is released meanwhile."""

    @overload
    def __call__(self, inputs: Mapping[str, ArrayLike], /, *, out: Optional[Any] = None) -> dict[str, NDArray[np.float32]]: ...
    @overload
    def __call__(self, *inputs: ArrayLike, out: Optional[Any] = None) -> Any:
        """Runs the network on an array for each input, or a dict of arrays by name.

        Gives an array; a dict of arrays by name if there are several outputs or the inputs came as a dict. `out` is an
        array, or a dict of arrays, that results are written into.
        """
    @property
    def name(self) -> str:
        """The network's name."""
    @property
    def inputs(self) -> list[ArrayInfo]:
        """The arrays it takes, in the order of the model's file."""
    @property
    def outputs(self) -> list[ArrayInfo]:
        """The arrays it gives, in the order of the model's file."""
    @property
    def threads(self) -> int:
        """Threads that share a run."""
    @property
    def weight_bytes(self) -> int:
        """Bytes of weights as the network compiled last holds them."""
    @property
    def arena_bytes(self) -> int:
        """Bytes that a run of the network compiled last needs for values between layers."""
    @property
    def target(self) -> str:
        """What it is compiled for, in words."""
    @property
    def parameters(self) -> int:
        """How many numbers training learns."""
    def summary(self, width: int = 120) -> str:
        """The network layer by layer as a table: shapes with their arithmetic, parameters, multiplications, memory."""
    def dump(self, stage: str = "shaped", format: str = "text") -> str:
        """The network at a stage on its way to machine code.

        `stage`: `parsed`, `shaped`, `fused`, `planned`, `clif`, `asm` or `rust`; `format`: `text`, `dot` or `json`.
        """
    def explain(self, path: Union[str, PathLike[str]], *inputs: Any) -> None:
        """Writes a page that shows the network at work on an image: the arrays of a call, or a drawn picture.

        One file that opens in any browser.
        """
    def profile(self, *inputs: Any, runs: int = 10) -> list[StepTime]:
        """Measures each step of the compiled code over several runs: on these inputs, or on made-up numbers."""

def load(
    model: Union[str, PathLike[str], bytes],
    *,
    weights: Union[None, str, PathLike[str], Mapping[str, ArrayLike]] = None,
    threads: Optional[int] = None,
    batch: Optional[int] = None,
    exact: bool = False,
    shapes: Optional[Mapping[str, Sequence[int]]] = None,
    backend: str = "jit",
    portable: bool = False,
    optimise: bool = True,
    max_memory: Optional[int] = None,
) -> Network:
    """Reads a model and compiles it.

    `model` is the path of a `.toml` or `.onnx` file, the name of a built-in model, or the bytes of an ONNX file.

    `weights`: a `.safetensors` file, a dict of arrays by name, or `"random"` (`"random:SEED"`); the model's own by
    default. `threads`: threads that share a run; all cores by default. `batch`: the only batch it shall take; by default
    it takes any, and is compiled anew for each, the last four of which are kept. `exact`: no algorithm that rounds more
    than multiplying and adding does. `shapes`: those of inputs whose heights and widths the file leaves free, by name,
    with the batch; without it images of any size are taken, and the last few sizes are kept. `backend`: `"jit"`, or `"interp"`, slow and the reference for everything. `portable`: only instructions that
    every machine of this kind has. `optimise`: whether layers are fused. `max_memory`: bytes that the network
    may take.
    """
