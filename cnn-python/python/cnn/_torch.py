"""PyTorch modules as networks. PyTorch is imported only when one is."""

from __future__ import annotations

import importlib.util
import io
import tempfile
import warnings
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ._cnn import Network, load

if TYPE_CHECKING:
    import torch


def from_torch(module: "torch.nn.Module", example_inputs: Any, **options: Any) -> Network:
    """Exports a PyTorch module as ONNX, as it is at inference, and loads it.

    `example_inputs` is a tensor or a tuple of tensors that the module can be called with; the network takes other
    batches too. Inputs are called as the parameters of `forward`. `options` are those of `cnn.load`.
    """
    import torch

    inputs = example_inputs if isinstance(example_inputs, (tuple, list)) else (example_inputs,)
    training = module.training
    module.eval()
    try:
        with warnings.catch_warnings(), torch.no_grad():
            warnings.simplefilter("ignore")
            exported = _exported(torch, module, tuple(inputs))
    finally:
        module.train(training)
    return load(exported, **options)


def _exported(torch: Any, module: Any, inputs: tuple) -> bytes:
    """The ONNX file's bytes."""
    import inspect

    names = [name for name in inspect.signature(module.forward).parameters][: len(inputs)]
    options: dict[str, Any] = {"input_names": names} if len(names) == len(inputs) else {}
    if importlib.util.find_spec("onnxscript") is None:
        # The exporter of before needs nothing else.
        buffer = io.BytesIO()
        torch.onnx.export(module, inputs, buffer, dynamo=False, **options)
        return buffer.getvalue()
    with tempfile.TemporaryDirectory(prefix="cnn-") as folder:
        path = Path(folder) / "model.onnx"
        torch.onnx.export(module, inputs, str(path), dynamo=True, external_data=False, verbose=False, **options)
        return path.read_bytes()
