import struct

import numpy as np
import pytest

from tsdsae_keras.errors import InputError
from tsdsae_keras.families.tsdsae.evaluation.code_figures import codes_figure, kl_figure, project_to_plane
from tsdsae_keras.report.figures import RANGE, loss_figure, mel_band, png_bytes, swap_figure

pytestmark = pytest.mark.no_backend


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


def test_pitch_lies_on_the_band_that_hears_it():
    import librosa

    corners = librosa.mel_frequencies(42, fmin=50, fmax=4000, htk=True)
    np.testing.assert_allclose(mel_band(corners[1:-1], 40, 50, 4000), np.arange(40) + 0.5, atol=1e-6)
    assert np.isnan(mel_band([0.0, -1.0, np.nan], 40)).all()


def test_tracks_are_drawn_on_their_panel_at_the_middle_of_each_frame():
    hz = np.where(np.arange(25) == 3, np.nan, 440.0)
    axes = {axes.get_title(): axes for axes in swap_figure(panels(), 0.016, tracks={"swap": hz}).axes}
    (line,) = axes["swap"].lines
    np.testing.assert_allclose(line.get_xdata(), (np.arange(25) + 0.5) * 0.016)
    np.testing.assert_allclose(line.get_ydata(), mel_band(hz, 8))
    assert not axes["input i"].lines


def test_a_long_name_is_shortened_in_its_middle():
    name = "a" * 50 + ".wav"
    title = swap_figure({name: np.zeros((2, 2))}).axes[0].get_title()
    assert len(title) <= 40 and title.startswith("aaa") and title.endswith("a.wav")


def test_a_name_with_dollar_signs_is_no_formula():
    png_bytes(swap_figure({r"$\nothing$.wav": np.zeros((2, 2))}, title="$_$"), dpi=30)
    png_bytes(codes_figure(np.eye(2), [r"$\nothing$.wav", "b"], title="$_$"), dpi=30)


def test_codes_on_a_plane_keep_their_distances():
    rng = np.random.default_rng(0)
    flat = rng.normal(size=(30, 2)) * [3, 1]
    v = flat @ np.linalg.qr(rng.normal(size=(5, 5)))[0][:2] + 7
    points, names = project_to_plane(v)
    near = np.linalg.norm(flat[:, None] - flat, axis=-1)
    np.testing.assert_allclose(np.linalg.norm(points[:, None] - points, axis=-1), near, atol=1e-9)
    assert sum(int(name.split("(")[1].split()[0]) for name in names) in (99, 100, 101)
    np.testing.assert_array_equal(project_to_plane(flat)[0], flat)
    assert project_to_plane(v[:, :1])[0].shape == (30, 2) and project_to_plane(v[:1])[0].shape == (1, 2)


def test_every_label_has_its_points():
    labels = np.array(["b", "a", "b", "c"])
    axes = codes_figure(np.arange(8.0).reshape(4, 2), labels).axes[0]
    drawn = {points.get_label(): points.get_offsets().tolist() for points in axes.collections}
    assert drawn == {"a": [[2, 3]], "b": [[0, 1], [4, 5]], "c": [[6, 7]]}


def test_bars_are_the_divergences():
    figure = kl_figure({"v": [0.0, 2.0], "z": [0.5]})
    heights = [[bar.get_height() for bar in axes.patches] for axes in figure.axes]
    assert heights == [[0.0, 2.0], [0.5]]
    assert figure.axes[0].get_title().startswith("v: 2 nats")


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


TWO = {"a": np.zeros((2, 2))}
NOTHING = {
    "one panel": lambda: swap_figure({}),
    r"shape \(3,\)": lambda: swap_figure({"a": np.zeros(3)}),
    "called 'c'": lambda: swap_figure(TWO, tracks={"c": [1, 2]}),
    "2 frames": lambda: swap_figure(TWO, tracks={"a": [1, 2, 3]}),
    r"labels have shape \(3,\)": lambda: codes_figure(np.zeros((2, 2)), [1, 2, 3]),
    "v holds nan": lambda: codes_figure([[np.nan, 0]]),
    "one code": lambda: kl_figure({}),
    "KL of 'v'": lambda: kl_figure({"v": [[1.0]]}),
    "no curve": lambda: loss_figure({}),
}


@pytest.mark.parametrize("words", NOTHING)
def test_nothing_to_draw_is_named(words):
    with pytest.raises(InputError, match=words):
        NOTHING[words]()
