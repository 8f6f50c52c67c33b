"""`tsdsae-keras pitch` and `transpose`: the first latent of a note read, and moved, as pitch."""

import logging

import numpy as np

from tsdsae_keras.data.audio.note_spectra import HOP, NOTE, SAMPLE_RATE
from tsdsae_keras.data.audio.sound_files import check_output
from tsdsae_keras.data.sets.own_frames import read_notes
from tsdsae_keras.errors import InputError
from tsdsae_keras.families.sps.commands.inputs import check_folder, open_sps, write_sound
from tsdsae_keras.families.sps.evaluation.codes import encode
from tsdsae_keras.families.sps.evaluation.music import note_pitches
from tsdsae_keras.files import write_text
from tsdsae_keras.metrics.batching import in_batches
from tsdsae_keras.metrics.pitch_code import COLLAPSED, pitch_line
from tsdsae_keras.report.figures import BRIGHT, new_figure, write_png

log = logging.getLogger(__name__)

GRID, LEAST_REACH = 30, 0.5
QUIET = 0.25  # of the loudest note's mean brightness, below which a note counts as a rest
UNFIT = 0.9  # R2 of the line below which its pitches should not be believed


def pitch(model, file, out):
    """Writes the pitch of a monophonic sound file as a table, a row every 32 ms, and as a picture.

    Columns: seconds (the middle of the 0.16 s that are heard), code, MIDI pitch, Hz, whether a note sounds. The code
    is turned into pitch by the line that the model's own decoder gives: no label is used.

    Args:
        model: a run folder or a `.keras` file.
        file: a sound file.
        out: the .csv file to write; the picture has the same name with .png.
    """
    out = check_folder(out)
    if out.suffix.lower() != ".csv":
        raise InputError(f"{out} is not a name for a track; it must end in .csv")
    model = open_sps(model, "music")
    notes = read_notes(file, hop_frames=1)
    codes = encode(model, notes)
    loud = notes.mean(axis=(1, 2))
    sounding = loud > QUIET * loud.max()
    slope, offset = calibrate(model, codes[sounding])
    midi = slope * codes[:, 0] + offset
    seconds = (HOP * np.arange(len(notes)) + NOTE / 2 - HOP / 2) / SAMPLE_RATE
    hz = 440 * 2 ** ((np.clip(midi, 0, 127) - 69) / 12)
    rows = zip(seconds, codes[:, 0], midi, hz, sounding, strict=True)
    lines = [f"{t:.3f},{z:.4f},{m:.3f},{f:.2f},{int(s)}" for t, z, m, f, s in rows]
    write_text(out, "\n".join(["seconds,code,midi,hz,sounding", *lines, ""]))
    picture = out.with_suffix(".png")
    write_png(_figure(seconds, np.where(sounding, midi, np.nan)), picture)
    log.info(f"{len(lines)} rows: {out}\npicture: {picture}")
    return 0


def calibrate(model, codes):
    """(slope, offset) of MIDI pitch over the first latent, from what codes around those given sound like.

    Raises:
        InputError: the model's codes have no pitch: it has collapsed, or was not trained.
    """
    middle, reach = codes[:, 0].mean(), max(2 * codes[:, 0].std(), LEAST_REACH)
    z = np.tile(codes.mean(axis=0), (GRID, 1))
    z[:, 0] = np.linspace(middle - reach, middle + reach, GRID)
    pitches = note_pitches(in_batches(model.decode, np.float32(z)))
    found = pitch_line(z[:, 0], pitches)
    if abs(found["slope"]) < COLLAPSED:
        raise InputError("what this model decodes has the same pitch for every code; train it further")
    if found["r2_without_slips"] < UNFIT:
        share = found["r2_without_slips"]
        log.warning(f"warning: code and pitch of this model hardly lie on a line (R2 {share:.2f}); do not trust them")
    residual = pitches - found["slope"] * z[:, 0]
    return found["slope"], float(np.median(residual))


def transpose(model, file, by, out):
    """Writes a monophonic sound file moved by semitones: the code of every note shifted, then decoded.

    Args:
        model: a run folder or a `.keras` file.
        file: a sound file.
        by: semitones, up or down, fractions allowed.
        out: the sound file to write.
    """
    if not np.isfinite(by) or abs(by) > 48:
        raise InputError(f"--by is {by:g}; it must be a number of semitones within 48")
    check_output(out, [file])
    model = open_sps(model, "music")
    notes = read_notes(file)
    codes = encode(model, notes)
    slope, _ = calibrate(model, codes)
    codes[:, 0] += by / slope
    write_sound(in_batches(model.decode, codes), out)
    return 0


def _figure(seconds, midi):
    figure = new_figure(8, 3)
    axes = figure.subplots()
    axes.plot(seconds, midi, ".-", markersize=3, linewidth=1, color=BRIGHT[0])
    axes.set_xlabel("time (s)")
    axes.set_ylabel("pitch (MIDI)")
    axes.grid(alpha=0.3)
    return figure
