"""Pictures of a run: what an image becomes under an action, as the nearest image of the predicted code."""

import numpy as np

from tsdsae_keras.families.cpd.codes import PoolCodes
from tsdsae_keras.files import replacing
from tsdsae_keras.report.figures import new_figure, png_bytes

SHOWN, STEPS, SEED = 8, (1, 20), 0


def show_neighbours(data, settings=None):
    """A function of (model, writer, epoch) that shows validation images, moved by 1 and by 20 actions."""

    def show(model, writer, epoch):
        writer.picture("neighbours", neighbours_png(model, data, "validation", f"epoch {epoch + 1}"), epoch)

    return show


def write_neighbours(model, data, path):
    """Test images that were moved, and the nearest images of their predicted codes, as a PNG file."""
    with replacing(path) as temporary:
        temporary.write_bytes(neighbours_png(model, data, "test"))


def neighbours_png(model, data, split, title=None):
    """The picture: PNG bytes. For 1 and 20 steps a row each of x, the true images, and those of the nearest codes."""
    codes = PoolCodes(model, data.pool(split))
    panels = {}
    # One's own triples may have no trajectories through the same images.
    for steps in (steps for steps in STEPS if steps in data.steps and data.pool(split, steps) is codes.pool):
        predicted, _, rows = codes.roll_out(np.random.default_rng((SEED, steps)), SHOWN, steps)
        moved = "moved once" if steps == 1 else f"moved {steps} times"
        near = [_nearest(model, code, codes.codes, rows[i, 0]) for i, code in enumerate(predicted)]
        panels |= {f"x, to be {moved}": rows[:, 0], moved: rows[:, -1], f"{moved}, predicted": near}
    return png_bytes(draw_images({name: codes.pool.images[rows] for name, rows in panels.items()}, title))


def _nearest(model, code, others, own):
    """The row of `others` whose code is nearest to a code, other than its own image."""
    distance = np.array(model.distance(code[None], others))
    distance[own] = np.inf
    return int(distance.argmin())


def draw_images(panels, title=None):
    """A figure with a row of images (n, 64, 64, channels) uint8 for each name of `panels`."""
    figure = new_figure(1.0 * SHOWN + 2.2, 1.02 * len(panels) + (0.4 if title else 0.1))
    axes = figure.subplots(len(panels), SHOWN, squeeze=False)
    for row, (name, images) in zip(axes, panels.items(), strict=True):
        for place, image in zip(row, images, strict=True):
            place.imshow(image[..., 0] if image.shape[-1] == 1 else image, cmap="gray", vmin=0, vmax=255)
            place.set(xticks=[], yticks=[])
        row[0].set_ylabel(name, rotation=0, ha="right", va="center")
    if title:
        figure.suptitle(title, parse_math=False)
    return figure
