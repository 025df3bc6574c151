"""Exports networks of timm and torchvision by both of PyTorch's exporters, at several opsets, and runs the files with the
command `cnn`; writes the table in docs/models.md.

usage: timm_models.py FOLDER --cnn target/release/cnn [--only TEXT] [--exports old13,new20] [--discard] [--table docs/models.md]
       timm_models.py FOLDER --export-only

A file agrees if every output differs from ONNX Runtime's by at most 1e-4 of the largest. Where it does not, PyTorch's
answer in f64 decides: it is to be as near as ONNX Runtime's, or within 1e-4. Weights are made up from a seed; batch norms get the statistics of a random batch, then perturbed.
Exported files stay in FOLDER and are taken again; with --discard those that agree are deleted, and their results stay (all
files together are 30 GB). --only and --exports say what is run; the table holds all results in FOLDER. Pictures are 128 × 128 unless a network wants another size.
"""
import argparse
import collections
import copy
import json
import os
import pathlib
import re
import subprocess
import sys
import tempfile
import warnings

import numpy as np
import onnxruntime
import torch
from torch import nn

TOLERANCE = 1e-4
# One small member of every family of timm that is convolutional for the most part; `NAME@SIZE` for another picture.
TIMM = """
    resnet18 resnet26t resnext26ts seresnext26t_32x4d skresnet18 resnest14d res2net50_14w_8s ecaresnet26t gcresnext26ts
    legacy_seresnet18 resnetv2_18 resnetv2_50x1_bit nf_resnet26 nf_regnet_b0 eca_nfnet_l0 resnetrs50 resnetblur18
    resnetaa50 densenet121 densenetblur121d rdnet_tiny dla46_c dpn48b vgg11@224 vgg11_bn@224 inception_v3@299 inception_v4@299
    inception_resnet_v2@299 legacy_xception@299 xception41 nasnetalarge@331 pnasnet5large@331 mobilenetv1_100
    mobilenetv2_035 mobilenetv3_small_050 mobilenetv4_conv_small_035 mobilenet_edgetpu_v2_xs mnasnet_small efficientnet_b0
    tf_efficientnet_b0 tf_efficientnet_lite0 tf_efficientnetv2_b0 efficientnet_b0_g8_gn efficientnetv2_rw_t gernet_s
    fbnetc_100 fbnetv3_b spnasnet_100 semnasnet_075 mixnet_s tf_mixnet_s tinynet_e lcnet_035 hardcorenas_a rexnet_100
    ghostnet_050 ghostnetv2_100 hrnet_w18_small regnetx_002 regnety_002 regnetz_005 regnetv_040 repvgg_a0 repghostnet_050
    repvit_m0_9 mobileone_s0 fastvit_t8 convnext_atto convnextv2_atto convmixer_1024_20_ks9_p14@112 cspresnet50 cspdarknet53
    darknet17 darknetaa53 cs3darknet_s vovnet39a ese_vovnet19b_slim selecsls42b tresnet_m hgnet_tiny hgnetv2_b0
    inception_next_atto edgenext_xx_small poolformer_s12 poolformerv2_s12 convformer_s18 efficientformer_l1@224
    efficientvit_b0 starnet_s1 mambaout_femto fasternet_t0 focalnet_tiny_srf mobilevit_xxs mobilevitv2_050 coatnet_pico_rw@224
    levit_128s@224 bat_resnext26ts botnet26t_256@256 halonet26t@256 lambda_resnet26t@256
""".split()
TORCHVISION = """
    alexnet@224 vgg11@224 resnet18 squeezenet1_1 mobilenet_v2 mobilenet_v3_small densenet121 shufflenet_v2_x0_5 mnasnet0_5
    efficientnet_b0 efficientnet_v2_s regnet_x_400mf regnet_y_400mf googlenet inception_v3@299 convnext_tiny resnext50_32x4d
""".split()
SEGMENTATION = "fcn_resnet50 deeplabv3_mobilenet_v3_large lraspp_mobilenet_v3_large".split()
DETECTION = "fasterrcnn_mobilenet_v3_large_fpn retinanet_resnet50_fpn ssd300_vgg16@300 ssdlite320_mobilenet_v3_large@320 fcos_resnet50_fpn".split()
EXPORTS = ["old13", "old17", "old20", "new13", "new17", "new20"]


class Body(nn.Module):
    """A detector without what picks boxes: the maps of its backbone and the scores and boxes of its head."""

    def __init__(self, detector):
        super().__init__()
        self.backbone, self.head = detector.backbone, getattr(detector, "head", None)

    def forward(self, image):
        maps = list(self.backbone(image).values())
        answers = self.head(maps) if self.head is not None else {}
        return (*(answers.values() or maps),)


class Answer(nn.Module):
    """A segmenter's answer alone."""

    def __init__(self, segmenter):
        super().__init__()
        self.segmenter = segmenter

    def forward(self, image):
        return self.segmenter(image)["out"]


def networks():
    """(source, name, size) of every network."""
    for source, names in (("timm", TIMM), ("torchvision", TORCHVISION), ("segmentation", SEGMENTATION), ("detection", DETECTION)):
        for name in names:
            name, _, size = name.partition("@")
            yield source, name, int(size or 128)


def build(source, name, size):
    torch.manual_seed(0)
    if source == "timm":
        import timm

        model = timm.create_model(name, pretrained=False, exportable=True)
    else:
        from torchvision import models as zoo

        options = dict(weights=None)
        if name in ("googlenet", "inception_v3"):
            options |= dict(aux_logits=False, init_weights=True)
        if source in ("segmentation", "detection"):
            options |= dict(weights_backbone=None)
        model = getattr({"torchvision": zoo}.get(source) or getattr(zoo, source), name)(**options)
        model = {"segmentation": Answer, "detection": Body}.get(source, lambda model: model)(model)
    norms = [m for m in model.modules() if isinstance(m, nn.BatchNorm2d)]
    for norm in norms:
        if norm.affine:
            nn.init.uniform_(norm.weight, 0.5, 1.5)
            nn.init.normal_(norm.bias, 0.0, 0.1)
        norm.momentum = 1.0
    if norms:
        with torch.no_grad():
            model.train()(image(2, size, 0))
            for norm in norms:
                norm.running_var *= torch.empty_like(norm.running_var).uniform_(0.8, 1.25)
                norm.running_mean += 0.1 * norm.running_var.sqrt() * torch.randn_like(norm.running_mean)
                norm.running_var.clamp_(min=1e-4)
    return model.eval()


def image(batch, size, seed):
    return torch.randn(batch, 3, size, size, generator=torch.Generator().manual_seed(seed))


def paths(folder, source, name, export):
    """The model, its arrays, why there is none, and what came of it."""
    stem = folder / f"{source}-{name}.{export}"
    return [stem.with_name(f"{stem.name}{end}") for end in (".onnx", ".npz", ".failed", ".json")]


def export(folder, source, name, size, exports):
    """Makes what is missing: NAME.onnx, NAME.npz with the input, ONNX Runtime's answers and PyTorch's in f64."""
    missing = [one for one in exports if not any(path.exists() for path in paths(folder, source, name, one)[1:3])]
    if not missing:
        return
    x = image(1, size, 1)
    model = exact = traced = None
    for one in missing:
        path, arrays, failed, _ = paths(folder, source, name, one)
        try:
            if model is None:
                model = build(source, name, size)
                with torch.no_grad():
                    exact = copy.deepcopy(model).double()(x.double())
                exact = [y.numpy() for y in (exact if isinstance(exact, tuple) else (exact,))]
            old = one.startswith("old")
            if not old and traced is None:
                traced = torch.export.export(model, (x,))
            options = dict(dynamic_axes={"image": {0: "batch"}}) if old else dict(verbose=False)
            torch.onnx.export(model if old else traced, (x,), str(path), input_names=["image"], dynamo=not old, opset_version=int(one[3:]), **options)
            session = onnxruntime.InferenceSession(str(path), providers=["CPUExecutionProvider"])
            answers = session.run(None, {"image": x.numpy()})
            named = {f"runtime/{output.name}": y for output, y in zip(session.get_outputs(), answers)}
            named |= {f"exact/{output.name}": y for output, y in zip(session.get_outputs(), exact)}
            np.savez(arrays, image=x.numpy(), **named)
        except Exception as problem:  # noqa: BLE001: exporters fail in many ways, and each is an answer
            failed.write_text(f"{type(problem).__name__}: {problem}")
            path.unlink(missing_ok=True)


def run(program, *arguments):
    done = subprocess.run([program, *map(str, arguments)], stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True, timeout=900)
    if done.returncode != 0:
        raise RuntimeError(done.stderr.strip() or f"exit code {done.returncode}")


def plain(name):
    """A name as a file of `--output DIR`."""
    name = re.sub(r"[^A-Za-z0-9_.-]", "_", name.lstrip("/").replace("/", "."))
    return name if re.match(r"[A-Za-z_]", name) else "_" + name


def outputs(program, folder, *arguments):
    folder.mkdir()
    run(program, "run", *arguments, "--output", f"{folder}/")
    return {path.stem: np.load(path) for path in folder.iterdir()}


def check(program, folder, source, name, one, thorough):
    """("ok" or "wrong" or "refused" or "not exported", what to show)."""
    path, arrays, failed, _ = paths(folder, source, name, one)
    if failed.exists():
        return "not exported", failed.read_text().splitlines()[0][:160]
    known = np.load(arrays)
    with tempfile.TemporaryDirectory() as scratch:
        scratch = pathlib.Path(scratch)
        np.save(scratch / "image.npy", known["image"])
        try:
            found = outputs(program, scratch / "direct", path, "--input", scratch / "image.npy")
            if thorough:
                run(program, "import", path, "-o", scratch / "imported")
                toml = scratch / "imported" / f"{path.stem}.toml"
                again = outputs(program, scratch / "again", toml, "--weights", toml.with_suffix(".safetensors"), "--input", scratch / "image.npy")
                if sorted(y.tobytes() for y in again.values()) != sorted(y.tobytes() for y in found.values()):
                    return "wrong", "other bits from the imported TOML"
        except (RuntimeError, subprocess.TimeoutExpired) as problem:
            return "refused", str(problem)
    worst, agrees = 0.0, True
    for key in known.files:
        if not key.startswith("runtime/"):
            continue
        y = found.get(plain(key.removeprefix("runtime/")))
        if y is None or y.shape != known[key].shape:
            return "wrong", f"{key.removeprefix('runtime/')} {None if y is None else y.shape}, expected {known[key].shape}"
        runtime, exact = known[key], known[key.replace("runtime/", "exact/")]
        error = min(distance(y, runtime), distance(y, exact))
        agrees &= error <= max(TOLERANCE, distance(runtime, exact))
        worst = max(worst, error)
    return ("ok" if agrees else "wrong"), f"{worst:.0e}"


def distance(y, other):
    """The largest difference, as a part of the largest output."""
    return np.abs(y - other).max() / max(np.abs(other).max(), 1e-30)


def reasons(text):
    """The operators that a refusal names, with what it says of each."""
    found = re.findall(r"node `[^`]*` \((\w+), opset \d+\): ([^\n]*)", text)
    return sorted({f"{operator}: {message}" for operator, message in found}) or [text.splitlines()[0][:200]]


def write(table, rows, exports, failures):
    """The table between the markers of docs/models.md."""
    lines = ["| exporter, opset | agree | of | refused | other numbers | not exported |", "|---|---|---|---|---|---|"]
    for column, one in enumerate(exports):
        count = collections.Counter(cells[column][0] for _, _, cells in rows)
        run = count["ok"] + count["wrong"] + count["refused"]
        if run:
            lines.append(f"| {one} | {count['ok']} | {run} | {count['refused']} | {count['wrong']} | {count['not exported']} |")
    lines += ["", f"| from | network | {' | '.join(exports)} |", f"|---|---|{'---|' * len(exports)}"]
    words = {"ok": "{}", "wrong": "**{}**", "refused": "refused", "not exported": "–", "not run": ""}
    for source, name, cells in rows:
        lines.append(f"| {source} | `{name}` | {' | '.join(words[kind].format(text) for kind, text in cells)} |")
    lines += ["", "Refused, by reason:", ""]
    for reason, names in sorted(failures.items(), key=lambda item: -len(item[1])):
        lines.append(f"- {reason} ({len(names)}: {', '.join(sorted(names)[:6])}{', …' if len(names) > 6 else ''})")
    text = table.read_text()
    begin, end = "<!-- made by tests/onnx/timm_models.py -->", "<!-- end -->"
    before, after = text.split(begin)[0], text.split(end)[-1]
    table.write_text(f"{before}{begin}\n{chr(10).join(lines)}\n{end}{after}")


def recorded(folder, exports):
    """The rows of all results in the folder, and the names of those refused for each reason."""
    rows, failures = [], collections.defaultdict(list)
    for source, name, _ in networks():
        cells = []
        for one in exports:
            result = paths(folder, source, name, one)[3]
            kind, text = json.loads(result.read_text()) if result.exists() else ("not run", "")
            cells.append((kind, text))
            if kind == "refused":
                for reason in reasons(text):
                    failures[reason].append(f"{name} {one}")
        if any(kind != "not run" for kind, _ in cells):
            rows.append((source, name, cells))
    return rows, failures


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("folder", type=pathlib.Path)
    parser.add_argument("--cnn")
    parser.add_argument("--only", default="", help="networks whose names hold this")
    parser.add_argument("--exports", default=",".join(EXPORTS), help=f"some of {','.join(EXPORTS)}")
    parser.add_argument("--export-only", action="store_true")
    parser.add_argument("--discard", action="store_true", help="delete files that agree, and take their results as they are")
    parser.add_argument("--thorough", action="store_true", help="import and run the TOML too; the same bits")
    parser.add_argument("--table", type=pathlib.Path)
    arguments = parser.parse_args()
    warnings.simplefilter("ignore")
    onnxruntime.set_default_logger_severity(4)
    torch.set_num_threads(1)
    arguments.folder.mkdir(parents=True, exist_ok=True)
    for source, name, size in networks():
        if not f"{source}-{name}".startswith(arguments.only):
            continue
        exports = arguments.exports.split(",")
        if arguments.discard:
            known = {one: paths(arguments.folder, source, name, one)[3] for one in exports}
            exports = [one for one in exports if not known[one].exists() or json.loads(known[one].read_text())[0] != "ok"]
        # An exporter may take the process with it.
        child = os.fork()
        if child == 0:
            export(arguments.folder, source, name, size, exports)
            os._exit(0)
        os.waitpid(child, 0)
        if arguments.export_only:
            continue
        shown = []
        for one in exports:
            path, arrays, failed, result = paths(arguments.folder, source, name, one)
            if not arrays.exists() and not failed.exists():
                failed.write_text("the exporter ended")
            kind, text = check(arguments.cnn, arguments.folder, source, name, one, arguments.thorough)
            result.write_text(json.dumps([kind, text]))
            if arguments.discard and kind == "ok":
                for file in (path, path.with_name(f"{path.name}.data"), arrays):
                    file.unlink(missing_ok=True)
            shown.append(f"{one} {kind} " + (text.splitlines()[0][:60] if kind != "refused" else "; ".join(reasons(text))[:300]))
        if shown:
            print(f"{source} {name}: {', '.join(shown)}", flush=True)
    if arguments.export_only:
        return
    rows, failures = recorded(arguments.folder, EXPORTS)
    for reason, names in sorted(failures.items(), key=lambda item: -len(item[1])):
        print(f"{len(names):4}  {reason}   {', '.join(sorted(names)[:4])}")
    count = collections.Counter(kind for _, _, cells in rows for kind, _ in cells)
    print(dict(count))
    if arguments.table:
        write(arguments.table, rows, EXPORTS, failures)
    sys.exit(count["wrong"] + count["refused"] > 0)


if __name__ == "__main__":
    main()
