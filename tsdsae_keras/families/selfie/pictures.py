"""Pictures of embeddings: a map of sounds, and how two views of a clip find each other."""

import numpy as np
from keras import ops

from tsdsae_keras.families.selfie.batches import batches
from tsdsae_keras.families.selfie.evaluation import windows
from tsdsae_keras.metrics.batching import in_batches
from tsdsae_keras.report.figures import BRIGHT, new_figure, png_bytes, write_png

SHOWN = 400  # windows of validation clips
MARKERS = "o^sDvPX*"


def show_map(data, settings):
    """A function of (model, writer, epoch) for TensorBoard: a map of validation clips, and the match of their views."""
    x, names = labelled_windows(data, settings.data_seed)
    views = batches(data, settings, "validation").make(0, 0)

    def show(model, writer, epoch):
        writer.picture("embeddings", png_bytes(map_figure(in_batches(model.embed, x, 64), names)), epoch)
        writer.picture("views", png_bytes(match_figure(model, views)), epoch)

    return show


def write_map(model, data, path):
    """Writes the map of validation clips by source, as a PNG file."""
    x, names = labelled_windows(data)
    write_png(map_figure(in_batches(model.embed, x, 64), names), path)


def labelled_windows(data, seed=0):
    """Windows (n, 96, F) of validation clips, and the source of each."""
    x, chosen = windows(data, "validation", min(SHOWN, data.counts["validation"]), seed)
    if "source" not in data.manifest["arrays"]:
        return x, np.full(len(x), "clips")
    return x, np.array(data.label_names["source"])[data.label("validation", "source")[chosen]]


def map_figure(embeddings, labels, marked=()):
    """Embeddings (n, k), standardised, on their first two principal components, coloured by label.

    Args:
        marked: numbers of the rows that are shown with their place in it, from 1.
    """
    points, share = principal_plane(embeddings)
    figure = new_figure(7.2, 4.8)
    axes = figure.subplots()
    for number, name in enumerate(sorted(set(labels))):
        inside = np.asarray(labels) == name
        style = {"color": BRIGHT[number % len(BRIGHT)], "marker": MARKERS[number // len(BRIGHT) % len(MARKERS)]}
        axes.scatter(*points[inside].T, s=14, alpha=0.7, linewidths=0, label=name, **style)
    for place, row in enumerate(marked, 1):
        axes.annotate(
            str(place), points[row], ha="center", va="center", fontsize=8, bbox={"boxstyle": "circle", "fc": "w"}
        )
    axes.set(xlabel=f"first component, {share[0]:.0%} of the variance", ylabel=f"second component, {share[1]:.0%}")
    figure.legend(*axes.get_legend_handles_labels(), loc="outside right upper", frameon=False, fontsize=8)
    return figure


def principal_plane(embeddings):
    """Standardised embeddings on two principal components (n, 2), and the share of the variance of each."""
    from sklearn.decomposition import PCA

    x = np.asarray(embeddings, "float64")
    pca = PCA(2, random_state=0).fit(x := (x - x.mean(axis=0)) / (x.std(axis=0) + 1e-9))
    return pca.transform(x), np.nan_to_num(pca.explained_variance_ratio_)


def match_figure(model, views):
    """Cosines of the projections of first views (rows) and second views (columns) of the same clips."""
    outputs = model(views, training=False)
    z = [ops.convert_to_numpy(model.on_sphere(outputs[name])) for name in ("first", "second")]
    figure = new_figure(4.6, 4.0)
    axes = figure.subplots()
    image = axes.imshow(z[0] @ z[1].T, vmin=-1, vmax=1, cmap="RdBu_r")
    axes.set(xlabel="second view", ylabel="first view", title="the diagonal is the same clip")
    figure.colorbar(image, ax=axes, label="cosine")
    return figure
