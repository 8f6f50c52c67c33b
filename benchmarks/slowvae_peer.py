"""SlowVAE in plain PyTorch, as one would write it: the peer of the family's training step.

Source of the network and the loss: Klindt et al., ICLR 2021, arXiv 2007.10930.
"""

import itertools
import math

import torch
from torch import nn

from benchmarks import peer_loop

RATE, GAMMA = 6.0, 10.0


class Peer(nn.Module):
    """The network for 64 x 64 images, with the loss of a batch of interleaved pairs.

    Args:
        channels: of the images.
        z_dim: dimensions of z.
    """

    def __init__(self, channels=1, z_dim=10):
        super().__init__()
        widths = (channels, 32, 32, 64, 64)
        halving = [nn.Conv2d(a, b, 4, 2, 1) for a, b in itertools.pairwise(widths)]
        doubling = [nn.ConvTranspose2d(b, a, 4, 2, 1) for a, b in itertools.pairwise(widths)][::-1]
        self.encoder = nn.Sequential(
            *(part for conv in [*halving, nn.Conv2d(64, 256, 4)] for part in (conv, nn.ReLU())),
            nn.Flatten(),
            nn.Linear(256, 2 * z_dim),
        )
        start = (nn.Linear(z_dim, 256), nn.Unflatten(1, (256, 1, 1)), nn.ReLU(), nn.ConvTranspose2d(256, 64, 4))
        self.decoder = nn.Sequential(*start, *(part for conv in doubling for part in (nn.ReLU(), conv)))

    def forward(self, x):
        """The official loss; x (frames, channels, 64, 64)."""
        mean, log_var = self.encoder(x).chunk(2, dim=1)
        s = (0.5 * log_var).exp()
        logits = self.decoder(mean + s * torch.randn_like(s))
        recon = nn.functional.binary_cross_entropy_with_logits(logits, x, reduction="sum") / len(x)
        entropy = 0.5 * (log_var + math.log(2 * math.pi * math.e)).sum(1).mean()
        normal = 0.5 * (mean**2 + log_var.exp() + math.log(2 * math.pi)).sum(1).mean()
        d = (mean[::2] - mean[1::2]).repeat_interleave(2, dim=0)
        within = s * math.sqrt(2 / math.pi) * torch.exp(-(d**2) / (2 * s**2)) + d * torch.erf(d / (s * math.sqrt(2)))
        laplace = 2 * (RATE * within - math.log(RATE / 2)).sum(1).mean()
        return 2 * recon + normal - entropy + GAMMA * (laplace - entropy)


def run(x, settings, wait, reply):
    """Trains for an epoch whenever `wait()` is true, and replies (seconds, mean loss).

    Args:
        x: frames (n, 64, 64, channels), pairs interleaved.
        settings: a dict with "batch", "z_dim", "threads" and "compiled".
    """
    device = peer_loop.begin(settings)
    x = torch.from_numpy(x).permute(0, 3, 1, 2).contiguous().to(device)
    peer = Peer(x.shape[1], settings["z_dim"]).to(device)
    peer_loop.train(peer, lambda: zip(x.split(settings["batch"]), strict=True), 1e-3, settings, wait, reply)
