"""The part of SPS that sees single frames: a VAE with Gaussian codes and Bernoulli frames."""

import numpy as np
from keras import ops, random

from tsdsae_keras.base.arrays import arrays_for_arrays
from tsdsae_keras.base.model import RepresentationModel
from tsdsae_keras.families.sps.domains import DOMAINS
from tsdsae_keras.families.sps.networks import FrameDecoder, FrameEncoder, call_at_once


class FrameVAE(RepresentationModel):
    """The base of `SPS`: frames (..., *frame) to codes (..., d) and back, each frame by itself.

    Args:
        config: as in `RepresentationModel`; it needs domain, channels, latents, decoder_units, sampler, input_scale and
            center, see `SPS`.
    """

    def __init__(self, config, **kwargs):
        super().__init__(config, **kwargs)
        domain = DOMAINS[self.domain]
        self.frame = domain.frame
        self.encoder = FrameEncoder(domain, self.channels, self.latents, name="encoder")
        self.decoder = FrameDecoder(domain, self.channels, self.decoder_units, self.latents, name="decoder")

    def adapt(self, frames):
        """Takes the mean of frames (n, *frame) as the one that `center` subtracts."""
        mean = np.clip(np.asarray(frames, "float32").reshape(-1, *self.frame).mean(axis=0), 1e-3, 1 - 1e-3)
        self.mean_frame.assign(ops.convert_to_tensor(mean))

    def infer(self, x):
        """Mean and log-variance of the codes of frames (..., *frame)."""
        lead = x.shape[: -len(self.frame)]
        flat = ops.reshape(x, (-1, *self.frame))
        flat = (flat - self.mean_frame if self.center else flat) * self.input_scale
        shape = (*(-1 if n is None else n for n in lead), self.latents)
        return tuple(ops.reshape(each, shape) for each in self.encoder(flat))

    def sample(self, mean, log_var, training=False):
        """The codes that are decoded: means outside training, and for the sampler "mean"."""
        if self.sampler == "mean" or not self.is_random(training):
            return mean
        eps = self.draw_rows("eps", ops.shape(mean), random.normal)
        return mean + eps * (ops.exp(0.5 * log_var) if self.sampler == "correct" else 0.5 * ops.exp(log_var))

    def is_random(self, training):
        """Whether what was not given is drawn: in training, and where other draws were given."""
        return training or bool(self._given_draws)

    def logits(self, z):
        """Logits of frames (n, *frame) from codes (n, d)."""
        # Codes that say nothing then decode to the mean frame, not to grey.
        offset = ops.log(self.mean_frame) - ops.log1p(-self.mean_frame) if self.center else 0.0
        return self.decoder(z, offset=offset)

    def decode_all(self, codes):
        """{name: logits (n, time, *frame)} of {name: codes (n, time, d)}, by one call of the decoder."""
        flat = {name: ops.reshape(each, (-1, self.latents)) for name, each in codes.items()}
        logits = call_at_once(self.logits, flat)
        return {name: ops.reshape(logits[name], (*ops.shape(each)[:2], *self.frame)) for name, each in codes.items()}

    @arrays_for_arrays
    def encode(self, x):
        """{"mean", "log_var"} of the codes of frames (..., *frame), (..., d) each."""
        mean, log_var = self.infer(ops.convert_to_tensor(x, "float32"))
        return {"mean": mean, "log_var": log_var}

    @arrays_for_arrays
    def decode(self, z):
        """Frames (..., *frame) in [0, 1] of codes (..., d)."""
        z = ops.convert_to_tensor(z, "float32")
        return ops.sigmoid(ops.reshape(self.logits(ops.reshape(z, (-1, self.latents))), (*z.shape[:-1], *self.frame)))

    @arrays_for_arrays
    def reconstruct(self, x):
        """`decode` of the means."""
        return self.decode(self.infer(ops.convert_to_tensor(x, "float32"))[0])
