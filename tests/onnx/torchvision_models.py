"""Exports torchvision's networks by both of PyTorch's exporters and runs the files with the command `cnn`.

usage: torchvision_models.py FOLDER --cnn target/release/cnn [--models NAME,…] [--exporters old,new] [--backend jit]

For each file: the largest difference from ONNX Runtime's answer, as a part of the largest output (at most 1e-4);
whether `cnn import` and a run of its TOML and safetensors give the same bits; lines of TOML a layer; how many matrices of
the state dict (the weights of convolutions and dense layers) have the same names in the safetensors file. Weights are made up, from a seed; batch norms get the
statistics of a random batch, then perturbed, so that folding them is real work. Exported files stay in FOLDER and are
taken again.
"""
import argparse
import pathlib
import subprocess
import sys
import tempfile
import warnings

import numpy as np
import onnxruntime
import torch
from safetensors import safe_open
from torch import nn
from torchvision import models as zoo

MODELS = {name: getattr(zoo, name) for name in """
    alexnet vgg16 resnet18 resnet50 squeezenet1_1 mobilenet_v2 densenet121 shufflenet_v2_x1_0 mnasnet1_0 efficientnet_b0
    regnet_x_400mf regnet_y_400mf mobilenet_v3_small
""".split()}
MODELS["googlenet"] = lambda: zoo.googlenet(aux_logits=False, init_weights=False)
MODELS["inception_v3"] = lambda: zoo.inception_v3(aux_logits=False, init_weights=False)
TOLERANCE = 1e-4


def images(name, batch, seed):
    size = 299 if name == "inception_v3" else 224
    return torch.randn(batch, 3, size, size, generator=torch.Generator().manual_seed(seed))


def build(name):
    torch.manual_seed(0)
    model = MODELS[name]()
    norms = [m for m in model.modules() if isinstance(m, nn.BatchNorm2d)]
    for norm in norms:
        nn.init.uniform_(norm.weight, 0.5, 1.5)
        nn.init.normal_(norm.bias, 0.0, 0.1)
        norm.momentum = 1.0
    if norms:
        with torch.no_grad():
            model.train()(images(name, 2, 0))
            for norm in norms:
                norm.running_var *= torch.empty_like(norm.running_var).uniform_(0.8, 1.25)
                norm.running_mean += 0.1 * norm.running_var.sqrt() * torch.randn_like(norm.running_mean)
                norm.running_var.clamp_(min=1e-4)
    return model.eval()


def export(name, exporter, folder):
    """The exported file, its input and ONNX Runtime's answer, made if they are not there."""
    path = folder / f"{name}.{exporter}.onnx"
    x, y = path.with_suffix(".input.npy"), path.with_suffix(".output.npy")
    if not y.exists():
        image = images(name, 1, 1)
        old = dict(dynamo=False, opset_version=17, dynamic_axes={"image": {0: "batch"}, "scores": {0: "batch"}})
        new = dict(dynamo=True, verbose=False)
        with warnings.catch_warnings(action="ignore"):
            torch.onnx.export(build(name), (image,), str(path), input_names=["image"], output_names=["scores"],
                              **(old if exporter == "old" else new))
        np.save(x, image.numpy())
        session = onnxruntime.InferenceSession(str(path), providers=["CPUExecutionProvider"])
        np.save(y, session.run(None, {"image": image.numpy()})[0])
    return path, x, y


def cnn(program, *arguments):
    done = subprocess.run([program, *map(str, arguments)], stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True)
    if done.returncode != 0:
        raise RuntimeError(done.stderr.strip())


def check(name, exporter, folder, program, backend):
    path, x, y = export(name, exporter, folder)
    expected = np.load(y)
    with tempfile.TemporaryDirectory() as scratch:
        scratch = pathlib.Path(scratch)
        run = ["--backend", backend, "--input", x, "--output"]
        cnn(program, "run", path, *run, scratch / "direct.npy")
        direct = np.load(scratch / "direct.npy")
        cnn(program, "import", path, "-o", scratch)
        toml, weights = scratch / f"{path.stem}.toml", scratch / f"{path.stem}.safetensors"
        cnn(program, "run", toml, "--weights", weights, *run, scratch / "imported.npy")
        same = (scratch / "direct.npy").read_bytes() == (scratch / "imported.npy").read_bytes()
        text = toml.read_text()
        layers = text.count("[[layer]]")
        with safe_open(weights, "np") as file:
            names = set(file.keys())
    state = [key for key, tensor in MODELS[name]().state_dict().items() if tensor.ndim > 1]
    error = np.abs(direct - expected).max() / np.abs(expected).max()
    return {
        "error": f"{error:.1e}", "bits": "same" if same else "DIFFERENT", "layers": layers,
        "lines": f"{text.count(chr(10)) / layers:.1f}", "names": f"{sum(key in names for key in state)}/{len(state)}",
        "ok": error <= TOLERANCE and same and direct.shape == expected.shape,
    }


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("folder", type=pathlib.Path)
    parser.add_argument("--cnn", required=True)
    parser.add_argument("--models", default=",".join(MODELS))
    parser.add_argument("--exporters", default="old,new")
    parser.add_argument("--backend", default="jit")
    arguments = parser.parse_args()
    arguments.folder.mkdir(parents=True, exist_ok=True)
    program = str(pathlib.Path(arguments.cnn).resolve())
    print("| network | exporter | error | TOML | layers | lines a layer | names kept |")
    print("|---|---|---:|---|---:|---:|---:|")
    failed = []
    for name in arguments.models.split(","):
        for exporter in arguments.exporters.split(","):
            try:
                r = check(name, exporter, arguments.folder, program, arguments.backend)
                row = [r["error"], f"{r['bits']} bits", r["layers"], r["lines"], r["names"]]
                if not r["ok"]:
                    failed.append(f"{name} ({exporter}): error {r['error']}, {r['bits']} bits")
            except RuntimeError as problem:
                row = ["FAILED", "", "", "", ""]
                failed.append(f"{name} ({exporter}): {problem}")
            print(f"| {name} | {exporter} | {' | '.join(map(str, row))} |", flush=True)
    for line in failed:
        print(f"\n{line}")
    sys.exit(bool(failed))


if __name__ == "__main__":
    main()
