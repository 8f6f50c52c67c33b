"""Synthesisers that can be opened here: laws of rendering hold for each of them."""

import pytest

from tsdsae_keras.data.audio.fluid_library import NotInstalled, load_module
from tsdsae_keras.data.audio.soundfonts import find_font
from tsdsae_keras.data.audio.synthesis import open_synth


def _kinds():
    try:
        load_module()
        find_font()
    except NotInstalled:
        return ["additive"]
    return ["additive", "fluidsynth"]


@pytest.fixture(scope="session", params=_kinds())
def synth(request):
    with open_synth(request.param) as opened:
        opened.kind = request.param
        yield opened
