"""Pictures of a swap and of a training run, as matplotlib figures that touch no global state."""

import io

import numpy as np

from tsdsae_keras.errors import InputError
from tsdsae_keras.files import replacing

RANGE = 12.0  # nats shown below the loudest point; digital silence lies at -36 and would flatten all else
COLOURS = "magma"
STAGE_COLOUR = "0.35"
TRACK_COLOUR = "#7fffd4"  # no colour of the map comes near it
# Told apart also by those who see few colours: Paul Tol, "Colour Schemes", SRON 2021, the scheme "bright".
BRIGHT = ("#4477aa", "#ee6677", "#228833", "#ccbb44", "#66ccee", "#aa3377", "#bbbbbb")


def swap_figure(panels, seconds_per_frame=0.016, *, title=None, tracks=None, fmin=0.0, fmax=8000.0):
    """One picture of several log-mel sequences side by side on one colour scale.

    Args:
        panels: ``{title: (time, features)}`` in the order of reading, in rows of three (of two for four
            panels); None instead of a sequence leaves a place empty. For a swap: input i, reconstruction,
            global swap; input j, empty, local swap; so that each row holds one melody.
        seconds_per_frame: the time between frames.
        title: a line above all panels.
        tracks: ``{title of a panel: (time,)}`` pitches in Hz, drawn on top; not drawn where nan or not positive.
        fmin, fmax: the range in Hz that the mel bands (HTK) divide; only tracks need it.

    Returns:
        A `matplotlib.figure.Figure` with a canvas that draws without a display.

    Raises:
        InputError: there is no panel, one is not (time, features), or a track does not fit its panel.
    """
    images = {name: None if image is None else np.asarray(image) for name, image in panels.items()}
    tracks = {name: np.asarray(track, dtype="float64") for name, track in (tracks or {}).items()}
    _check_panels(images)
    _check_tracks(tracks, images)
    columns = 2 if len(images) == 4 else min(3, len(images))
    rows = -(-len(images) // columns)
    figure = new_figure(3.6 * columns + 0.8, 2.6 * rows + (0.4 if title else 0.1))
    axes = figure.subplots(rows, columns, sharex=True, sharey=True, squeeze=False)
    top = max(float(image.max()) for image in images.values() if image is not None)
    places = {name: place for place, name in zip(axes.flat, images, strict=False) if images[name] is not None}
    drawn = [_draw_panel(place, name, images[name], seconds_per_frame, top) for name, place in places.items()]
    for name, track in tracks.items():
        height = mel_band(track, images[name].shape[1], fmin, fmax)
        _draw_track(places[name], height, seconds_per_frame)
    _label_outside(axes)
    bar = figure.colorbar(drawn[0], ax=axes, shrink=0.9, pad=0.015, extend="min")
    bar.set_label("log power (nats)")
    if title:
        figure.suptitle(title, parse_math=False)
    return figure


def mel_band(hz, bands, fmin=0.0, fmax=8000.0):
    """Where a frequency lies on an axis of mel bands, band b reaching from b to b + 1 with its centre between.

    With m(f) = 2595 log10(1 + f / 700), the HTK formula, and `bands` triangles whose corners divide m(fmin) to
    m(fmax) evenly: (m(f) - m(fmin)) (bands + 1) / (m(fmax) - m(fmin)) - 1/2.

    Args:
        hz: frequencies, any shape; nan comes back where one is nan or not positive.
        bands: mel bands.
        fmin, fmax: Hz, the outer corners of the lowest and the highest band.
    """
    hz = np.asarray(hz, dtype="float64")
    low, high = _mel(fmin), _mel(fmax)
    voiced = np.where(hz > 0, hz, np.nan)
    return (_mel(voiced) - low) * (bands + 1) / (high - low) - 0.5


def loss_figure(history, stage_two_at=None):
    """Curves of the loss and its terms by epoch, validation dashed, with the stage switch marked.

    Args:
        history: ``{name: [value of each epoch]}``, as Keras keeps it; "val_" marks validation values.
        stage_two_at: the epoch, counted from 0, with which stage 2 begins; None when there is none.

    Returns:
        A `matplotlib.figure.Figure`. The scale is logarithmic, so values that are not positive leave gaps.

    Raises:
        InputError: the history is empty.
    """
    names = list(dict.fromkeys(name.removeprefix("val_") for name in history))
    if not names:
        raise InputError("the history holds no curve; train for one epoch at least")
    figure = new_figure(8.0, 4.2)
    axes = figure.subplots()
    for name, colour in zip(names, palette(len(names)), strict=True):
        _draw_curve(axes, history.get(name), colour, "-", name)
        # Only one of the pair goes into the legend, whichever exists.
        _draw_curve(axes, history.get(f"val_{name}"), colour, "--", None if name in history else f"val_{name}")
    _mark_stage(axes, stage_two_at)
    axes.set(xlabel="epoch", ylabel="value", yscale="log")
    axes.grid(alpha=0.25, which="major")
    axes.spines[["top", "right"]].set_visible(False)
    note = "dashed: validation" if any(name.startswith("val_") for name in history) else None
    figure.legend(*axes.get_legend_handles_labels(), loc="outside right upper", frameon=False, title=note)
    return figure


def png_bytes(figure, dpi=110):
    """The figure as the bytes of a PNG file."""
    file = io.BytesIO()
    figure.savefig(file, format="png", dpi=dpi)
    return file.getvalue()


def write_png(figure, path):
    """Writes the figure as a PNG file, whole or not at all."""
    with replacing(path) as temporary:
        temporary.write_bytes(png_bytes(figure))


def new_figure(width, height):
    """An empty figure, inches, white, with a canvas that needs no display."""
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    figure = Figure(figsize=(width, height), layout="constrained", facecolor="white")
    FigureCanvasAgg(figure)
    return figure


def _check_panels(images):
    if all(image is None for image in images.values()):
        raise InputError("a swap figure needs one panel at least")
    for name, image in images.items():
        if image is not None and (image.ndim != 2 or not image.size):
            raise InputError(f"panel {name!r} has shape {image.shape}; it should be (time, features)")


def _check_tracks(tracks, images):
    for name, track in tracks.items():
        image = images.get(name)
        if image is None:
            raise InputError(f"a track is called {name!r}; the panels are {', '.join(map(repr, images))}")
        if track.shape != image.shape[:1]:
            raise InputError(f"track {name!r} has shape {track.shape}; its panel has {len(image)} frames")


def _mel(hz):
    return 2595 * np.log10(1 + hz / 700)


def _draw_track(axes, height, seconds_per_frame):
    from matplotlib import patheffects

    seconds = (np.arange(len(height)) + 0.5) * seconds_per_frame
    outline = patheffects.withStroke(linewidth=3, foreground="black")
    axes.plot(seconds, height, color=TRACK_COLOUR, linewidth=1.4, path_effects=[outline])


def _draw_panel(axes, name, image, seconds_per_frame, top):
    frames, bands = image.shape
    axes.set_title(shorten(name), fontsize=10, parse_math=False)  # a name with dollar signs is not a formula
    return axes.imshow(
        image.T,
        origin="lower",
        aspect="auto",
        interpolation="nearest",
        cmap=COLOURS,
        extent=(0, frames * seconds_per_frame, 0, bands),
        vmin=top - RANGE,
        vmax=top,
    )


def _label_outside(axes):
    """Label time below the last panel of each column and bands at the left; clear empty places."""
    for panel in axes.flat:
        panel.set_visible(bool(panel.images))
    for column in axes.T:
        last = [panel for panel in column if panel.images][-1:]
        for panel in last:
            panel.set_xlabel("time (s)")
            panel.tick_params(labelbottom=True)
    for panel in axes[:, 0]:
        panel.set_ylabel("mel band")


def _draw_curve(axes, values, colour, style, label):
    if values is None:
        return
    values = np.asarray(values, dtype="float64")
    epochs = np.arange(1, len(values) + 1)
    shown = np.where(values > 0, values, np.nan)
    wide = 2.2 if label in ("loss", "val_loss") else 1.4
    mark = "o" if len(values) == 1 else None
    axes.plot(epochs, shown, style, color=colour, label=label, linewidth=wide, marker=mark, markersize=4)


def _mark_stage(axes, stage_two_at):
    if stage_two_at is None:
        return
    # Epoch numbers on the axis count from 1, and the switch lies between two of them.
    switch = stage_two_at + 0.5
    axes.axvline(switch, color=STAGE_COLOUR, linewidth=1, linestyle=":")
    axes.annotate(
        "stage 2",
        xy=(switch, 1),
        xycoords=("data", "axes fraction"),
        xytext=(4, -4),
        textcoords="offset points",
        va="top",
        color=STAGE_COLOUR,
        fontsize=9,
    )


def shorten(name, most=40):
    """A name of at most `most` characters, its middle left out where it is longer: a panel is only so wide."""
    half = (most - 1) // 2
    return name if len(name) <= most else f"{name[:half]}\N{HORIZONTAL ELLIPSIS}{name[-half:]}"


def palette(count):
    """`count` colours that differ as long as there are at most eight, black the first."""
    return [("black", *BRIGHT)[index % 8] for index in range(count)]
