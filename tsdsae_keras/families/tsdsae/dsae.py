"""DSAE and DSAE-f: the disentangled sequential autoencoder, alone and with stages of frozen parts."""

from keras.saving import register_keras_serializable

from tsdsae_keras.families.tsdsae.sequential import SequentialVAE


@register_keras_serializable(package="tsdsae_keras")
class DSAE(SequentialVAE):
    """The disentangled sequential autoencoder (Li and Mandt, ICML 2018), trained in a single stage.

    loss = recon + kl_z + kl_v with p(v) = N(0, I). Arguments and errors are those of `SequentialVAE`.
    """


@register_keras_serializable(package="tsdsae_keras")
class DSAEf(SequentialVAE):
    """DSAE-f (Luo et al. 2022): DSAE whose local parts are frozen in stage 1; in stage 2 they thaw and the global
    encoder freezes. Arguments and errors are those of `SequentialVAE`.
    """

    stages = 2

    def frozen_parts(self):
        return (self.q_z, self.p_z) if self.stage == 1 else (self.q_v,)
