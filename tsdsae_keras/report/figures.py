"""Pictures of a swap and of a training run, as matplotlib figures that touch no global state."""

import io

import numpy as np

from tsdsae_keras.errors import InputError

RANGE = 12.0  # nats shown below the loudest point; digital silence lies at -36 and would flatten all else
COLOURS = "magma"
STAGE_COLOUR = "0.35"


def swap_figure(panels, seconds_per_frame=0.016, *, title=None):
    """One picture of several log-mel sequences side by side on one colour scale.

    Args:
        panels: ``{title: (time, features)}`` in the order of reading, in rows of three (of two for four
            panels); None instead of a sequence leaves a place empty. For a swap: input i, reconstruction,
            global swap; input j, empty, local swap; so that each row holds one melody.
        seconds_per_frame: the time between frames.
        title: a line above all panels.

    Returns:
        A `matplotlib.figure.Figure` with a canvas that draws without a display.

    Raises:
        InputError: there is no panel, or one is not (time, features).
    """
    images = {name: None if image is None else np.asarray(image) for name, image in panels.items()}
    _check_panels(images)
    columns = 2 if len(images) == 4 else min(3, len(images))
    rows = -(-len(images) // columns)
    figure = _new_figure(3.6 * columns + 0.8, 2.6 * rows + (0.4 if title else 0.1))
    axes = figure.subplots(rows, columns, sharex=True, sharey=True, squeeze=False)
    top = max(float(image.max()) for image in images.values() if image is not None)
    drawn = [
        _draw_panel(place, name, image, seconds_per_frame, top)
        for place, (name, image) in zip(axes.flat, images.items(), strict=False)
        if image is not None
    ]
    _label_outside(axes)
    bar = figure.colorbar(drawn[0], ax=axes, shrink=0.9, pad=0.015, extend="min")
    bar.set_label("log power (nats)")
    if title:
        figure.suptitle(title)
    return figure


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
    figure = _new_figure(8.0, 4.2)
    axes = figure.subplots()
    palette = _palette(len(names))
    for name, colour in zip(names, palette, strict=True):
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


def _new_figure(width, height):
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    figure = Figure(figsize=(width, height), layout="constrained")
    FigureCanvasAgg(figure)
    return figure


def _check_panels(images):
    if all(image is None for image in images.values()):
        raise InputError("a swap figure needs one panel at least")
    for name, image in images.items():
        if image is not None and (image.ndim != 2 or not image.size):
            raise InputError(f"panel {name!r} has shape {image.shape}; it should be (time, features)")


def _draw_panel(axes, name, image, seconds_per_frame, top):
    frames, bands = image.shape
    axes.set_title(name, fontsize=10)
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


def _palette(count):
    from matplotlib import colormaps

    chosen = colormaps["tab10" if count <= 10 else "tab20"].colors
    return ["black", *(chosen[index % len(chosen)] for index in range(count))][:count]
