"""What is measured of every trained model of a search, on validation sequences and without labels."""

from tsdsae_keras.errors import InputError
from tsdsae_keras.families.sps.evaluation.codes import encode, model_scores
from tsdsae_keras.families.sps.evaluation.music import synthesis

SEQUENCES = 64  # of training, whose mean is the worst reconstruction


class Scorer:
    """Scores of models on the same validation sequences.

    - ``imagined``: nats a frame of what the prior imagines after the first frames, above the frames' entropy. Unlike
      the loss and errors of codes, it does not change with K, the weights or the scale of the codes.
    - ``synthesis``: of music, R2 of codes on a grid and the tracked pitch of what they sound like, octave slips apart.
    - ``commutation``: how far the prior commutes with the symmetry, in standardised codes.
    - ``recon``, ``code_error``, ``z_std``: as in the evaluation.

    Args:
        data: `data.sets.frame_sequences.FrameSequences`.
        settings: `Settings` of the search.
    """

    def __init__(self, data, settings):
        self.data, self.settings = data, settings
        self.train, self.x = data.frames("train", slice(0, SEQUENCES)), data.frames("validation")

    def check(self, objective):
        """InputError where the model has no prior, or the data no pitch."""
        if objective == "synthesis" and self.data.domain != "music":
            raise InputError("--objective synthesis needs music; search video for --objective imagined")
        if objective in ("imagined", "commutation") and self.settings.model == "beta-vae-frames":
            raise InputError("--model beta-vae-frames has no prior; search for --objective val_loss")

    def __call__(self, model):
        """{name: number}."""
        found = {name: score["value"] for name, score in model_scores(model, self.train, self.x).items()}
        if model.domain == "music":
            scores, _ = synthesis(model, encode(model, self.x), self.settings.data_seed, interval=False)
            found["synthesis"] = scores["synthesis_without_slips"]["value"]
        return found
