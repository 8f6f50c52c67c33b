"""How long a run takes until its first epoch has ended, and what of that is importing, and tracing and compiling.

    python benchmarks/first_epoch.py --families tsdsae sps --backends jax --out first.json

Every run is a separate process, ended after the epochs that it is needed for. See README.md.
"""

import argparse
import contextlib
import re
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from benchmarks.clock import TRAIN, lines_of_training
from benchmarks.step import write

# By family: its options, and the epochs (from 0) that are the first of a stage; the one after is taken as usual.
RUNS = {
    "tsdsae": (("--stage-two-at", "2"), (0, 2)),
    "slowvae": (("--model", "slowvae", "--data", "dsprites"), (0,)),
    "sps": (("--model", "sps", "--data", "scales"), (0,)),
    "cpd": (("--model", "cpd", "--data", "sprites"), (0,)),
    "selfie": (("--model", "selfie-style", "--data", "pool"), (0,)),
}
PLAIN = ("--watch-every", "0", "--pictures-every", "0")
EPOCH = re.compile(r"^epoch .* (\d+(?:\.\d+)?) s$")


def seconds_of(command):
    """Wall seconds of a Python command."""
    start = time.perf_counter()
    subprocess.run([sys.executable, *command], check=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    return time.perf_counter() - start


def seconds_of_import(backend):
    """Wall seconds of a process that only loads what a run loads before its data."""
    return seconds_of(["-c", f"from tsdsae_keras.backend import load_all; load_all({backend!r})"])


def clock_of(options, epochs, cache):
    """(seconds since the start, seconds of the epoch) at each of the first epochs of a run, which ends then.

    Raises:
        SystemExit: it ended before.
    """
    clock = []
    with tempfile.TemporaryDirectory() as folder:
        run = lines_of_training([*options, "--out", f"{folder}/run"], {"JAX_COMPILATION_CACHE_DIR": str(cache)})
        with contextlib.closing(run):
            for seconds, line in run:
                if found := EPOCH.match(line.rstrip()):
                    clock.append((seconds, float(found.group(1))))
                if len(clock) == epochs:
                    break
    if len(clock) < epochs:
        raise SystemExit(f"train.py {' '.join(options)} ended after {len(clock)} epochs")
    return clock


def measure(family, backend, cache):
    """A dict of a run: seconds to the end of the first epoch, from there what of it was before the epoch, and for each
    stage how much longer its first epoch took than its second."""
    options, firsts = RUNS[family]
    clock = clock_of([*options, *PLAIN, "--backend", backend], firsts[-1] + 2, cache)
    (end, first), seconds = clock[0], [each for _, each in clock]
    return {"first": end, "before": end - first, "compiling": [seconds[i] - seconds[i + 1] for i in firsts]}


def repeat(family, backend, rounds, cold):
    """Medians over rounds, after a run that prepares the data; in each the cache of compiled programs is empty where
    `cold`, else that of the run before."""
    found = []
    with tempfile.TemporaryDirectory() as cache:
        measure(family, backend, cache)
        for i in range(rounds):
            found.append(measure(family, backend, f"{cache}/{i}" if cold else cache))
    compiling = [statistics.median(each) for each in zip(*(run["compiling"] for run in found), strict=True)]
    medians = {name: statistics.median(run[name] for run in found) for name in ("first", "before")}
    return {"family": family, "backend": backend, "cold": cold, **medians, "compiling": compiling}


def main(arguments=None):
    """Prints a line a backend and family."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--families", nargs="+", choices=RUNS, default=list(RUNS))
    parser.add_argument("--backends", nargs="+", choices=("tensorflow", "jax", "torch"), default=["tensorflow"])
    parser.add_argument("--rounds", type=int, default=3, help="runs of each (default: 3)")
    parser.add_argument("--cold", action="store_true", help="JAX: with no programs kept from earlier runs")
    parser.add_argument("--out", metavar="FILE", help="a JSON file of all that was measured")
    options = parser.parse_args(arguments)
    shown = statistics.median(seconds_of([TRAIN, "--help"]) for _ in range(options.rounds))
    print(f"train.py --help {shown:.2f} s")
    found = []
    for backend in options.backends:
        loading = statistics.median(seconds_of_import(backend) for _ in range(options.rounds))
        print(f"{backend}: imports {loading:.1f} s")
        for family in options.families:
            found.append(repeat(family, backend, options.rounds, options.cold) | {"imports": loading})
            compiling = " and ".join(f"{each:.1f}" for each in found[-1]["compiling"])
            print(
                f"  {family:<8} first epoch ended after {found[-1]['first']:.1f} s, began after "
                f"{found[-1]['before']:.1f}, took {compiling} s longer than the second",
                flush=True,
            )
    if options.out:
        write(options.out, help=shown, results=found)


if __name__ == "__main__":
    main()
