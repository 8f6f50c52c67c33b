"""Windows: exact frames of a part, and joints that nobody hears."""

import numpy as np
import pytest

from tsdsae_keras.data.audio.logmel import FrontEnd
from tsdsae_keras.data.audio.windows import Plan, frames_of, join_sounds, peak_of
from tsdsae_keras.errors import InputError

pytestmark = pytest.mark.no_backend

FRONT_END = FrontEnd()
HOP = FRONT_END.hop_length
NOISE = np.random.default_rng(0).normal(0, 0.1, 100_123).astype(np.float32)


@pytest.mark.parametrize("front_end", (FRONT_END, FrontEnd(n_fft=1001, hop_length=300, floor_db=20)))
@pytest.mark.parametrize("samples", (1030, 40_000, 100_123))
def test_frames_of_windows_are_those_of_the_whole(front_end, samples):
    whole, plan = front_end.log_mel(NOISE[:samples]), Plan(front_end.frames(samples), core=60, guard=8)
    blocks = np.split(NOISE[:samples], [700, 30_000])
    front_end = front_end.for_clip(peak_of(blocks, front_end, samples, plan))
    parts = list(frames_of(blocks, front_end, samples, plan))
    for window, frames in parts:
        np.testing.assert_array_equal(frames, whole[window.start : window.end])
    cores = np.concatenate([frames[window.core] for window, frames in parts])
    np.testing.assert_array_equal(cores, whole)


def test_joined_windows_of_one_sound_are_that_sound():
    plan = Plan(FRONT_END.frames(len(NOISE)), core=60, guard=8)
    parts = [NOISE[window.start * HOP : (window.end - 1) * HOP] for window in plan.windows()]
    whole = np.concatenate(list(join_sounds(iter(parts), plan, HOP, len(NOISE))))
    assert len(parts) > 5 and len(whole) == len(NOISE)
    covered = (plan.frames - 1) * HOP
    np.testing.assert_allclose(whole[:covered], NOISE[:covered], atol=1e-6)
    assert not whole[covered:].any()


@pytest.mark.parametrize("kind", ("noise", "tone"))
def test_the_level_stays_where_sounds_of_other_phases_are_joined(kind):
    rng, plan = np.random.default_rng(1), Plan(2000, core=60, guard=8)

    def sound(window):
        n = (window.end - window.start - 1) * HOP
        wave = np.sqrt(2) * np.sin(2 * np.pi * (500 * np.arange(n) / 16000 + rng.random()))
        return wave if kind == "tone" else rng.normal(size=n)

    whole = np.concatenate(list(join_sounds(map(sound, plan.windows()), plan, HOP, 1999 * HOP)))
    power = [np.square(whole[joint * HOP - 256 : joint * HOP + 256]).mean() for joint in plan.joints[1:-1]]
    assert abs(10 * np.log10(np.mean(power))) < 0.3
    assert kind == "noise" or np.abs(10 * np.log10(power)).max() < 0.5


def test_refusals():
    with pytest.raises(InputError):
        Plan(0)
    with pytest.raises(InputError):
        Plan(100, core=20)
    with pytest.raises(InputError, match="changed"):
        list(frames_of([NOISE[:9000]], FRONT_END, 10_000, Plan(FRONT_END.frames(10_000))))
