"""Figures of the page: the space of poses, trajectories, hit-rates by steps, and what codes keep of images."""

import numpy as np

from tsdsae_keras.families.cpd.pictures import draw_images
from tsdsae_keras.families.cpd.pose_space import pose_points, principal_components
from tsdsae_keras.report.figures import new_figure, palette

POINTS = 1500
VIEWS = (20, 65, 110, 155)  # degrees about the vertical; from the other side a cloud of points looks the same
TRAJECTORIES, TRAJECTORY_STEPS = 4, 8
DECODED = 8


def pose_figure(model, codes):
    """Poses of test images, coloured by class: a plane, or space seen from several sides as on a turntable.

    Args:
        model: of this family.
        codes: `codes.PoolCodes`.
    """
    points, names = pose_points(model, codes.codes)
    points, colours = points[:POINTS], _colours(codes.pool)[:POINTS]
    if len(names) == 2:
        figure = new_figure(5.0, 4.4)
        axes = figure.subplots()
        axes.scatter(*points.T, c=colours, s=5, alpha=0.7, linewidths=0)
        axes.set(xlabel=names[0], ylabel=names[1])
        axes.set_aspect("equal", adjustable="datalim")
        return figure
    figure = new_figure(3.1 * len(VIEWS), 3.3)
    for place, view in enumerate(VIEWS, 1):
        axes = figure.add_subplot(1, len(VIEWS), place, projection="3d")
        axes.scatter(*points.T, c=colours, s=3, alpha=0.6, linewidths=0)
        axes.view_init(elev=20, azim=view)
        axes.set_title(f"from {view} degrees", fontsize=9, y=0.95)
        axes.set_xlabel(names[0], fontsize=8, labelpad=-6)
        axes.set_ylabel(names[1], fontsize=8, labelpad=-6)
        axes.set_zlabel(names[2], fontsize=8, labelpad=-6)
        axes.tick_params(labelsize=6, pad=-2)
        axes.locator_params(nbins=4)
        axes.set_box_aspect((1, 1, 1), zoom=0.9)  # else the names of the axes are cut off
    return figure


def class_figure(model, codes):
    """Class codes of test images on their first two principal components, coloured by class."""
    extra = codes.codes[:, model.group_dim :]
    points = principal_components(extra, extra, 2)[:POINTS]
    points = np.concatenate([points, np.zeros((len(points), 2 - points.shape[1]))], axis=1)
    figure = new_figure(5.0, 4.4)
    axes = figure.subplots()
    axes.scatter(*points.T, c=_colours(codes.pool)[:POINTS], s=8, alpha=0.5, linewidths=0)
    axes.set(xlabel="first component", ylabel="second component")
    return figure


def trajectory_figure(model, codes, seed=0):
    """Poses along trajectories: those of the true images, and those that the actions lead the first one to.

    Only the first two numbers of a point of `pose_points` are shown. One's own triples are trajectories of one step.
    """
    pool, steps = codes.pool, TRAJECTORY_STEPS
    rows = pool.rows(np.random.default_rng((seed, steps)), TRAJECTORIES, steps)
    actions, code = pool.actions(rows), codes.codes[rows[:, 0]]
    predicted = [code]
    for step in range(actions.shape[1]):
        predicted.append(code := model.act(code, actions[:, step]))
    figure = new_figure(3.1 * TRAJECTORIES, 3.3)
    for i, axes in enumerate(figure.subplots(1, TRAJECTORIES)):
        true, names = pose_points(model, codes.codes[rows[i]], codes.codes)
        path, _ = pose_points(model, np.stack([each[i] for each in predicted]), codes.codes)
        axes.plot(*true[:, :2].T, "o", color="#4477aa", markersize=8, alpha=0.5, label="true")
        axes.plot(*path[:, :2].T, "x-", color="#ee6677", linewidth=0.8, label="predicted")
        axes.annotate("start", path[0, :2], xytext=(4, 4), textcoords="offset points", fontsize=8)
        axes.set(xlabel=names[0], ylabel=names[1] if i == 0 else "")
        axes.tick_params(labelsize=7)
    figure.legend(*axes.get_legend_handles_labels(), loc="outside upper right", ncols=2, frameon=False)
    return figure


def curve_figure(curve, candidates):
    """Hit-rates by number of steps with their 95 % intervals, and chance.

    Args:
        curve: {steps: score}.
        candidates: among which a hit is to be nearest.
    """
    steps = sorted(map(int, curve))
    scores = [curve[str(each)] for each in steps]
    low, high = np.array([each["interval"] for each in scores]).T
    figure = new_figure(6.4, 3.6)
    axes = figure.subplots()
    axes.fill_between(steps, low, high, color="#4477aa", alpha=0.25, linewidth=0)
    axes.plot(steps, [each["value"] for each in scores], "o-", color="#4477aa", label="hit-rate")
    axes.axhline(1 / candidates, color="0.4", linestyle=":", label=f"chance, 1/{candidates}")
    axes.set(xlabel="actions one after the other", ylabel="hit-rate", ylim=(0, 1.03))
    axes.legend(frameon=False)
    return figure


def reconstruction_figure(images, decoded):
    """Test images, and what the decoder of frozen codes makes of their codes."""
    shown = np.round(255 * np.clip(decoded[:DECODED], 0, 1)).astype("uint8")
    return draw_images({"image": images[:DECODED], "from its code": shown})


def _colours(pool):
    if pool.classes is None:
        return np.array(["#4477aa"] * len(pool.images))
    return np.array(palette(8)[1:])[pool.classes % 7]
