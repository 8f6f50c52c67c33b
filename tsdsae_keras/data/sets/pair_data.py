"""Pairs of neighbouring frames with known factors: what a data set of pairs gives to a family that trains on them.

Such data have `x_shape` and `likelihood` ("bernoulli" for values between 0 and 1, or "gaussian") of a frame, the
names of their `factors`, `z_dim` that suits them, and

    pairs(rng, n)  -> x (2 n, *x_shape) float32, factors (2 n, k), interleaved: frames 2i and 2i + 1 are pair i
    sample(rng, n) -> x (n, *x_shape), factors (n, k): single frames, as they are scored

drawn from a `numpy.random.Generator` alone. On a grid, `grid` and `frames(factors)` serve the scores that fix a factor.
"""

from tsdsae_keras.data.sets.transitions import draw_pairs


class PairData:
    """The base: what is the same for all data of pairs.

    Args:
        identity: a text that is equal for equal data.
        x_shape: of a frame.
        factors: their names.
        warning: a line for the user, or None.
    """

    folder, likelihood, grid, z_dim = None, "bernoulli", None, 10

    def __init__(self, identity, x_shape, factors, warning=None):
        self.identity, self.x_shape, self.warning = identity, tuple(x_shape), warning
        self.factors = tuple(factors)

    def pairs(self, rng, n):
        """n pairs, interleaved."""
        raise NotImplementedError

    def sample(self, rng, n):
        """n single frames; by default the first frames of n pairs."""
        x, factors = self.pairs(rng, n)
        return x[::2], factors[::2]


class GridPairs(PairData):
    """Pairs of images on a grid of factors.

    Args:
        grid: `transitions.Grid`.
        frames: function of class indices (n, factors) to images (n, *x_shape), float32 between 0 and 1.
        settings: with `pairs`, `rate` and `changed`, see `transitions`.
        identity, x_shape, warning: as in `PairData`.
    """

    def __init__(self, grid, frames, settings, identity, x_shape, warning=None):
        step = {"kind": settings.pairs, "rate": settings.rate, "changed": settings.changed}
        super().__init__(f"{identity} {step}", x_shape, grid.names, warning)
        self.grid, self.frames, self.step = grid, frames, step

    def pairs(self, rng, n):
        factors = draw_pairs(self.grid, rng, n, **self.step)
        return self.frames(factors), factors

    def sample(self, rng, n):
        factors = self.grid.draw(rng, n)
        return self.frames(factors), factors
