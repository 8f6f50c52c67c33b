"""TS-DSAE: two-stage training with an informed prior and swap terms."""

import itertools

from keras import ops
from keras.saving import register_keras_serializable

from tsdsae_keras import ops as own_ops
from tsdsae_keras.families.tsdsae.encoders import GlobalEncoder
from tsdsae_keras.families.tsdsae.sequential import SequentialVAE, gaussian, split_inputs

SWAP_TERMS = ("kl_v_gswap", "kl_z_gswap", "kl_v_lswap", "kl_z_lswap")


@register_keras_serializable(package="tsdsae_keras")
class TSDSAE(SequentialVAE):
    """TS-DSAE (Luo, Ewert, Dixon, IJCAI 2022, arXiv 2205.05871).

    Stage 1 freezes the local encoder and the transition, so v must carry what the decoder needs. Stage 2 thaws them,
    takes the snapshot q_C(v | x_i) of the global encoder as the prior of v_i, and adds four swap terms:

        x_g = decode(z_i, v_j):  kl_v_gswap = KL[q(v | x_g), q(v | x_j)],  kl_z_gswap = KL[q(z | x_g), q(z | x_i)]
        x_l = decode(z_j, v_i):  kl_v_lswap = KL[q(v | x_l), q(v | x_i)],  kl_z_lswap = KL[q(z | x_l), q(z | x_j)]

    with j a random partner in the batch, drawn for each swap (see `swap_pairs`). Arguments and errors are those of
    `SequentialVAE`; the weights of the four terms are in `term_weights` (all four at 0: "TS-DSAE without
    regularisation").
    """

    stages = 2
    all_terms = (*SequentialVAE.all_terms, *SWAP_TERMS)

    def active_terms(self):
        names = super().active_terms()
        return names if self.stage == 2 else tuple(name for name in names if name not in SWAP_TERMS)

    def _make_parts(self):
        super()._make_parts()
        # From birth, because Keras adds no layer to a built model; frozen and copied into at the switch.
        sizes = (self.v_dim, self.global_encoder, self.global_units)
        self.informed_prior = GlobalEncoder(*sizes, precision=self.precision, name="informed_prior")

    def build(self, input_shape):
        super().build(input_shape)
        self.informed_prior.build((None, None, self.features))

    def parts(self):
        return super().parts() | {"informed_prior": self.informed_prior}

    def frozen_parts(self):
        return (self.q_z, self.p_z, self.informed_prior) if self.stage == 1 else (self.informed_prior,)

    def inform_prior(self):
        """Copies the global encoder, as it is now, into the prior of stage 2."""
        self.informed_prior.set_weights(self.q_v.get_weights())

    def v_prior(self, x, mask, v_posterior):
        if self.stage == 1:
            return super().v_prior(x, mask, v_posterior)
        return tuple(ops.stop_gradient(parameter) for parameter in self.informed_prior(x, mask=mask))

    def terms(self, x, outputs, *, sample=False, permutations=None):
        terms = super().terms(x, outputs, sample=sample, permutations=permutations)
        if not any(name in SWAP_TERMS for name in self.active_terms()):
            return terms
        _, mask = split_inputs(x)
        permutations = self._partners(outputs["v"], sample) if permutations is None else permutations
        permutations = [None if order is None else ops.cast(order, "int32") for order in permutations]
        swaps = self.swap_terms(outputs, mask, permutations, sample)
        return terms | {name: value for name, value in swaps.items() if self.term_weights[name]}

    def _partners(self, v, sample):
        n = ops.shape(v)[0]
        if not sample:
            return [own_ops.rotation(n)] * 2
        pi_g = own_ops.permutation(n, self.sampling.generator)
        return pi_g, None if self.swap_pairs == "shared" else own_ops.permutation(n, self.sampling.generator)

    def swap_terms(self, outputs, mask, permutations, sample):
        """The four swap terms; both swaps run as one batch, re-encoded without the transition.

        No frame is rendered: the encoders take what goes into the decoder's last layer, which is linear. Without pi_l
        the local swap takes the inverse of pi_g, hence the pairs of the global swap, and the terms of both are one.
        """
        pi_l = permutations[1]
        masks = None if mask is None else _kept_and_taken(mask, pi_l)
        z, v = _kept_and_taken(outputs["z"], pi_l), _taken_and_kept(outputs["v"], *permutations)
        hidden, behind = self.p_x.hidden(z, v, masks), self.p_x.output_layer
        v, q_v = self.infer_v(hidden, masks, sample and self.v_condition != "none", behind)
        _, q_z = self.infer_z(hidden, v, masks, behind=behind)
        kl_v = own_ops.gaussian_kl(*q_v, *(_taken_and_kept(p, *permutations) for p in gaussian(outputs, "v")))
        kl_z = own_ops.gaussian_kl(*q_z, *(_kept_and_taken(p, pi_l) for p in gaussian(outputs, "z")))
        of_swaps = (_of_swaps(each, pi_l) for each in (kl_v, kl_z, masks))
        reduced = [
            (own_ops.reduce_codes(v, self.reduction), own_ops.reduce_frames(z, mask, self.reduction))
            for v, z, mask in zip(*of_swaps, strict=True)
        ]
        return dict(zip(SWAP_TERMS, itertools.cycle(itertools.chain(*reduced)), strict=False))


def _kept_and_taken(z, pi_l):
    """z of the global swap (each its own), then of the local swap (the partner's)."""
    return z if pi_l is None else ops.concatenate([z, own_ops.take(z, pi_l)])


def _taken_and_kept(v, pi_g, pi_l):
    """v of the global swap (the partner's), then of the local swap (each its own)."""
    taken = own_ops.take(v, pi_g)
    return taken if pi_l is None else ops.concatenate([taken, v])


def _of_swaps(values, pi_l):
    """What belongs to the global and what to the local swap; one thing where it belongs to both."""
    if pi_l is None:
        return [values]
    return [None, None] if values is None else ops.split(values, 2)
