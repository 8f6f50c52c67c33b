"""The report page as text: what it says and what it must not do."""

import base64
import io
import os

import numpy as np
import pytest
import soundfile

from tests.report.page_content import HOSTILE, QUOTED, RATE, Page
from tsdsae_keras.errors import InputError
from tsdsae_keras.report.figures import swap_figure
from tsdsae_keras.report.page import render_page, write_page
from tsdsae_keras.report.sounds import sound_uri
from tsdsae_keras.report.table import NOTHING, format_row, number_text, place_on_bar

pytestmark = pytest.mark.no_backend


def test_names_from_files_are_only_names(html):
    page = Page(html)
    assert HOSTILE in page.text and QUOTED in page.text
    assert all(image["src"].startswith("data:image/png;base64,") for image in page.all("img"))
    assert not [name for _, attributes in page.tags for name in attributes if name.startswith("on")]
    assert f"{HOSTILE}: source ({HOSTILE})" in [audio["aria-label"] for audio in page.all("audio")]


def test_all_is_there_and_what_is_missing_leaves_no_trace(html):
    page = Page(html)
    assert len(page.all("audio")) == 11 and len(page.all("img")) == 4
    assert {link["href"] for link in page.all("a")} == {f"#{name['id']}" for name in page.all("section")} | {"#content"}
    assert "front_end.n_mels" in page.text and "no embedding is installed" in page.text
    bare = Page(render_page({"title": "Bare", "sounds": [], "scores": None}))
    assert not bare.all("section") and "Bare" in bare.text


def test_only_its_own_style_and_script_may_run(html):
    policy = Page(html).all("meta")[1]["content"]
    assert policy.startswith("default-src 'none'") and "unsafe" not in policy and "http" not in policy
    assert not [attributes for _, attributes in Page(html).tags if "style" in attributes]


def test_a_name_that_is_not_unicode_is_written(tmp_path):
    write_page({"title": os.fsdecode(b"caf\xe9.wav")}, tmp_path / "report.html")
    assert "caf\\udce9.wav" in (tmp_path / "report.html").read_text(encoding="utf-8")


def test_a_bar_leads_from_floor_to_ceiling_also_where_lower_is_better():
    assert place_on_bar(0.5, None, 0.0, 1.0) == {"value": 50, "worst": 4, "best": 96, "low": 50, "high": 50}
    lower = place_on_bar(25.0, (0.0, 50.0), 100.0, 0.0)
    assert lower == {"value": 73, "worst": 4, "best": 96, "low": 50, "high": 96}
    beyond = place_on_bar(2.0, None, 0.0, 1.0)
    assert beyond["value"] == 96 and beyond["best"] == 50
    assert place_on_bar(0.5, None, None, 1.0) is place_on_bar(0.5, None, 1.0, 1.0) is None
    assert place_on_bar(float("nan"), None, 0, 1) is None


def test_numbers_keep_three_digits_or_say_that_there_is_none():
    shown = {0.98765: "0.988", 0.0: "0.000", 0.00042: "0.00042", 12.4: "12.4", 123456.7: "1.23e+05", 300: "300"}
    assert {number_text(value) for value in (None, float("nan"), "x")} == {NOTHING}
    assert {value: number_text(value) for value in shown} == shown


def sound_of(samples):
    return {"name": "s", "samples": samples, "sample_rate": 1}


def decode(uri):
    return soundfile.read(io.BytesIO(base64.b64decode(uri.partition(",")[2])))


@pytest.mark.parametrize("rate", [8000, 16000, 44100])
def test_a_long_sound_comes_back_with_its_length_rate_and_level(rate):
    samples = 0.5 * np.sin(2 * np.pi * 440 * np.arange(20 * rate) / rate)
    found, found_rate = decode(sound_uri(samples, rate))
    assert found_rate == rate and found.shape == samples.shape
    assert np.mean((found - samples) ** 2) < 0.01 * np.mean(samples**2)


def test_a_sound_too_loud_is_scaled_and_not_clipped():
    found, _ = decode(sound_uri(3 * np.sin(2 * np.pi * 440 * np.arange(RATE) / RATE), RATE))
    assert abs(np.sqrt(np.mean(found**2)) - np.sqrt(0.5)) < 0.02


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ({"titel": "x"}, "no 'titel'"),
        ({}, "needs a title"),
        ({"title": "x", "sounds": [sound_of(np.zeros((2, 9)))]}, r"sound 's'.*\(2, 9\)"),
        ({"title": "x", "sounds": [sound_of([np.nan])]}, "nan or infinite"),
        ({"title": "x", "pictures": {"p": {"image": b"GIF89a", "alt": "a"}}}, "picture 'p' begins with b'GIF89a'"),
        ({"title": "x", "pictures": {"p": {"image": swap_figure({"a": np.zeros((2, 2))})}}}, "no 'alt'"),
    ],
)
def test_what_cannot_be_shown_is_named(given, message):
    with pytest.raises(InputError, match=message):
        render_page(given)


def test_rows_that_cannot_be_shown_are_named():
    with pytest.raises(InputError, match="'up'"):
        format_row({"name": "f1", "value": 1.0, "direction": "up"})
    with pytest.raises(InputError, match=r"\(1, 0\)"):
        format_row({"name": "f1", "value": 1.0, "interval": (1, 0)})
    with pytest.raises(InputError, match="valeu"):
        format_row({"name": "f1", "valeu": 1.0})
