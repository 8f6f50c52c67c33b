"""Pictures of a model and its data: correlations after matching, traversals, reconstructions, steps."""

import numpy as np

from tsdsae_keras.families.slowvae.codes import encode_sample
from tsdsae_keras.metrics.mcc import mcc
from tsdsae_keras.report.figures import new_figure, palette, png_bytes, write_png

FRAMES = 2000
COLUMNS = 9  # values of a traversed dimension
QUANTILES = (0.02, 0.98)  # of the codes of the data, between which a dimension is traversed
PAIRS = 2000


def show_traversals(data, settings):
    """A function of (model, writer, epoch) for TensorBoard: correlations, traversals, reconstructions."""

    def show(model, writer, epoch):
        writer.picture("correlations", png_bytes(correlation_figure(model, data)), epoch)
        if hasattr(model, "decode"):
            writer.picture("traversals", png_bytes(traversal_figure(model, data)), epoch)
            writer.picture("reconstructions", png_bytes(reconstruction_figure(model, data)), epoch)

    return show


def write_correlations(model, data, path):
    """Writes the picture of a finished run: `correlation_figure`."""
    write_png(correlation_figure(model, data), path)


def correlation_figure(model, data, seed=0):
    """|Spearman correlation| of factors (rows) and codes (columns), the codes in the order of their factors."""
    codes, factors = encode_sample(model, data, np.random.default_rng((seed, 7)), FRAMES)
    found = mcc(codes["mean"], factors, seed=seed)
    order = [code for code in found["assignment"] if code >= 0]
    order += [code for code in range(codes["mean"].shape[1]) if code not in order]
    values = np.abs(found["correlations"][:, order])
    figure = new_figure(1.6 + 0.5 * len(order), 1.2 + 0.5 * len(values))
    axes = figure.subplots()
    image = axes.imshow(values, vmin=0, vmax=1, cmap="magma", aspect="auto")
    axes.set_xticks(range(len(order)), [f"z{code}" for code in order])
    axes.set_yticks(range(len(values)), data.factors)
    for (row, column), value in np.ndenumerate(values):
        axes.text(column, row, f"{value:.2f}", ha="center", va="center", fontsize=7, color="w" if value < 0.7 else "k")
    axes.set_title(f"MCC {found['score']:.3f}", fontsize=10)
    figure.colorbar(image, ax=axes, label="|Spearman|")
    return figure


def traversal_figure(model, data, seed=0):
    """What the decoder makes of one frame's code as one dimension after the other (rows) goes through its values."""
    rng = np.random.default_rng((seed, 8))
    codes = encode_sample(model, data, rng, FRAMES)[0]["mean"]
    low, high = np.quantile(codes, QUANTILES, axis=0)
    z_dim = codes.shape[1]
    z = np.tile(codes[0], (z_dim, COLUMNS, 1))
    for code in range(z_dim):
        z[code, :, code] = np.linspace(low[code], high[code], COLUMNS)
    decoded = model.decode(z.reshape(-1, z_dim).astype("float32")).reshape(z_dim, COLUMNS, *data.x_shape)
    return _grid_figure(decoded, [f"z{code}" for code in range(z_dim)])


def reconstruction_figure(model, data, seed=0):
    """Frames in the upper row, below them what the decoder makes of their codes."""
    x, _ = data.sample(np.random.default_rng((seed, 9)), COLUMNS)
    return _grid_figure(np.stack([x, model.reconstruct(x)]), ["x", "decoded"])


def step_figure(data, seed=0):
    """How often each factor takes which step within a pair, on a logarithmic scale."""
    factors = data.pairs(np.random.default_rng((seed, 5)), PAIRS)[1].astype("float64")
    steps = factors[1::2] - factors[::2]
    figure = new_figure(2.2 * steps.shape[1], 2.4)
    panels = figure.subplots(1, steps.shape[1], squeeze=False)[0]
    for axes, name, step, colour in zip(panels, data.factors, steps.T, palette(steps.shape[1]), strict=True):
        axes.hist(step, bins=_bins(step), color=colour, log=True)
        axes.set_title(name, fontsize=9)
        axes.set_xlabel("step")
    panels[0].set_ylabel("pairs")
    return figure


def _bins(step):
    """A bin for every whole number, or 41 bins."""
    most = max(np.abs(step).max(), 1e-6)
    whole = (step == np.round(step)).all()
    return np.arange(-most - 0.5, most + 1) if whole else np.linspace(-most, most, 42)


def _grid_figure(pictures, names):
    """A grid of frames: pictures (rows, columns, *x_shape), a name a row; a vector is drawn as a column of cells."""
    rows, columns = pictures.shape[:2]
    figure = new_figure(0.75 * columns + 0.6, 0.75 * rows + 0.1)
    grid = figure.subplots(rows, columns, squeeze=False)
    spread = max(np.abs(pictures).max(), 1e-6)
    for row, name in enumerate(names):
        for column in range(columns):
            axes = grid[row, column]
            _draw(axes, pictures[row, column], spread)
            axes.set_xticks([])
            axes.set_yticks([])
        grid[row, 0].set_ylabel(name, rotation=0, ha="right", va="center", fontsize=9)
    return figure


def _draw(axes, frame, spread):
    if frame.ndim == 1:
        axes.imshow(frame[:, None], cmap="RdBu", vmin=-spread, vmax=spread, aspect="auto")
    elif frame.shape[-1] == 3:
        axes.imshow(np.clip(frame, 0, 1))
    else:
        axes.imshow(frame[..., 0], cmap="gray", vmin=0, vmax=1)
