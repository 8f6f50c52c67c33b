"""Preparing a folder of sound: times real time and memory, compared with a plain loop of librosa over the same files.

    python benchmarks/folder.py --hours 1 --workers 1 2 --rounds 5 --out folder.json
    python benchmarks/folder.py --hours 10 --workers 2 --rounds 1 --no-loop --train

The loop is librosa.load and librosa.feature.melspectrogram, file by file, and the logarithm; it normalises nothing,
stores nothing and keeps one file at a time. `prepare` does all that it does, including hashes and the writing. Each
turn is a process of its own, in which the libraries are warm before the clock starts; the contestants take turns.
Memory is the greatest resident size of that process and, where there are worker processes, of the largest times their
number. With --train the folder made is trained on, and the memory of that process is printed too.
"""

import argparse
import json
import os
import resource
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

HERE = Path(__file__).resolve()
sys.path.insert(0, str(HERE.parents[1]))
RATE = 44100
_UNIT = 1024 * (1 if sys.platform == "linux" else 1 / 1024)  # of ru_maxrss


def make_sounds(folder, hours, minutes, suffix, channels=2):
    """Files of made-up phrases (tones of two timbres, and noise) that fill `hours` hours."""
    import numpy as np
    import soundfile

    rng, count = np.random.default_rng(0), max(8, round(hours * 60 / minutes))
    time = np.arange(RATE) / RATE
    for number in range(count):
        path = folder / ("a", "b")[number % 2] / f"{number:05d}{suffix}"
        path.parent.mkdir(parents=True, exist_ok=True)
        with soundfile.SoundFile(path, "w", RATE, channels) as file:
            for _ in range(round(hours * 3600 / count)):
                shape = np.sin if number % 2 else lambda x: np.sign(np.sin(x))
                tone = 0.3 * shape(2 * np.pi * rng.uniform(100, 1000) * time) * np.exp(-2 * time)
                sound = tone[:, None] + 0.003 * rng.standard_normal((RATE, channels))
                file.write(sound.astype(np.float32))
    return count


def loop(folder, out, workers, jobs):
    import librosa
    import numpy as np

    seconds = 0.0
    for path in sorted(path for path in folder.rglob("*.*") if path.is_file()):
        samples, rate = librosa.load(path, sr=16000)
        mel = librosa.feature.melspectrogram(
            y=samples, sr=rate, n_fft=2048, hop_length=256, n_mels=80, fmax=8000, htk=True, norm=None
        )
        np.log(mel.T + 2.2e-16)
        seconds += len(samples) / rate
    return seconds


def prepare(folder, out, workers, jobs):
    """What `tsdsae-keras prepare folder` does, with its setting of the allocator."""
    from tsdsae_keras.process import keep_memory

    keep_memory()
    from tsdsae_keras.data.prepared.jobs import jobs_on
    from tsdsae_keras.data.sets.recordings.folder import list_folder
    from tsdsae_keras.data.sets.recordings.prepare import prepare_recordings
    from tsdsae_keras.data.sets.recordings.segments import SoundSettings

    recordings, left_out = list_folder(folder, labels="folder")
    with jobs_on(jobs, workers):
        data = prepare_recordings(recordings, left_out, SoundSettings(), out)
    return 4 * sum(data.counts.values())


def turn(options):
    """In a process of its own: one contestant, warmed up on a few seconds."""
    run = {"loop": loop, "prepare": prepare}[options.turn]
    warm, out = options.work / "warm", options.work / "out"
    run(warm, options.work / "warm-out", options.workers[0], "threading")
    shutil.rmtree(options.work / "warm-out", ignore_errors=True)
    shutil.rmtree(out, ignore_errors=True)
    before = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss
    start, cpu = time.perf_counter(), sum(os.times()[:4])
    seconds = run(options.work / "sounds", out, options.workers[0], options.jobs)
    took, cpu = time.perf_counter() - start, sum(os.times()[:4]) - cpu
    children = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss - before
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss + options.workers[0] * max(0, children)
    print(json.dumps({"seconds": took, "cpu": cpu, "sound": seconds, "peak_bytes": int(peak * _UNIT)}))


def ask(options, name, workers):
    command = [sys.executable, HERE, "--turn", name, "--workers", str(workers), "--jobs", options.jobs]
    done = subprocess.run([*command, "--work", options.work], capture_output=True, text=True)
    if done.returncode:
        sys.exit(f"{name} failed: {done.stderr.strip()}")
    return json.loads(done.stdout.splitlines()[-1])


def train(options):
    """Trains an epoch of each stage on what was prepared; the process's own peak resident size, bytes."""
    run = options.work / "run"
    shutil.rmtree(run, ignore_errors=True)
    command = [sys.executable, HERE.parents[1] / "train.py", "--data", options.work / "out", "--epochs", 2]
    command += ["--stage-two-at", 1, "--out", run, "--backend", options.backend, *options.train_options]
    start = time.perf_counter()
    process = subprocess.Popen([*map(str, command)], stdout=sys.stderr)
    _, status, usage = os.wait4(process.pid, 0)
    if status:
        sys.exit("training failed")
    return {"seconds": time.perf_counter() - start, "peak_bytes": int(usage.ru_maxrss * _UNIT)}


def measure(options):
    """{contestant: [what each round gave]}; who is first changes from round to round."""
    names = [("loop", 1)] if options.loop else []
    names += [("prepare", workers) for workers in options.workers]
    found = {f"{name} {workers}": [] for name, workers in names}
    for number in range(options.rounds):
        for place in range(len(names)):
            name, workers = names[(place + number) % len(names)]
            found[f"{name} {workers}"].append(ask(options, name, workers))
    return found


def format_rates(found):
    head = {"": 12, "x real time": 12, "lowest": 9, "highest": 9, "to the loop": 13, "CPU s/hour": 12, "peak, MiB": 11}
    lines = ["".join(f"{name:>{width}}" for name, width in head.items())]
    for name, turns in found.items():
        rates = [each["sound"] / each["seconds"] for each in turns]
        loops = [each["sound"] / each["seconds"] for each in found.get("loop 1", ())]
        ratio = statistics.median([a / b for a, b in zip(rates, loops, strict=True)]) if loops else float("nan")
        peak, middle = max(each["peak_bytes"] for each in turns) / 2**20, statistics.median(rates)
        cpu = statistics.median(3600 * each["cpu"] / each["sound"] for each in turns)
        lines.append(f"{name:12}{middle:12.0f}{min(rates):9.0f}{max(rates):9.0f}{ratio:13.2f}{cpu:12.1f}{peak:11.0f}")
    return "\n".join(lines)


def main():
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--hours", type=float, default=1.0, help="of sound to make (default: 1)")
    parser.add_argument("--minutes", type=float, default=3.0, help="of a file (default: 3)")
    parser.add_argument("--suffix", default=".wav", help=".wav, .flac, .ogg or .mp3 (default: .wav)")
    parser.add_argument("--workers", type=int, nargs="+", default=[1, 2])
    parser.add_argument("--jobs", choices=("threading", "loky", "dask", "ray"), default="threading")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--no-loop", dest="loop", action="store_false", help="leave the loop of librosa out")
    parser.add_argument("--train", action="store_true", help="train two epochs on what was prepared")
    parser.add_argument("--backend", default=os.environ.get("KERAS_BACKEND", "tensorflow"), help="for --train")
    parser.add_argument("--train-options", nargs=argparse.REMAINDER, default=[], help="more for train.py, to the end")
    parser.add_argument("--work", type=Path, help="a folder for sounds and results (default: a temporary one)")
    parser.add_argument("--out", type=Path, help="a JSON file for every measurement")
    parser.add_argument("--turn", choices=("loop", "prepare"), help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.turn:
        turn(options)
        return
    with tempfile.TemporaryDirectory() as temporary:
        options.work = options.work or Path(temporary)
        if not (options.work / "sounds").is_dir():
            make_sounds(options.work / "warm", 0.012, 0.1, options.suffix)
            count = make_sounds(options.work / "sounds", options.hours, options.minutes, options.suffix)
            print(f"{options.hours:g} hours in {count} {options.suffix} files, {RATE} Hz, two channels")
        found = measure(options)
        print(format_rates(found))
        if options.train:
            found["train"] = train(options)
            print(f"training: {found['train']['peak_bytes'] / 2**20:.0f} MiB, {found['train']['seconds']:.0f} s")
    if options.out:
        options.out.write_text(json.dumps({"cores": os.cpu_count(), "measured": found}, indent=1) + "\n")


if __name__ == "__main__":
    main()
