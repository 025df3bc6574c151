"""Checks the scripts of this folder on this machine: the same rows and bits in plain processes, with Ray and with Spark, also
if a worker is killed in the middle; workers with the threads that were asked for.

usage: check.py [--model lenet5] [--weights W] [--images 10000] [--size 32] [--channels 1] [--rounds 1] [--kill]

Prints the seconds that each took to score, an engine's own start not counted, and the images a second that its workers scored
from their first batch to their last.
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

from compare import scores, span

HERE = pathlib.Path(__file__).resolve().parent
# What the command line of a worker's process holds.
WORKERS = {"ray": "MapWorker", "spark": "pyspark.daemon"}


def at_work(word):
    """Processes with this word in their command lines that have loaded the package: workers with a network, or about to."""
    for process in pathlib.Path("/proc").glob("[0-9]*"):
        try:
            title = (process / "cmdline").read_bytes().decode(errors="replace")
            if word in title and "/cnn/" in (process / "maps").read_text():
                yield int(process.name)
        except OSError:  # it ended meanwhile
            continue


def seconds_worked(pid):
    """Seconds that a process has computed."""
    fields = pathlib.Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def kill_one(word, killed, stop):
    """Waits until a worker has computed more than loading takes, and kills it by its id."""
    while not stop.wait(0.1):
        for pid in at_work(word):
            try:
                if seconds_worked(pid) < 4:
                    continue
                os.kill(pid, signal.SIGKILL)
            except OSError:
                continue
            killed.append((pid, time.time()))
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
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--rounds", type=int, default=1, help="how often each is run, in turns")
    parser.add_argument("--kill", action="store_true", help="also kill a worker of Ray's and one of Spark's in the middle")
    arguments = parser.parse_args()
    folder = pathlib.Path(tempfile.mkdtemp(prefix="cnn-scale-"))
    # Whatever this says, a network has the threads that it is loaded with.
    environment = os.environ | {"OMP_NUM_THREADS": "7"}

    def run(script, *options):
        command = [sys.executable, str(HERE / script), *map(str, options)]
        done = subprocess.run(command, env=environment, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
        if done.returncode != 0:
            sys.exit(f"{script}: {done.stdout}{done.stderr}")
        return done.stdout.strip()

    def score(engine, output, kill=False):
        stop, killed = threading.Event(), []
        killer = threading.Thread(target=kill_one, args=(WORKERS.get(engine), killed, stop))
        if kill:
            killer.start()
        seconds = run(f"{engine}_score.py", folder / "in", output, *common).splitlines()[-1]
        stop.set()
        if kill:
            killer.join()
            began, ended = span(scores(output))
            if not killed or not began < killed[0][1] < ended:
                sys.exit(f"{engine}: no worker was killed in the middle: {killed}, at work from {began} to {ended}")
        print(f"{output.name}: {seconds}", flush=True)
        outputs.append(output)

    try:
        print(run("make_data.py", folder / "in", "--images", arguments.images, "--size", arguments.size,
                  "--channels", arguments.channels))
        common = ["--model", arguments.model, "--batch", arguments.batch, "--rows", arguments.rows]
        common += ["--threads", arguments.threads]
        common += ["--weights", arguments.weights] if arguments.weights else []
        outputs = []
        for number in range(arguments.rounds):
            for engine in ["plain", "ray", "spark"]:
                score(engine, folder / f"{engine}-{number}")
        for engine in WORKERS if arguments.kill else []:
            score(engine, folder / f"{engine}-killed", kill=True)
        print(run("compare.py", *outputs, "--threads", arguments.threads))
    finally:
        shutil.rmtree(folder, ignore_errors=True)


if __name__ == "__main__":
    main()
