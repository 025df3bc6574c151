"""Checks the scripts of this folder on this machine: the same rows and bits in plain processes, with Ray and with Spark, also
if a worker is killed in the middle; workers with the threads that were asked for.

usage: check.py [--model lenet5] [--weights W] [--images 10000] [--size 32] [--channels 1] [--kill]

Prints the seconds that each took to score; engines' start is not counted.
"""

import argparse
import os
import pathlib
import shutil
import signal
import subprocess
import sys
import tempfile
import threading
import time

HERE = pathlib.Path(__file__).resolve().parent


def workers(word):
    """Processes of Ray's actors that score, by their title, with their threads' names."""
    found = {}
    for process in pathlib.Path("/proc").glob("[0-9]*"):
        try:
            title = (process / "cmdline").read_bytes().decode(errors="replace")
            if title.startswith("ray::") and word in title:
                found[int(process.name)] = [(task / "comm").read_text().strip() for task in (process / "task").iterdir()]
        except OSError:
            continue
    return found


def kill_one(killed, word, stop):
    """Waits until a worker is busy and kills it, by its id."""
    while not stop.wait(0.2):
        for pid in workers(word):
            time.sleep(2)
            try:
                os.kill(pid, signal.SIGKILL)
            except OSError:
                continue
            killed.append(pid)
            return


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--model", default="lenet5")
    parser.add_argument("--weights")
    parser.add_argument("--images", type=int, default=10_000)
    parser.add_argument("--size", type=int, default=32)
    parser.add_argument("--channels", type=int, default=1)
    parser.add_argument("--batch", type=int, default=32)
    parser.add_argument("--rows", type=int, default=128)
    parser.add_argument("--kill", action="store_true", help="kill a worker of Ray's in the middle")
    arguments = parser.parse_args()
    folder = pathlib.Path(tempfile.mkdtemp(prefix="cnn-scale-"))
    # Whatever this says, a network has the threads that it is loaded with.
    environment = os.environ | {"OMP_NUM_THREADS": "7"}

    def run(script, *options):
        command = [sys.executable, str(HERE / script), *map(str, options)]
        done = subprocess.run(command, env=environment, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
        if done.returncode != 0:
            sys.exit(f"{script}: {done.stdout}{done.stderr}")
        return done.stdout.strip().splitlines()[-1]

    try:
        print(run("make_data.py", folder / "in", "--images", arguments.images, "--size", arguments.size,
                  "--channels", arguments.channels))
        common = ["--model", arguments.model, "--batch", arguments.batch, "--rows", arguments.rows]
        common += ["--weights", arguments.weights] if arguments.weights else []
        outputs = []
        for name in ["plain", "ray", "spark"] + (["ray, one worker killed"] if arguments.kill else []):
            output = folder / f"out_{len(outputs)}"
            stop, killed = threading.Event(), []
            killer = threading.Thread(target=kill_one, args=(killed, "MapWorker", stop))
            if "killed" in name:
                killer.start()
            seconds = run(f"{name.split(',')[0]}_score.py", folder / "in", output, *common)
            stop.set()
            if "killed" in name:
                killer.join()
                if not killed:
                    sys.exit("no worker was there to be killed")
            print(f"{name}: {seconds}", flush=True)
            outputs.append(output)
        print(run("compare.py", *outputs))
    finally:
        shutil.rmtree(folder, ignore_errors=True)


if __name__ == "__main__":
    main()
