"""SELFIE-style pre-training in plain PyTorch, as one would write it: the peer of the family's training step.

The loss is the library's own reconstruction (docs/selfie.md), the encoder that of its `--encoder small`.
"""

import torch
from torch import nn
from torch.nn import functional

from benchmarks import peer_loop

WEIGHTS, T, EPSILON = (4.0, 1.0, 0.02), 2.0, 1e-5


class Peer(nn.Module):
    """Encoder and projector, with the loss of two views.

    Args:
        bands: of a log-mel frame.
        channels: of both convolutions.
        units: of the layers of a frame.
        projector: of the projector's hidden layer.
        dim: of a projection.
        dropout: share of the hidden values of a frame that are left out.
    """

    def __init__(self, bands=64, channels=16, units=256, projector=512, dim=256, dropout=0.3):
        super().__init__()
        flat = bands // 4 * channels
        self.convolutions = nn.Sequential(
            nn.Conv2d(1, channels, 5, 2, 2, bias=False),
            nn.BatchNorm2d(channels),
            nn.ReLU(),
            nn.Conv2d(channels, channels, 3, 1, 1, bias=False),
            nn.BatchNorm2d(channels),
            nn.ReLU(),
            nn.MaxPool2d(2),
        )
        self.frame = nn.Sequential(
            nn.Linear(flat, units), nn.ReLU(), nn.Dropout(dropout), nn.Linear(units, units), nn.ReLU()
        )
        self.projector = nn.Sequential(
            nn.Linear(flat + units, projector, bias=False),
            nn.BatchNorm1d(projector),
            nn.ReLU(),
            nn.Linear(projector, dim, bias=False),
        )

    def forward(self, first, second):
        """The loss of two views (batch, time, bands)."""
        terms = self.terms(*self.project(torch.cat([first, second])).chunk(2))
        return sum(weight * term for weight, term in zip(WEIGHTS, terms, strict=True))

    def project(self, x):
        """Projections (n, dim) of log-mel frames (n, time, bands)."""
        frames = self.convolutions(x[:, None]).permute(0, 2, 3, 1).flatten(2)
        frames = torch.cat([frames, self.frame(frames)], dim=-1)
        return self.projector(frames.mean(1) + frames.amax(1))

    def terms(self, p, other):
        """Invariance, diversity and decorrelation."""
        first, second = standardise(p), standardise(other)
        z, z_other = functional.normalize(first), functional.normalize(second)
        invariance = (z - z_other).pow(2).sum(1).mean()
        diversity = (uniformity(z) + uniformity(z_other)) / 2
        decorrelation = (correlation(first) + correlation(second)) / 2
        return invariance, diversity, decorrelation


def standardise(p):
    """Columns of mean 0 and deviation 1."""
    return (p - p.mean(0)) / (p.var(0, unbiased=False) + EPSILON).sqrt()


def uniformity(z):
    """The log of the mean over pairs of exp(-t squared distance)."""
    return torch.pdist(z).pow(2).mul(-T).exp().mean().log()


def correlation(s):
    """The sum of squared correlations of different dimensions, by dimension."""
    r = s.T @ s / len(s)
    return (r.pow(2).sum() - r.diagonal().pow(2).sum()) / s.shape[1]


def run(views, settings, wait, reply):
    """Trains for an epoch whenever `wait()` is true, and replies (seconds, mean loss).

    Args:
        views: a dict of "first" and "second", (n, time, bands) each, of an epoch.
        settings: a dict with "batch", "threads" and "compiled".
    """
    device = peer_loop.begin(settings)
    first, second = (torch.from_numpy(views[name]).to(device) for name in ("first", "second"))
    peer = Peer(first.shape[-1]).to(device)

    def batches():
        return zip(first.split(settings["batch"]), second.split(settings["batch"]), strict=True)

    peer_loop.train(peer, batches, 1e-3, settings, wait, reply)
