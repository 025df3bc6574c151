"""Builds the networks of the comparison in PyTorch and exports them for every engine.

usage: models.py FOLDER [MODEL,MODEL...]

A network is called as its file in examples/models is; NAME_b8 is it with a batch of 8. Each is written as NAME.onnx,
NAME.safetensors (the state dict, which this project reads), NAME.ncnn.{param,bin}, NAME.input.npy and NAME.output.npy,
PyTorch's answer in float64. Weights are made up, from a seed. Batch norms get the statistics of a random batch and are
then perturbed: folding them is real work, and activations keep a normal range.

NAME_int8 is it in 8-bit integers, quantised by ONNX Runtime: QuantizeLinear and DequantizeLinear nodes with fixed scales, for
each filter one, calibrated on random images. All engines read that file. NAME_int8.output.npy is what ONNX Runtime answers
without any optimisation, which computes with floats between the two kinds of nodes.
"""
import os
import pathlib
import shutil
import subprocess
import sys
import tempfile

import numpy as np
import safetensors.torch
import torch
from torch import nn
from torchvision import models as zoo


class LeNet5(nn.Module):
    def __init__(self):
        super().__init__()
        self.c1, self.c3, self.c5 = nn.Conv2d(1, 6, 5), nn.Conv2d(6, 16, 5), nn.Conv2d(16, 120, 5)
        self.f6, self.output = nn.Linear(120, 84), nn.Linear(84, 10)

    def forward(self, x):
        x = nn.functional.avg_pool2d(torch.tanh(self.c1(x)), 2)
        x = nn.functional.avg_pool2d(torch.tanh(self.c3(x)), 2)
        x = torch.tanh(self.c5(x)).flatten(1)
        return torch.softmax(self.output(torch.tanh(self.f6(x))), 1)


CONSTRUCTORS = {
    "lenet5": LeNet5,
    "alexnet_torchvision": zoo.alexnet,
    "vgg16": zoo.vgg16,
    "resnet18": zoo.resnet18,
    "resnet50": zoo.resnet50,
    "googlenet_torchvision": lambda: zoo.googlenet(aux_logits=False, init_weights=False),
    "squeezenet1_1": zoo.squeezenet1_1,
    "mobilenet_v2": zoo.mobilenet_v2,
}
INT8 = ["resnet18", "resnet50", "googlenet_torchvision", "squeezenet1_1", "mobilenet_v2"]
MODELS = [*CONSTRUCTORS, "resnet18_b8", "mobilenet_v2_b8", *(f"{name}_int8" for name in INT8)]


def split(name):
    """The network's name and the batch."""
    base, _, batch = name.rpartition("_b")
    return (base, int(batch)) if base and batch.isdigit() else (name, 1)


def images(name, batch, **options):
    return torch.randn(batch, *((1, 32, 32) if name == "lenet5" else (3, 224, 224)), **options)


def build(name):
    torch.manual_seed(0)
    model = CONSTRUCTORS[name]()
    norms = [m for m in model.modules() if isinstance(m, nn.BatchNorm2d)]
    if norms:
        for norm in norms:
            nn.init.uniform_(norm.weight, 0.5, 1.5)
            nn.init.normal_(norm.bias, 0.0, 0.1)
            norm.momentum = 1.0
        with torch.no_grad():
            model.train()(images(name, 4))
            for norm in norms:
                norm.running_var *= torch.empty_like(norm.running_var).uniform_(0.8, 1.25)
                norm.running_mean += 0.1 * norm.running_var.sqrt() * torch.randn_like(norm.running_mean)
                norm.running_var.clamp_(min=1e-4)
    return model.eval()


def load(name, folder):
    """An exported network again."""
    model = CONSTRUCTORS[split(name)[0]]()
    weights = safetensors.torch.load_file(pathlib.Path(folder) / f"{name}.safetensors")
    model.load_state_dict(weights, strict=False)  # without the batch norms' counts of training steps
    return model.eval()


def export(name, folder):
    path = str(folder / name)
    base, batch = split(name)
    model, x = build(base), images(base, batch, generator=torch.Generator().manual_seed(1))
    weights = {key: value.contiguous() for key, value in model.state_dict().items() if value.is_floating_point()}
    safetensors.torch.save_file(weights, path + ".safetensors")
    torch.onnx.export(model, (x,), path + ".onnx", opset_version=17, dynamo=False,
                      input_names=["input"], output_names=["output"])
    if batch == 1:  # ncnn has no batch axis
        import pnnx
        with tempfile.TemporaryDirectory() as scratch:
            torch.jit.trace(model, x).save(scratch + "/net.pt")
            command = [pnnx.EXEC_PATH, "net.pt", f"inputshape={list(x.shape)}".replace(" ", ""), "fp16=0"]
            subprocess.run(command, cwd=scratch, check=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
            for suffix in (".ncnn.param", ".ncnn.bin"):
                shutil.move(scratch + "/net" + suffix, path + suffix)
    np.save(path + ".input.npy", x.numpy())
    with torch.inference_mode():
        np.save(path + ".output.npy", model.double()(x.double()).float().numpy())


def quantise(name, folder):
    """NAME_int8 of an exported network."""
    import onnxruntime
    from onnxruntime import quantization
    base, path = str(folder / name.removesuffix("_int8")), str(folder / name)
    generator = torch.Generator().manual_seed(2)
    feeds = iter([{"input": images(name.removesuffix("_int8"), 1, generator=generator).numpy()} for _ in range(8)])
    with tempfile.TemporaryDirectory() as scratch:
        quantization.shape_inference.quant_pre_process(base + ".onnx", scratch + "/prepared.onnx")
        quantization.quantize_static(
            scratch + "/prepared.onnx", path + ".onnx", type("Feeds", (quantization.CalibrationDataReader,), {
                "get_next": lambda self: next(feeds, None)})(),
            quant_format=quantization.QuantFormat.QDQ, per_channel=True,
            activation_type=quantization.QuantType.QUInt8, weight_type=quantization.QuantType.QInt8)
    x = np.load(base + ".input.npy")
    np.save(path + ".input.npy", x)
    options = onnxruntime.SessionOptions()
    options.graph_optimization_level = onnxruntime.GraphOptimizationLevel.ORT_DISABLE_ALL
    session = onnxruntime.InferenceSession(path + ".onnx", options, providers=["CPUExecutionProvider"])
    np.save(path + ".output.npy", session.run(None, {"input": x})[0])


def main():
    folder = pathlib.Path(sys.argv[1])
    folder.mkdir(parents=True, exist_ok=True)
    for name in sys.argv[2].split(",") if len(sys.argv) > 2 else MODELS:
        print(name, flush=True)
        if name.endswith("_int8"):
            if not os.path.exists(folder / f"{name.removesuffix('_int8')}.onnx"):
                export(name.removesuffix("_int8"), folder)
            quantise(name, folder)
        else:
            export(name, folder)


if __name__ == "__main__":
    main()
