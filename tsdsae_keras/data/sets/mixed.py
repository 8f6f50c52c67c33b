"""Mixed vectors: the shortest proof that pairs make factors identifiable.

Four factors s ~ N(0, I) look the same however they are rotated, so nothing that sees single frames can find their
axes. The steps within a pair are independent Laplace(0, 0.15) and are not rotation-symmetric. x = A2 LeakyReLU_0.4(A1
s), with A1 (8 x 4) of orthonormal columns and A2 (8 x 8) orthogonal, fixed by a seed.
"""

import numpy as np

from tsdsae_keras.data.sets.pair_data import PairData

FACTORS, DIM, SLOPE = 4, 8, 0.4


class Mixed(PairData):
    """Pairs of mixed vectors, (8,) each.

    Args:
        scale: of the Laplace steps.
        seed: of the two matrices.
    """

    likelihood, z_dim = "gaussian", FACTORS

    def __init__(self, scale=0.15, seed=0):
        super().__init__(f"mixed {scale} {seed}", (DIM,), [f"s{i}" for i in range(FACTORS)])
        rng = np.random.default_rng(seed)
        self.scale = scale
        self.first, self.second = (np.linalg.qr(rng.normal(size=(DIM, width)))[0] for width in (FACTORS, DIM))

    def mix(self, s):
        """x (n, 8) of factors (n, 4)."""
        hidden = s @ self.first.T
        return (np.where(hidden > 0, hidden, SLOPE * hidden) @ self.second.T).astype("float32")

    def pairs(self, rng, n):
        start, step = rng.normal(size=(n, FACTORS)), rng.laplace(scale=self.scale, size=(n, FACTORS))
        factors = np.stack([start, start + step], axis=1).reshape(2 * n, FACTORS)
        return self.mix(factors), factors


def open_mixed(settings):
    """The vectors that a run asks for."""
    return Mixed(settings.step_scale, settings.data_seed)
