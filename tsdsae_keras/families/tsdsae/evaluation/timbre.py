"""Features of timbre in a log-mel frame: the outline of its spectrum, without its level or pitch."""

import numpy as np

DEPTH = 12.0  # nats below a frame's peak: what lies deeper is room and rounding, and no model draws it
SILENCE = 7.0  # nats below a sequence's loudest frame: about 30 dB
OUTLINE = 16  # cosine coefficients: with 80 mel bands they resolve ten bands, not single partials


def find_sounding(x, mask=None):
    """Which frames sound: valid, and peaking within 30 dB of the loudest valid frame. At least one does.

    Args:
        x: (batch, time, features) log-mel in nats.
        mask: (batch, time), true where valid; None when all are.

    Returns:
        (batch, time) booleans.
    """
    peak = x.max(axis=-1)
    if mask is not None:
        peak = np.where(mask, peak, -np.inf)
    loudest = peak.max(axis=-1, keepdims=True)
    return np.isfinite(peak) & (peak >= loudest - SILENCE)


def relative_frames(frames):
    """Frames (..., features) relative to their peaks, cut off 12 nats below: blind to level and to silence."""
    return np.maximum(frames - frames.max(axis=-1, keepdims=True), -DEPTH)


def spectral_outlines(frames):
    """Cosine coefficients 1 to 16 of frames (..., features), cut off 12 nats below each frame's peak.

    A louder copy of a frame has the same outline. Coefficient 0, how full the gaps between partials are, is
    left out: blur fills them. The low order smooths partials over, so a blurred frame stays near a sharp one.
    """
    bands = frames.shape[-1]
    places = (np.arange(bands) + 0.5) / bands
    order = np.arange(1, min(OUTLINE, bands - 1) + 1)
    waves = np.cos(np.pi * np.outer(places, order))
    return relative_frames(frames) @ waves * np.sqrt(2 / bands)


def registers(frames):
    """The lowest band within 3 nats of the peak of frames (..., features), in steps of two bands."""
    strong = frames >= frames.max(axis=-1, keepdims=True) - 3.0
    return strong.argmax(axis=-1) // 2


def balancing_weights(register, member):
    """Weights of frames under which all classes weigh alike in every register, so that none is told by it.

    A register with frames of one class only teaches nothing but itself and weighs 0. A class that shares no
    register with another keeps its frames: there its register cannot be separated from its timbre.

    Args:
        register: (frames,) whole numbers.
        member: (frames,) class indices.

    Returns:
        (frames,) weights with mean 1, the same sum for every class.
    """
    count = np.zeros((register.max() + 1, member.max() + 1))
    np.add.at(count, (register, member), 1)
    present = count > 0
    shared = present & (present.sum(axis=1, keepdims=True) > 1)
    shared |= present & ~shared.any(axis=0)
    wanted = count.sum(axis=1, keepdims=True) / present.sum(axis=1, keepdims=True).clip(1)
    # A handful of odd frames must not speak for a whole register: no frame counts for more than ten.
    by_cell = np.where(shared, np.minimum(wanted / count.clip(1), 10.0), 0.0)
    by_cell /= (by_cell * count).sum(axis=0).clip(1e-12)
    weight = by_cell[register, member]
    return weight / weight.mean()
