import struct

import numpy as np
import pytest

from tsdsae_keras.errors import InputError
from tsdsae_keras.report.figures import RANGE, loss_figure, png_bytes, swap_figure


def panels():
    x = np.random.default_rng(0).normal(size=(25, 8))
    return {"input i": x, "reconstruction": x, "input j": np.full((25, 8), -36.0), "": None, "swap": x + 1}


def test_swap_panels_share_one_scale_that_silence_does_not_flatten():
    figure = swap_figure(panels(), 0.016, title="pair")
    shown = [axes for axes in figure.axes if axes.images]
    assert [axes.get_title() for axes in shown] == ["input i", "reconstruction", "input j", "swap"]
    top = max(image.max() for image in panels().values() if image is not None)
    assert {axes.images[0].get_clim() for axes in shown} == {(top - RANGE, top)}
    assert shown[0].images[0].get_extent() == [0, 25 * 0.016, 0, 8]


def test_png_bytes_are_a_png_of_the_figures_size():
    figure = loss_figure({"loss": [2.0, 1.0]})
    data = png_bytes(figure, dpi=50)
    assert data[:8] == b"\x89PNG\r\n\x1a\n"
    assert struct.unpack(">II", data[16:24]) == tuple(int(50 * side) for side in figure.get_size_inches())


def test_every_term_has_a_curve_and_the_switch_a_mark():
    history = {"loss": [3.0, 2.0], "val_loss": [3.5, 2.5], "kl_v": [0.0, 0.1]}
    axes = loss_figure(history, stage_two_at=1).axes[0]
    curves = {line.get_label(): line for line in axes.lines if len(line.get_xdata()) == 2}
    assert {"loss", "kl_v"} <= set(curves)
    assert curves["loss"].get_xdata().tolist() == [1, 2]
    assert [text.get_text() for text in axes.texts] == ["stage 2"]
    assert any(list(line.get_xdata()) == [1.5, 1.5] for line in axes.lines)
    png_bytes(axes.figure, dpi=30)


def test_nothing_to_draw_is_named():
    with pytest.raises(InputError, match="one panel"):
        swap_figure({})
    with pytest.raises(InputError, match=r"shape \(3,\)"):
        swap_figure({"a": np.zeros(3)})
    with pytest.raises(InputError, match="no curve"):
        loss_figure({})
