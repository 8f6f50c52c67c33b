"""Pictures of codes: v in two dimensions, and how much each dimension of a code tells."""

import numpy as np

from tsdsae_keras.errors import InputError
from tsdsae_keras.report.figures import new_figure, palette, shorten

MARKERS = "os^DvPX*<>"


def codes_figure(v, labels=None, *, title=None):
    """Codes v as points in a plane, one colour and one marker a label.

    Codes of one or two dimensions are drawn as they are; of more, their two principal components are drawn, and
    the axes say how much of the variance lies along them. It cannot show what lies in the other dimensions:
    groups that overlap here may be apart there, and distances are shorten by an amount that differs from pair
    to pair.

    Args:
        v: (n, d) codes, one a sequence.
        labels: (n,) one label a sequence, integers or strings; None if unknown.
        title: a line above.

    Returns:
        A `matplotlib.figure.Figure` with a canvas that draws without a display.

    Raises:
        InputError: v is not (n, d), holds nan or infinity, or the number of labels differs.
    """
    v = _check_codes(v)
    groups = np.zeros(len(v), int) if labels is None else np.asarray(labels)
    if groups.shape != v.shape[:1]:
        raise InputError(f"labels have shape {groups.shape}; they should be {v.shape[:1]}, to go with v")
    points, names = project_to_plane(v)
    figure = new_figure(6.4, 4.2)
    axes = figure.subplots()
    _draw_groups(axes, points, groups)
    axes.set(xlabel=names[0], ylabel=names[1])
    axes.set_aspect("equal", adjustable="datalim")
    axes.grid(alpha=0.25)
    axes.spines[["top", "right"]].set_visible(False)
    if labels is not None:
        legend = figure.legend(*axes.get_legend_handles_labels(), loc="outside right upper", frameon=False)
        _take_literally(legend.get_texts())
    if title:
        axes.set_title(title, fontsize=10, parse_math=False)
    return figure


def project_to_plane(v):
    """Points (n, 2) for codes (n, d), and what the two axes are.

    For d > 2: principal components, by the singular values of the centred codes, each turned so that its
    heaviest dimension points up. For d = 1 the second coordinate is 0.
    """
    if v.shape[1] <= 2:
        points = np.pad(v, ((0, 0), (0, 2 - v.shape[1])))
        return points, ["dimension 1 of v", "dimension 2 of v" if v.shape[1] == 2 else ""]
    centred = v - v.mean(axis=0)
    _, size, directions = np.linalg.svd(centred, full_matrices=False)
    size, directions = np.pad(size[:2], (0, max(0, 2 - len(size)))), directions[:2]
    heaviest = np.take_along_axis(directions, np.abs(directions).argmax(axis=1)[:, None], axis=1)
    points = centred @ (directions * np.sign(heaviest)).T
    total = max(float(np.square(centred).sum()), np.finfo("float64").tiny)
    shares = [100 * float(value) ** 2 / total for value in size]
    points = np.pad(points, ((0, 0), (0, 2 - points.shape[1])))
    return points, [f"principal component {k} of v ({share:.0f} % of variance)" for k, share in enumerate(shares, 1)]


def kl_figure(divergences, *, unit="nats"):
    """Bars of the Kullback-Leibler divergence from the prior, dimension by dimension, one panel a code.

    A dimension near 0 has collapsed onto its prior and tells the decoder nothing. A high bar says that a
    dimension is used, not for what; and a code may be turned so that one factor is spread over all bars.

    Args:
        divergences: ``{name of the code: (d,)}``, means over sequences (and frames, for z), 0 or more.
        unit: of the values.

    Returns:
        A `matplotlib.figure.Figure` with a canvas that draws without a display. Dimensions count from 1.

    Raises:
        InputError: there is no code, or values are not one row of finite numbers.
    """
    rows = {name: np.asarray(values, dtype="float64") for name, values in divergences.items()}
    if not rows:
        raise InputError("a KL figure needs one code at least")
    for name, values in rows.items():
        if values.ndim != 1 or not values.size or not np.isfinite(values).all():
            raise InputError(f"KL of {name!r} has shape {values.shape}; it should be (dimensions,) and finite")
    figure = new_figure(1.2 + 3.6 * len(rows), 3.0)
    panels = figure.subplots(1, len(rows), squeeze=False)[0]
    for axes, (name, values) in zip(panels, rows.items(), strict=True):
        _draw_bars(axes, name, values, unit)
    panels[0].set_ylabel(f"KL ({unit})")
    return figure


def _check_codes(v):
    v = np.asarray(v, dtype="float64")
    if v.ndim != 2 or not v.size:
        raise InputError(f"v has shape {v.shape}; it should be (sequences, dimensions)")
    if not np.isfinite(v).all():
        raise InputError("v holds nan or infinity; give the codes of a model that encodes")
    return v


def _draw_groups(axes, points, groups):
    names = np.unique(groups)
    for index, (name, colour) in enumerate(zip(names, palette(len(names) + 1)[1:], strict=True)):
        x, y = points[groups == name].T
        # Colours come round after eight and markers after nine, so that 72 labels look different.
        marker = MARKERS[index % len(MARKERS)]
        axes.scatter(
            x, y, s=26, color=colour, marker=marker, edgecolors="white", linewidths=0.5, label=shorten(str(name))
        )


def _take_literally(texts):
    for text in texts:
        text.set_parse_math(False)


def _draw_bars(axes, name, values, unit):
    from matplotlib.ticker import MaxNLocator

    axes.bar(np.arange(1, len(values) + 1), values, color=palette(2)[1])
    axes.set_title(f"{name}: {values.sum():.3g} {unit} over {len(values)} dimensions", fontsize=10, parse_math=False)
    axes.set_xlabel("dimension")
    axes.xaxis.set_major_locator(MaxNLocator(integer=True))
    axes.set_ylim(bottom=0)
    axes.grid(alpha=0.25, axis="y")
    axes.spines[["top", "right"]].set_visible(False)
