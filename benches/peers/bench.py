"""Times this project and other engines side by side on one machine, and prints a Markdown table.

usage: WORK/venv/bin/python bench.py WORK [--cnn BINARY] [--models a,b] [--threads 1,2] [--engines x,y] [--rounds 5]
           [--json FILE]

WORK is the folder that setup.sh made. Every engine × network × number of threads is a process of its own, which loads
once and then waits; this project is a process for every round. In each round all engines have their turn, in a
rotated order, so that a slow phase of the machine meets all. Each warms up for 0.2 s and is timed for 1 s, at least 5
runs. Reported is the median over the rounds of the rounds' medians, and the least time of all. The inputs are the
same for every engine but this project, which makes up input and weights itself when timed; its outputs are checked,
like all others', with the exported weights against PyTorch's in float64. NAME_int8 is one file for all engines, with weights
in 8-bit integers; outputs are checked against what ONNX Runtime answers without optimisations.

OpenVINO computes integers with AMX where a processor has it, which this project does not: ONEDNN_MAX_CPU_ISA=AVX512_CORE_VNNI in
the environment compares like with like.
"""
import argparse
import importlib.metadata
import json
import os
import pathlib
import platform
import re
import select
import shlex
import statistics
import subprocess
import sys
import time

import numpy as np

HERE = pathlib.Path(__file__).resolve().parent
ZOO = HERE.parent.parent / "examples" / "models"
PACKAGES = {"ort": "onnxruntime", "torch_compile": "torch"}
WARM_UP, SECONDS, LEAST = 0.2, 1.0, 5  # those of `cnn bench`
LIMIT = 600  # seconds that anything may take
WRONG = 1e-3  # an output this far off, relative to the greatest, is a failure
WRONG_INT8 = 0.1  # the same of integers: one rounded otherwise is 1/255 of its layer's range
UNSTEADY = 1.3  # a cell whose slowest round took this much longer than its fastest is marked
BUSY = 0.5  # load of a machine that is not idle


class Failure(Exception):
    pass


class Peer:
    def __init__(self, engine, model, threads, work):
        self.output = work / "out" / f"{model}.{engine}.{threads}.npy"
        self.log = open(self.output.with_suffix(".log"), "w+")
        command = [sys.executable, HERE / "worker.py", engine, model, work / "models", str(threads), self.output]
        env = dict(os.environ, OMP_NUM_THREADS=str(threads), PYTHONDONTWRITEBYTECODE="1")
        self.process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=self.log,
                                        text=True, env=env)
        self.about = self.answer()

    def answer(self):
        ready, _, _ = select.select([self.process.stdout], [], [], LIMIT)
        line = self.process.stdout.readline() if ready else ""
        if not line:
            self.process.kill()
            self.log.seek(0)
            raise Failure((self.log.read().strip().splitlines() or ["no answer"])[-1][:200])
        return json.loads(line)

    def time(self):
        self.process.stdin.write(f"{WARM_UP} {SECONDS} {LEAST}\n")
        self.process.stdin.flush()
        times = self.answer()
        return statistics.median(times), min(times)

    def close(self):
        self.process.stdin.close()
        self.about["peak_rss_mb"] = os.wait4(self.process.pid, 0)[2].ru_maxrss / 1024
        self.process.returncode = 0
        self.log.close()


class Cnn:
    """This project's binary."""

    def __init__(self, binary, model, threads, work):
        base, batch = re.fullmatch(r"(.+?)(?:_b(\d+))?", model).groups()
        int8 = model.endswith("_int8")
        self.output = work / "out" / f"{model}.cnn.{threads}.npy"
        path = work / "models" / model
        file = f"{path}.onnx" if int8 else str(ZOO / f"{base}.toml")
        common = ["--threads", str(threads), "--batch", batch or "1"]
        self.about = {}
        weights = lambda given: [] if int8 else ["--weights", given]  # an ONNX file has its own
        self.run([binary, "run", file, *weights(f"{path}.safetensors"), "--input", f"{path}.input.npy",
                  "--output", self.output, *common])
        self.command = [binary, "bench", file, *weights("random:0"), "--json", *common]

    def run(self, command):
        with open(self.output.with_suffix(".log"), "w+") as log:
            process = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=log, text=True)
            answer = process.stdout.read()
            _, status, usage = os.wait4(process.pid, 0)
            process.returncode = os.waitstatus_to_exitcode(status)
            log.seek(0)
            if process.returncode:
                raise Failure((log.read().strip().splitlines() or [f"status {process.returncode}"])[0][:200])
        return answer, usage.ru_maxrss / 1024

    def time(self):
        answer, memory = self.run(self.command)
        answer = json.loads(answer)
        self.about = {key: answer[key] for key in ("compile_ms", "weight_bytes", "peak_arena_bytes", "macs")}
        self.about["peak_rss_mb"] = memory
        return answer["median_ms"], answer["min_ms"]

    def close(self):
        pass


def measure(model, threads, args):
    """The results of all engines on one network, by engine."""
    workers, results, rounds = {}, {}, {}

    def attempt(engine, action):
        try:
            return action()
        except (Failure, OSError, ValueError) as error:
            print(f"{model}, {threads} thread(s), {engine}: {error}", file=sys.stderr, flush=True)
            results[engine] = {"error": str(error)}
            workers.pop(engine, None)

    for engine in args.engines:
        if engine == "cnn":
            worker = attempt(engine, lambda: Cnn(args.cnn, model, threads, args.work))
        else:
            worker = attempt(engine, lambda: Peer(engine, model, threads, args.work))
        if worker:
            workers[engine], rounds[engine] = worker, []
    for turn in range(args.rounds):
        order = list(workers)
        first = turn % max(len(order), 1)
        for engine in order[first:] + order[:first]:
            time.sleep(0.25)  # threads of the engine before may still spin
            if timed := attempt(engine, workers[engine].time):
                rounds[engine].append(timed)
    reference = np.load(args.work / "models" / f"{model}.output.npy")
    for engine, worker in workers.items():
        worker.close()
        output = np.load(worker.output)
        error = float(np.abs(output - reference).max() / np.abs(reference).max()) if output.shape == reference.shape else np.nan
        medians = [median for median, _ in rounds[engine]]
        results[engine] = {"median_ms": statistics.median(medians), "min_ms": min(low for _, low in rounds[engine]),
                           "round_medians_ms": medians, "error_of_output": error} | worker.about
        if not error < (WRONG_INT8 if model.endswith("_int8") else WRONG):
            results[engine]["error"] = f"wrong output ({error:.0e})"
    return results


def spread(result):
    return max(result["round_medians_ms"]) / min(result["round_medians_ms"])


def row(model, threads, results, engines):
    good = {engine: result for engine, result in results.items() if "error" not in result}
    peers = [engine for engine in good if engine != "cnn"]
    fastest = min(peers, key=lambda engine: good[engine]["median_ms"], default=None)
    cells = []
    for engine in engines:
        result = results[engine]
        if "error" in result:
            cells.append("wrong" if "median_ms" in result else "failed")
            continue
        median, least = (f"{v:.{3 if v < 1 else 2 if v < 100 else 0}f}" for v in (result["median_ms"], result["min_ms"]))
        cells.append(f"{f'**{median}**' if engine == fastest else median} ({least}){' ~' if spread(result) > UNSTEADY else ''}")
    if "cnn" in engines:
        ratio = "–"
        if "cnn" in good and fastest:
            least = min(good[engine]["min_ms"] for engine in peers)
            ratio = f"{good[fastest]['median_ms'] / good['cnn']['median_ms']:.2f} × ({least / good['cnn']['min_ms']:.2f} ×)"
        cells.append(ratio)
    return f"| {model} | {threads} | " + " | ".join(cells) + " |"


def machine():
    text = pathlib.Path("/proc/cpuinfo").read_text()
    about = dict(re.findall(r"^(.+?)\s*: (.*)$", text, re.M))
    features = ("avx2", "fma", "avx_vnni", "avx512f", "avx512bw", "avx512vl", "avx512_vnni", "avx512_bf16", "amx_int8")
    flags = [flag for flag in features if flag in about.get("flags", "").split()]
    cpu = f"{about.get('model name', platform.processor())} (family {about.get('cpu family')}, model {about.get('model')})"
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 2**30
    return f"{cpu}, {os.cpu_count()} cores, {' '.join(flags)}, {memory:.0f} GiB, Linux {platform.release()}"


def versions(args):
    for engine in args.engines:
        if engine == "cnn":
            version = subprocess.run([args.cnn, "--version"], capture_output=True, text=True).stdout.strip()
            commit = subprocess.run(["git", "describe", "--always", "--dirty"], cwd=HERE, capture_output=True, text=True).stdout
            yield f"{version} (sources at {commit.strip() or 'no commit'})"
        else:
            yield f"{engine} {importlib.metadata.version(PACKAGES.get(engine, engine))}"


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    words = lambda text: text.split(",")
    parser.add_argument("work", type=pathlib.Path)
    parser.add_argument("--cnn", help="this project's binary; without it only the others are timed")
    parser.add_argument("--models", type=words, help="as models.py calls them; all that were exported if not given")
    parser.add_argument("--threads", type=words, default=["1", "2"])
    parser.add_argument("--engines", type=words, default=["openvino", "ort", "ncnn"], help="also: torch, torch_compile")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--json", type=pathlib.Path, help="where all that was measured goes")
    args = parser.parse_args()
    args.work = args.work.resolve()
    (args.work / "out").mkdir(exist_ok=True)
    if args.cnn:
        args.engines.insert(0, "cnn")
    exported = sorted((args.work / "models").glob("*.output.npy"), key=os.path.getmtime)  # in the order of export
    models = args.models or [path.name.removesuffix(".output.npy") for path in exported]

    start, load = time.time(), os.getloadavg()[0]
    if load > BUSY:
        # With a core taken away, the threads of an engine that spins in its barriers wait whole time slices.
        print(f"the machine is not idle (load {load:.2f}): several threads look slower than they are", file=sys.stderr)
    heads = ["network", "threads", *args.engines, *(["fastest other ÷ cnn"] if args.cnn else [])]
    print(f"| {' | '.join(heads)} |\n|---|{'---:|' * (len(heads) - 1)}", flush=True)
    everything, errors, spreads = [], {}, []
    for model in models:
        for threads in args.threads:
            results = measure(model, int(threads), args)
            print(row(model, threads, results, args.engines), flush=True)
            for engine, result in results.items():
                everything.append({"model": model, "engine": engine, "threads": int(threads)} | result)
                if "median_ms" in result:
                    errors[engine] = max(errors.get(engine, 0.0), result["error_of_output"])
                    spreads.append(spread(result))
            if args.json:
                args.json.write_text(json.dumps(everything, indent=1))
    print(f"\nMilliseconds a run, f32 (_int8: 8-bit integers of one QDQ file): median of {args.rounds} interleaved rounds (least); _b8 is a batch of 8;"
          " bold the fastest other; ~ unsteady.")
    print(f"Machine: {machine()}.  \nEngines: {', '.join(versions(args))}.")
    if spreads:
        print(f"Noise: greatest ÷ least round of a cell, median {statistics.median(spreads):.2f}, worst {max(spreads):.2f} (~ above {UNSTEADY});"
              f" load of the machine before {load:.2f}.  ")
        print("Greatest error of an output against float64, of the greatest output: "
              + ", ".join(f"{engine} {error:.0e}" for engine, error in errors.items()) + ".  ")
    print(f"{time.strftime('%Y-%m-%d', time.gmtime(start))}, {(time.time() - start) / 60:.0f} minutes: "
          f"`python {shlex.join(sys.argv)}`")


if __name__ == "__main__":
    main()
