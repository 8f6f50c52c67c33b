"""SPS: codes whose prior commutes with a symmetry (Liu, Chin, Huang, Xia, NeurIPS 2023, arXiv 2302.10890).

Shapes: x (batch, time, *frame), z (batch, time, d); the first p latents are dynamic, the rest is the style. Copies of a
batch are tiled: row k * batch + b is copy k of sequence b.
"""

import numpy as np
from keras import ops, random
from keras.saving import register_keras_serializable

from tsdsae_keras.base.arrays import arrays_for_arrays
from tsdsae_keras.errors import InputError
from tsdsae_keras.families.sps import terms as of
from tsdsae_keras.families.sps.checks import validate_config
from tsdsae_keras.families.sps.frame_vae import FrameVAE
from tsdsae_keras.families.sps.initial import draw_initial
from tsdsae_keras.families.sps.networks import Prior, call_at_once
from tsdsae_keras.families.sps.symmetries import SYMMETRIES

FIXED_SEED = 1  # of the group elements outside training: always the same
STYLE_FROM = 10  # notes from which the style of a piece of music is taken


@register_keras_serializable(package="tsdsae_keras")
class SPS(FrameVAE):
    """Physical symmetry: a prior R that predicts the next code and commutes with random group elements S.

        loss = recon + kld + prior_recon + prior_z + (symm_z + symm_recon + symm_prior for each kind of S)

    recon = BCE(D(z), x), prior_recon = BCE(D(R(z)), x_2:T), prior_z = w_r SE(R(z), z_2:T), and with z' = S^-1 R(S z):
    symm_z = w_s / K SE(z', z_2:T), symm_recon = BCE(D(z'), x_2:T) / K, symm_prior = w_s / K SE(z', R(z)). Terms come
    weighted, so the loss is their plain sum. Outside training the codes are means, the prior sees true codes for
    `base_len` frames only, and the group elements are always the same.

    A batch is {"x": frames in [0, 1]}. Draws: "eps" (batch, time, d); "P_plain" and "P_<kind>", positions that are fed
    back; group elements "translation" (K * batch, axes) and "angle" (K * batch,); "timbre_step", a frame.

    Args:
        domain: "music", frames (513, 5), or "video", frames (32, 32, 3). What is None below is the domain's.
        latents: d.
        dynamic: p, latents that the prior and the group act on; the others are style (timbre, colour).
        copies: K, group elements a sequence a step; 0 leaves the symmetry out.
        group: name of the symmetry, see `symmetries`.
        prior: whether there is a prior at all; without, only recon and kld are left.
        sampler: "correct", mean + eps e^(log_var / 2); "faithful", mean + eps e^log_var / 2, of the published figures;
            or "mean", an autoencoder without kld.
        symm_prior: whether symm_prior counts.
        against_prior: whether symm_z is taken against R(z), which leaves symm_recon out.
        repeat_style: whether recon too sees the style of one frame repeated; without a prior it never does.
        base_len: frames whose true codes the prior always sees.
        kld_weight, prior_weight, symmetry_weight: of kld, w_r and w_s.
        sampling_speed: steps of the published schedule of fed-back positions that pass in one step of training.
        channels: of the encoder's convolutions.
        decoder_units: widths of the decoder's dense layers.
        prior_units, prior_layers, prior_cell: of the recurrent prior; "rnn" or "gru".
        initial_weights: "he" or "pytorch", see `initial`.
        log_var_bias: initial bias of the log-variance, for "he".
        input_scale: factor of the encoder's input.
        center: whether the mean frame, see `adapt`, is taken off the input and put back by the decoder.
        reduction: "mean" over the sequences of the terms' sums, or "sum", as published.
        seed: of the draws and initial weights.

    Raises:
        InputError: if an argument is invalid.
    """

    # Nats of frames: they do not shrink with the scale of the codes, as the terms on codes do.
    selection_terms = ("recon", "prior_recon")

    def __init__(
        self,
        domain="music",
        *,
        latents=None,
        dynamic=None,
        copies=None,
        group=None,
        prior=True,
        sampler="correct",
        symm_prior=None,
        against_prior=False,
        repeat_style=True,
        base_len=None,
        kld_weight=0.01,
        prior_weight=2.0,
        symmetry_weight=None,
        sampling_speed=1.0,
        channels=None,
        decoder_units=None,
        prior_units=256,
        prior_layers=1,
        prior_cell="rnn",
        initial_weights="he",
        log_var_bias=-3.0,
        input_scale=1.0,
        center=False,
        reduction="mean",
        seed=None,
        **kwargs,
    ):
        config = {name: value for name, value in locals().items() if name not in ("self", "kwargs", "__class__")}
        super().__init__(validate_config(config), **kwargs)
        if self.prior:
            self.transition = Prior(self.dynamic, self.prior_units, self.prior_layers, self.prior_cell, name="prior")
        self.build()
        draw_initial(self, self.initial_weights, self.seed)

    def build(self, input_shape=None):
        for part in (self.encoder, self.decoder, *([self.transition] if self.prior else [])):
            part.build()
        # Steps of training so far: the schedule resumes where a saved model left it.
        self.steps = self.add_weight(shape=(), initializer="zeros", trainable=False, name="steps")
        if self.center:
            self.mean_frame = self.add_weight(shape=self.frame, initializer="zeros", trainable=False, name="mean_frame")
        self.built = True

    @property
    def kinds(self):
        """The kinds of group elements; none without copies."""
        return SYMMETRIES[self.group] if self.copies else ()

    @property
    def all_terms(self):
        kinds = SYMMETRIES[self.group]
        names = ["symm_z", "symm_recon", *(["symm_prior"] if self.symm_prior else [])]
        symmetric = [self.term_name(name, kind) for kind in kinds for name in names]
        return ("recon", "kld", "prior_recon", "prior_z", *symmetric)

    @property
    def term_weights(self):
        """1 for the terms that count: each holds its own weight."""
        absent = {"kld"} if self.sampler == "mean" else set()
        if not self.prior:
            absent |= {"prior_recon", "prior_z"}
        left_out = "symm_" if not self.copies else "symm_recon" if self.against_prior else None
        return {
            name: 0.0 if name in absent or (left_out and name.startswith(left_out)) else 1.0 for name in self.all_terms
        }

    def term_name(self, name, kind):
        """The name of a term of one kind: "symm_z", or "symm_z_T" and the like where there are several kinds."""
        return name if len(SYMMETRIES[self.group]) == 1 else f"{name}_{kind.letter}"

    # One pass

    def call(self, batch, training=False):
        x = self.frames(batch)
        mean, log_var = self.infer(x)
        z = self.sample(mean, log_var, training)
        style = self.style(z, training)
        outputs = {"mean": mean, "log_var": log_var, "z": z}
        codes = {"recon": self.with_style(z[..., : self.dynamic], style) if self.repeat_style and self.prior else z}
        if self.prior:
            outputs |= self.predictions(z[..., : self.dynamic], training)
            codes["prior"] = self.with_style(outputs["prior"], style)
            codes |= {kind.name: self.with_style(outputs[kind.name], style, self.copies) for kind in self.kinds}
        return outputs | {f"{name}_logits": logits for name, logits in self.decode_all(codes).items()}

    def frames(self, batch):
        """The frames of a batch, a dict or the array itself; InputError where they do not fit."""
        x = ops.convert_to_tensor(batch["x"] if isinstance(batch, dict) else batch, "float32")
        if tuple(x.shape[2:]) != self.frame:
            raise InputError(
                f"x has shape {tuple(x.shape)}; this model takes (batch, time, {self.frame}) as {self.domain}"
            )
        if self.prior and x.shape[1] <= self.base_len:
            raise InputError(
                f"sequences have {x.shape[1]} frames; they need more than base_len, {self.base_len}: lower --base-len"
            )
        return x

    def style(self, z, training=False):
        """The style (batch, d - p) of one frame, drawn once for the batch; the first frame outside training."""
        last = min(z.shape[1], STYLE_FROM) if self.domain == "music" else z.shape[1]
        step = 0
        if self.latents > self.dynamic and self.is_random(training):
            step = self.draw("timbre_step", lambda seed: random.randint((), 0, last, seed=seed))
        return ops.take(z[..., self.dynamic :], step, axis=1)

    def with_style(self, codes, style, copies=1):
        """Codes (copies * batch, time, p) with the style (batch, d - p) of their sequence at every frame."""
        if self.latents == self.dynamic:
            return codes
        return ops.concatenate([codes, ops.tile(style[:, None], (copies, codes.shape[1], 1))], axis=-1)

    def predictions(self, z, training=False):
        """{"prior": R(z), kind: S^-1 R(S z)} of dynamic codes (batch, time, p).

        The passes differ in their codes and in which positions are fed back, never in the network: they run as one.
        """
        elements = {kind.name: self.elements(kind, z, training) for kind in self.kinds}
        copies = ops.tile(z, (max(self.copies, 1), 1, 1))
        passes = {"plain": z} | {kind.name: kind.group.act(elements[kind.name], copies) for kind in self.kinds}
        feedback = {
            name: ops.broadcast_to(self.feedback(name, z.shape[1], training)[None], ops.shape(codes)[:2])
            for name, codes in passes.items()
        }
        moved = call_at_once(self.transition, passes, feedback)
        back = {
            kind.name: kind.group.act(kind.group.inverse(elements[kind.name]), moved[kind.name]) for kind in self.kinds
        }
        return {"prior": moved["plain"], **back}

    def elements(self, kind, z, training=False):
        """Group elements for K copies of a batch."""
        n = self.copies * ops.shape(z)[0]
        if not self.is_random(training):
            return kind.group.draw(n, FIXED_SEED)
        g = self.draw_rows(kind.draw_name, (n,), lambda shape, seed: kind.group.draw(shape[0], seed), self.copies)
        return kind.fit(g, self.dynamic) if self.is_given(kind.draw_name) else g

    def feedback(self, name, time, training=False):
        """(time,), true at the positions whose true code the prior does not see."""
        given = self.given(f"P_{name}")
        if given is not None:
            return ops.convert_to_tensor(np.isin(np.arange(time), np.asarray(given)))
        late = ops.convert_to_tensor(np.arange(time) >= self.base_len)
        if not self.is_random(training):
            return late
        drawn = self.draw(f"P_{name}", lambda seed: random.uniform((time,), seed=seed))
        return ops.logical_and(late, drawn > of.true_code_probability(self.steps * self.sampling_speed))

    # Terms

    def terms(self, batch, outputs, training=False):
        x, z = self.frames(batch), outputs["z"][..., : self.dynamic]
        following, target = x[:, 1:], z[:, 1:]
        values = {"recon": of.cross_entropy(outputs["recon_logits"], x)}
        if self.sampler != "mean":
            values["kld"] = self.kld_weight * of.kl_to_standard_normal(outputs["mean"], outputs["log_var"])
        if self.prior:
            values["prior_recon"] = of.cross_entropy(outputs["prior_logits"], following)
            values["prior_z"] = self.prior_weight * of.squared_error(outputs["prior"], target)
        for kind in self.kinds:
            found = self.symmetry_terms(kind, outputs, following, target)
            values |= {self.term_name(name, kind): value / self.copies for name, value in found.items()}
        n = ops.cast(ops.shape(x)[0], "float32")
        if self.reduction == "sum":  # the gradients of several devices are averaged
            n = n / ops.cast(self.whole_size(x), "float32")
        values = {name: value / n for name, value in values.items()}
        return values

    def symmetry_terms(self, kind, outputs, following, target):
        """Terms of one kind of elements, summed over the copies."""
        copied = ops.reshape(outputs[kind.name], (self.copies, *ops.shape(target)))
        goal = outputs["prior"] if self.against_prior else target
        found = {"symm_z": self.symmetry_weight * of.squared_error(copied, goal)}
        if not self.against_prior:
            logits = ops.reshape(outputs[f"{kind.name}_logits"], (self.copies, *ops.shape(following)))
            found["symm_recon"] = of.cross_entropy(logits, following)
        if self.symm_prior:
            found["symm_prior"] = self.symmetry_weight * of.squared_error(copied, outputs["prior"])
        return found

    def loss_terms(self, batch, *, draws=None, training=False):
        """As in `RepresentationModel`; terms that this model leaves out are there as 0."""
        found = super().loss_terms(batch, draws=draws, training=training)
        return {name: ops.zeros(()) for name in self.all_terms} | found

    def compute_loss(self, x=None, y=None, y_pred=None, sample_weight=None, training=True):
        if training:
            self.steps.assign_add(1.0)
        return super().compute_loss(x, y, y_pred, sample_weight, training)

    # Use

    @arrays_for_arrays
    def rollout(self, x, beginning=None, frames=None):
        """What the prior predicts from means, (batch, frames - 1, p): entry t is for frame t + 1.

        Args:
            x: (batch, time, *frame).
            beginning: frames whose codes it sees, by default `base_len`; its own predictions take over from there.
            frames: length of the sequence with its continuation, by default that of x.
        """
        mean = self.infer(ops.convert_to_tensor(x, "float32"))[0][..., : self.dynamic]
        beginning = self.base_len if beginning is None else beginning
        frames = frames or mean.shape[1]
        if not self.prior or not 1 <= beginning <= mean.shape[1]:
            raise InputError(f"a roll-out needs a prior and a beginning of 1 to {mean.shape[1]} frames")
        mean = mean[:, :frames]
        z = ops.pad(mean, ((0, 0), (0, frames - mean.shape[1]), (0, 0)))
        late = ops.convert_to_tensor(np.arange(frames) >= beginning)
        return self.transition(z, ops.broadcast_to(late[None], ops.shape(z)[:2]))

    @arrays_for_arrays
    def imagine(self, x, beginning=None, frames=None):
        """The frames of a roll-out, (batch, frames, *frame): the beginning reconstructed, then what is predicted.

        Arguments as in `rollout`; the style is the mean of the beginning's.
        """
        beginning = self.base_len if beginning is None else beginning
        mean = self.infer(ops.convert_to_tensor(x, "float32"))[0][:, :beginning]
        predicted = self.rollout(ops.convert_to_tensor(x, "float32"), beginning, frames)[:, beginning - 1 :]
        codes = ops.concatenate([mean[..., : self.dynamic], predicted], axis=1)
        return self.decode(self.with_style(codes, ops.mean(mean[..., self.dynamic :], axis=1)))
