"""Figures and sounds of a model: codes against truth, trajectories, roll-outs side by side with what happened."""

import numpy as np

from tsdsae_keras.data.audio.note_spectra import BINS, SAMPLE_RATE, sound_of_notes
from tsdsae_keras.families.sps.evaluation.codes import encode
from tsdsae_keras.metrics.pitch_code import squared_correlation
from tsdsae_keras.report.figures import BRIGHT, new_figure, png_bytes, write_png

SHOWN = 24  # sequences whose codes TensorBoard shows
BINS_SHOWN = 160  # of a spectrum: up to 2.5 kHz


def show_codes(data, settings=None):
    """A function of (model, writer, epoch) that shows codes and a roll-out of validation sequences in TensorBoard."""
    x, truth = data.frames("validation", slice(0, SHOWN)), data.labels.get("validation")

    def show(model, writer, epoch):
        if truth is not None:
            writer.picture("codes", png_bytes(code_figure(encode(model, x), truth[:SHOWN], data.factors)), epoch)
        writer.picture("roll-out", png_bytes(rollout_figure(model, x[:1])), epoch)
        if model.domain == "music":
            writer.sound("reconstructed", sound_of_notes(model.reconstruct(x[:1])[0]), SAMPLE_RATE, epoch)
            if model.prior:
                writer.sound("imagined", sound_of_notes(model.imagine(x[:1])[0]), SAMPLE_RATE, epoch)

    return show


def write_picture(model, data, path):
    """The codes of test sequences against the truth, and a roll-out, as a PNG file."""
    x = data.frames("test", slice(0, SHOWN))
    if data.labels:
        figure = code_figure(encode(model, x), data.labels["test"][:SHOWN], data.factors)
    else:
        figure = rollout_figure(model, x[:1])
    write_png(figure, path)


def figures(model, data, result):
    """{title: {"image", "alt", "caption"}} of a page.

    Args:
        model: `SPS`.
        data: `FrameSequences`.
        result: of `evaluate`.
    """
    x = data.frames("test", slice(0, SHOWN))
    found = {}
    if data.labels:
        what = "Pitch against code" if model.domain == "music" else "Place against codes"
        found[what] = {
            "image": code_figure(encode(model, x), data.labels["test"][:SHOWN], data.factors),
            "alt": f"{', '.join(data.factors)} of test frames against every latent, with the least-squares line",
            "caption": f"{len(x)} test sequences; R² is the squared correlation of all points of a panel",
        }
    if model.domain == "music":
        found["Pitch of what codes sound like"] = {
            "image": synthesis_figure(result["points"]),
            "alt": "the tracked pitch of decoded codes on a grid, with the line through those that are no octave slips",
            "caption": "decoded, turned into sound by Griffin-Lim, tracked by YIN: no label is used",
        }
    elif data.labels:
        found["Trajectories"] = {
            "image": space_figure(result["points"]),
            "alt": "trajectories of the ball in space: true, read off the codes, and read off a roll-out",
            "caption": f"a linear probe reads the codes; the prior sees {model.base_len} frames and imagines the rest",
        }
    found["Roll-outs"] = {
        "image": rollout_figure(model, x[:1]),
        "alt": "a test sequence, its reconstruction and what the prior imagines, frame by frame",
        "caption": "all frames of one test sequence",
    }
    return found


def sounds(model, data):
    """A test scale, its reconstruction, what the prior imagines, and two transpositions, for a page."""
    if model.domain != "music":
        return []
    x = data.frames("test", slice(0, 1))
    z = encode(model, x)[0]
    shifted = {f"codes shifted by {by:+g}": z + by * (np.arange(z.shape[-1]) == 0) for by in (-1.0, 1.0)}
    notes = {"original": x[0], "reconstructed": model.reconstruct(x)[0]}
    notes |= {"imagined": model.imagine(x)[0]} if model.prior else {}
    notes |= {name: model.decode(np.float32(codes)) for name, codes in shifted.items()}
    return [
        {"name": name, "samples": sound_of_notes(each), "sample_rate": SAMPLE_RATE, "group": "a test scale"}
        for name, each in notes.items()
    ]


def code_figure(codes, truth, factors):
    """Each factor against each dynamic latent, a panel a pair, with the least-squares line."""
    latents = min(codes.shape[-1], 3)
    figure = new_figure(3.2 * latents, 2.8 * len(factors))
    panels = figure.subplots(len(factors), latents, squeeze=False)
    for row, factor in enumerate(factors):
        for column in range(latents):
            axes, z, t = panels[row][column], codes[..., column].ravel(), truth[..., row].ravel()
            axes.plot(z, t, ".", markersize=3, color=BRIGHT[0])
            if z.std() > 1e-9 and t.std() > 1e-9:
                axes.set_title(f"R² {squared_correlation(z, t):.3f}", fontsize=9)
                ends = np.array([z.min(), z.max()])
                axes.plot(ends, np.polyval(np.polyfit(z, t, 1), ends), color=BRIGHT[1], linewidth=1)
            axes.set_xlabel(f"latent {column}")
            axes.set_ylabel(factor)
    return figure


def synthesis_figure(points):
    """Tracked pitch of decoded codes on a grid, and the line through it."""
    figure = new_figure(5, 3.6)
    axes = figure.subplots()
    axes.plot(points["grid"], points["grid_pitch"], "o", markersize=4, color=BRIGHT[0])
    ends = np.array([points["grid"][0], points["grid"][-1]])
    axes.plot(ends, points["slope"] * ends + points["offset"], color=BRIGHT[1], linewidth=1)
    axes.set_xlabel("code")
    axes.set_ylabel("pitch of its sound (MIDI)")
    return figure


def space_figure(points):
    """Trajectories in space: true, read off the codes by a probe, and read off a roll-out."""
    names = {"true": "true", "probed": "read off the codes", "imagined": "imagined"}
    figure = new_figure(10, 4.4)
    for place in range(min(2, len(points["true"]))):
        axes = figure.add_subplot(1, 2, place + 1, projection="3d")
        for (name, label), colour in zip(names.items(), BRIGHT, strict=False):
            if name in points:
                x, y, z = np.array(points[name][place]).T  # y is the height
                axes.plot(x, z, y, ".-", color=colour, label=label, linewidth=1)
        axes.set(xlabel="x", ylabel="z (depth)", zlabel="y (height)")
        axes.locator_params(nbins=5)
        axes.tick_params(labelsize=7, pad=-1)
        axes.set_box_aspect(None, zoom=0.85)  # else the names of the axes are cut off
    figure.legend(*axes.get_legend_handles_labels(), loc="outside upper center", ncols=3, frameon=False)
    return figure


def rollout_figure(model, x):
    """One sequence: what happened, its reconstruction and, with a prior, its imagined continuation, row by row."""
    strips = {"true": x[0], "reconstructed": model.reconstruct(x)[0]}
    if model.prior:
        strips[f"imagined after {model.base_len}"] = model.imagine(x)[0]
    figure = new_figure(10, 1.4 * len(strips) + 0.4)
    for axes, (name, frames) in zip(figure.subplots(len(strips), 1, squeeze=False)[:, 0], strips.items(), strict=True):
        axes.imshow(_strip(frames), aspect="auto", origin="lower" if frames.shape[1] == BINS else "upper", cmap="magma")
        axes.set_title(name, fontsize=9, loc="left")
        axes.set_xticks([])
        axes.set_yticks([])
    return figure


def _strip(frames):
    """Frames next to each other: (rows, time * columns), with colours for video."""
    if frames.shape[1] == BINS:
        return np.concatenate(list(frames[:, :BINS_SHOWN]), axis=1)
    return np.clip(np.concatenate(list(frames), axis=1), 0, 1)
