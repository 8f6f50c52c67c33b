"""The scores of a model of music or of videos."""

from tsdsae_keras.errors import InputError
from tsdsae_keras.families.sps.evaluation.music import music_scores
from tsdsae_keras.families.sps.evaluation.video import video_scores
from tsdsae_keras.metrics.plain import to_plain


def evaluate(model, data, seed=0):
    """A dict of plain numbers; each score has "value", "interval", "n", "worst", "best" and, where it says something,
    the value of an untrained model of the same kind.

    Args:
        model: `SPS`.
        data: `FrameSequences`; without labels the scores that need them are left out.
        seed: of phases and of the untrained model.

    Raises:
        InputError: the data are of another domain than the model, or too short.
    """
    if data.domain != model.domain:
        raise InputError(f"the model takes {model.domain}, and these data are {data.domain}; give others with --data")
    frames = data.x["test"].shape[1]
    if model.prior and frames <= model.base_len:
        raise InputError(f"sequences have {frames} frames; a model that sees {model.base_len} is scored on longer ones")
    result = {"music": music_scores, "video": video_scores}[model.domain](model, data, seed)
    return to_plain(result)[0]
