"""What differs between music and video: frames, kernels, widths and published weights. Light: no backend is loaded."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Domain:
    """The published architecture and recipe of one kind of frame.

    Attributes:
        frame: shape of a frame as batches hold it.
        kernels: (size, stride) of each convolution, along rows (music) or along both sides (video).
        smallest: positions that are left after the last convolution.
        channels: of the convolutions; the decoder mirrors them.
        decoder_units: widths of the decoder's hidden dense layers.
        latents: d of a code.
        base_len: frames whose true codes the prior always sees.
        group: name of the symmetry, a key of `symmetries.SYMMETRIES`.
        copies: K.
        symmetry_weight: w_s.
        symm_prior: whether the prior's own predictions are compared too.
    """

    frame: tuple
    kernels: tuple
    smallest: tuple
    channels: tuple
    decoder_units: tuple
    latents: int
    base_len: int
    group: str
    copies: int
    symmetry_weight: float
    symm_prior: bool


DOMAINS = {
    # A note: 513 bins by 5 frames of the STFT. The 5 are the width of the first kernel, so they act as channels.
    "music": Domain(
        frame=(513, 5),
        kernels=((5, 2), (8, 4), (4, 2), (4, 2)),
        smallest=(16,),
        channels=(64, 64, 128, 128),
        decoder_units=(16, 64, 256, 1024),
        latents=1,
        base_len=3,
        group="r1",
        copies=4,
        symmetry_weight=4.0,
        symm_prior=False,
    ),
    "video": Domain(
        frame=(32, 32, 3),
        kernels=((4, 2), (4, 2), (4, 2)),
        smallest=(4, 4),
        channels=(64, 128, 256),
        decoder_units=(16, 32, 64),
        latents=3,
        base_len=5,
        group="r2-so2",
        copies=1,
        symmetry_weight=2.0,
        symm_prior=True,
    ),
}
