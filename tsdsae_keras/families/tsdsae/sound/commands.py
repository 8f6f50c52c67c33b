"""`tsdsae-keras swap`, `reconstruct`, `morph`, `generate` and `embed`: a saved model used on sound files.

Every function takes parsed options, says what it wrote, and returns the exit status: 1 where one of several files was
left out, each with a line of its own, else 0. Files of any rate and length do; long ones go through in windows of 16 s,
so that memory does not grow.
"""

import logging
import sys
from pathlib import Path

import numpy as np

from tsdsae_keras.data.audio.sound_files import check_output
from tsdsae_keras.data.audio.windows import Plan
from tsdsae_keras.errors import InputError
from tsdsae_keras.families.tsdsae.sound.codec import decode_windows, shortest, v_of, z_windows
from tsdsae_keras.families.tsdsae.sound.sound_model import SoundModel
from tsdsae_keras.files import replacing
from tsdsae_keras.progress import Progress

log = logging.getLogger(__name__)

MOST_GENERATED = 3600  # seconds in one call, all sounds together: they are held in memory as frames


def swap(model, melody, timbre, out, **options):
    """The melody of one file with the timbre of others.

    z comes from the melody, frame by frame; v is the mean over the timbre files of their v, each file's over its own
    frames. The result is as long as the melody and takes its level from what the decoder gives.

    Args:
        model: a run folder or a `.keras` file.
        melody: a sound file.
        timbre: sound files, one or more.
        out: the sound file to write, .wav, .flac or .ogg; an older one is replaced.
        options: of `SoundModel`.
    """
    check_output(out, [melody, *timbre])
    sound_model = SoundModel(model, **options)
    recording = sound_model.recording(melody)
    own, (v, left_out) = v_of(sound_model.coder, recording)[0], mean_v(sound_model, timbre)
    windows = decode_windows(sound_model.coder, recording, own, v)
    sound_model.write(out, windows, recording.plan, recording.samples, front_end=recording.front_end)
    return left_out


def reconstruct(model, file, out, **options):
    """A file encoded and decoded: what the model keeps of it. Arguments as in `swap`."""
    check_output(out, [file])
    sound_model = SoundModel(model, **options)
    recording = sound_model.recording(file)
    own, _ = v_of(sound_model.coder, recording)
    windows = decode_windows(sound_model.coder, recording, own, own)
    sound_model.write(out, windows, recording.plan, recording.samples, front_end=recording.front_end)
    return 0


def morph(model, first, second, out="morph", steps=8, **options):
    """The melody of the first file, its timbre moving in equal steps of v to that of the second.

    Writes 1.wav (the first reconstructed) up to `steps`.wav (the first with the timbre of the second), numbers padded
    so that they sort, in a new folder. Arguments else as in `swap`.
    """
    if steps < 2:
        raise InputError(f"--steps is {steps}; it must be at least 2, the two ends")
    folder = _new_folder(out)
    sound_model = SoundModel(model, **options)
    recording, other = sound_model.recording(first), sound_model.recording(second)
    (own, _), (goal, _) = v_of(sound_model.coder, recording), v_of(sound_model.coder, other)
    folder.mkdir(parents=True, exist_ok=True)
    progress = Progress(steps * recording.plan.frames, "frames")
    for path, share in zip(_number_files(folder, steps), np.linspace(0, 1, steps, dtype=np.float32), strict=True):
        windows = decode_windows(sound_model.coder, recording, own, (1 - share) * own + share * goal)
        sound_model.write(path, windows, recording.plan, recording.samples, progress, recording.front_end)
    return 0


def generate(model, out="generated", n=4, seconds=4.0, timbre=(), **options):
    """New sounds: z from the transition, v from N(0, I) or from files.

    After stage 2 of training v is not tied to N(0, I): sounds with the timbre of files are the better ones.

    Args:
        model: a run folder or a `.keras` file.
        out: a new folder, for 1.wav up to n.wav.
        n: how many.
        seconds: length of each.
        timbre: sound files whose mean v all sounds take.
        options: of `SoundModel`.
    """
    if n < 1 or not 0 < n * seconds <= MOST_GENERATED:
        raise InputError(f"{n} sounds of {seconds} s: give at least 1 sound and at most {MOST_GENERATED} s in all")
    folder = _new_folder(out)
    sound_model = SoundModel(model, **options)
    samples = round(seconds * sound_model.front_end.sample_rate)
    if samples < shortest(sound_model.front_end):
        least = shortest(sound_model.front_end) / sound_model.front_end.sample_rate
        raise InputError(f"--seconds is {seconds}; it must be at least {least:.3f}")
    v, left_out = mean_v(sound_model, timbre) if timbre else (None, 0)
    plan = Plan(sound_model.front_end.frames(samples))
    v = None if v is None else np.repeat(v[None], n, axis=0)
    made = sound_model.model.generate(n, plan.frames, v=v, seed=sound_model.seed)
    folder.mkdir(parents=True, exist_ok=True)
    progress = Progress(n * plan.frames, "frames")
    for path, log_mel in zip(_number_files(folder, n), made, strict=True):
        windows = ((window, log_mel[window.start : window.end]) for window in plan.windows())
        sound_model.write(path, windows, plan, samples, progress)
    return left_out


def embed(model, files, out, **options):
    """The codes of sound files in one file of arrays.

    names (n,); v_mean, v_log_var (n, v_dim); z_mean (frames of all files, z_dim), those of file i from offsets[i] to
    offsets[i + 1]; offsets (n + 1,); frame_rate, frames a second. `numpy.load(out)` reads it.

    Args:
        model: a run folder or a `.keras` file.
        files: sound files, one or more.
        out: the .npz file to write; an older one is replaced.
        options: of `SoundModel`.
    """
    out = Path(out)
    if out.suffix != ".npz" or not out.parent.is_dir():
        raise InputError(f"{out} must end in .npz and lie in a folder that exists")
    sound_model = SoundModel(model, **options)
    found, left_out = _each(files, lambda path: codes_of(sound_model, path))
    lengths = [len(codes["z_mean"]) for codes in found.values()]
    arrays = {name: np.stack([codes[name] for codes in found.values()]) for name in ("v_mean", "v_log_var")}
    arrays["z_mean"] = np.concatenate([codes["z_mean"] for codes in found.values()])
    arrays["offsets"] = np.cumsum([0, *lengths])
    rate = sound_model.front_end.sample_rate / sound_model.front_end.hop_length
    with replacing(out) as temporary:
        np.savez(temporary, names=np.array([str(name) for name in found]), frame_rate=rate, **arrays)
    log.info(f"written: {out} ({len(lengths)} files, {sum(lengths)} frames)")
    return left_out


def codes_of(sound_model, path):
    """v_mean and v_log_var (v_dim,) and z_mean (frames, z_dim) of a file."""
    recording = sound_model.recording(path)
    mean, log_var = v_of(sound_model.coder, recording)
    z = np.concatenate([z[window.core] for window, z in z_windows(sound_model.coder, recording, mean)])
    return {"v_mean": mean, "v_log_var": log_var, "z_mean": z}


def mean_v(sound_model, files):
    """(the mean of the files' v (v_dim,), 1 where a file was left out else 0)."""
    found, left_out = _each(files, lambda path: v_of(sound_model.coder, sound_model.recording(path))[0])
    return np.mean(list(found.values()), axis=0), left_out


def _each(files, work):
    """({file: result}, 1 where a file was left out); InputError where none could be used."""
    found, refused = {}, []
    for path in dict.fromkeys(map(str, files)):
        try:
            found[path] = work(path)
        except InputError as error:
            refused.append(str(error))
    if not found:
        raise InputError("; ".join(refused))
    for reason in refused:
        print(f"left out: {reason}", file=sys.stderr)
    return found, int(bool(refused))


def _new_folder(path):
    path = Path(path)
    if path.exists() and (not path.is_dir() or any(path.iterdir())):
        raise InputError(f"{path} is not an empty folder; give another --out, nothing is overwritten")
    return path


def _number_files(folder, n):
    return [folder / f"{number:0{len(str(n))}d}.wav" for number in range(1, n + 1)]
