"""TS-DSAE in plain PyTorch: what the library is timed against.

Written from the paper (Luo, Ewert, Dixon, IJCAI 2022) and held to the reference numbers by
`tests/test_benchmarks.py`, so that a ratio of seconds compares the same arithmetic. It has what a careful user of
PyTorch would write and no more: `nn.Linear`, `nn.LSTM` for the transition, Adam; no masks, no variants, no checks.
"""

import time

import torch
from torch import nn

WIDTH, TRANSITION_WIDTH, LAYERS = 64, 32, 2
# Part of this model: the prefix of its names in a state of the authors' code.
REFERENCE = {
    "encoder_v.trunk": "net_v_encoder.layers",
    "encoder_v.head.mean": "net_v_mu",
    "encoder_v.head.log_var": "net_v_logvar",
    "snapshot.trunk": "net_v_prior.layers",
    "snapshot.head.mean": "net_v_mu_prior",
    "snapshot.head.log_var": "net_v_logvar_prior",
    "trunk_z": "net_feature.layers",
    "head_z": "net_z",
    "transition": "net_z_prior.rnn",
    "head_prior": "net_z_prior",
    "decoder": "net_decoder.layers",
    "output": "net_decoder_mu.0",
}
HEADS = {"mean": "mu", "log_var": "logvar"}


class Gaussian(nn.Module):
    """Mean and log-variance, each linear: (..., inputs) -> two of (..., dim)."""

    def __init__(self, inputs, dim):
        super().__init__()
        self.mean, self.log_var = nn.Linear(inputs, dim), nn.Linear(inputs, dim)

    def forward(self, features):
        return self.mean(features), self.log_var(features)


class GlobalEncoder(nn.Module):
    """q(v | x): (batch, time, features) -> two of (batch, v_dim)."""

    def __init__(self, features, v_dim):
        super().__init__()
        self.trunk, self.head = _trunk(features), Gaussian(WIDTH, v_dim)

    def forward(self, x):
        return self.head(self.trunk(x).mean(1))


class Peer(nn.Module):
    """TS-DSAE with factorised q and feed-forward encoders and decoder.

    Args:
        features, z_dim, v_dim: sizes.
        stage: 1 or 2; sets what trains.
        whole: whether each swap is re-encoded by a whole pass, transition, snapshot and decoder included, although
            the loss takes nothing from them, as the authors' code does; else by the two encoders alone.
    """

    def __init__(self, features=80, z_dim=16, v_dim=16, *, stage=1, whole=False):
        super().__init__()
        self.stage, self.whole = stage, whole
        self.encoder_v, self.snapshot = GlobalEncoder(features, v_dim), GlobalEncoder(features, v_dim)
        self.snapshot.load_state_dict(self.encoder_v.state_dict())
        self.trunk_z, self.head_z = _trunk(features), Gaussian(WIDTH, z_dim)
        self.transition = nn.LSTM(z_dim, TRANSITION_WIDTH, LAYERS, batch_first=True)
        self.head_prior = Gaussian(TRANSITION_WIDTH, z_dim)
        self.decoder, self.output = _trunk(z_dim + v_dim), nn.Linear(WIDTH, features)
        self.snapshot.requires_grad_(False)
        for part in (self.trunk_z, self.head_z, self.transition, self.head_prior):
            part.requires_grad_(stage == 2)

    def forward(self, x, partners=None, sample=True):
        """The terms of the loss and "loss", their sum.

        Args:
            x: (batch, time, features).
            partners: (pi_global, pi_local), each (batch,), in stage 2; or None as pi_local for the inverse of
                pi_global, whose swaps are the same.
            sample: whether latents are drawn or at their means.
        """
        outputs = self.one_pass(x, sample)
        terms = {
            "recon": (x - outputs["x"]).square().mean(),
            "kl_z": kl(outputs["q_z"], outputs["p_z"]),
            "kl_v": kl(outputs["q_v"], outputs["p_v"]),
        }
        if self.stage == 2:
            terms |= self.swap_terms(outputs, *partners, sample)
        return terms | {"loss": sum(terms.values())}

    def one_pass(self, x, sample):
        """Posteriors, priors and reconstruction."""
        q_v, q_z = self.encode(x)
        v, z = draw(q_v, sample), draw(q_z, sample)
        p_z = tuple(nn.functional.pad(each, (0, 0, 1, 0)) for each in self.head_prior(self.transition(z[:, :-1])[0]))
        p_v = self.snapshot(x) if self.stage == 2 else tuple(torch.zeros_like(each) for each in q_v)
        return {"x": self.decode(z, v), "v": v, "z": z, "q_v": q_v, "q_z": q_z, "p_v": p_v, "p_z": p_z}

    def encode(self, x):
        """q(v | x) and q(z | x), each (mean, log-variance)."""
        return self.encoder_v(x), self.head_z(self.trunk_z(x))

    def decode(self, z, v):
        """(batch, time, z_dim) and (batch, v_dim) -> (batch, time, features)."""
        repeated = v[:, None].expand(-1, z.shape[1], -1)
        return self.output(self.decoder(torch.cat([z, repeated], -1)))

    def swap_terms(self, outputs, pi_global, pi_local, sample):
        """KL of the re-encoded swaps against the posteriors that their codes came from."""
        v, z, q_v, q_z = (outputs[name] for name in ("v", "z", "q_v", "q_z"))
        v_global, z_global = self.encode_again(self.decode(z, v[pi_global]), sample)
        terms = {"kl_v_gswap": kl(v_global, [each[pi_global] for each in q_v]), "kl_z_gswap": kl(z_global, q_z)}
        if pi_local is None:
            return terms | {"kl_v_lswap": terms["kl_v_gswap"], "kl_z_lswap": terms["kl_z_gswap"]}
        v_local, z_local = self.encode_again(self.decode(z[pi_local], v), sample)
        return terms | {"kl_v_lswap": kl(v_local, q_v), "kl_z_lswap": kl(z_local, [each[pi_local] for each in q_z])}

    def encode_again(self, x, sample):
        """The posteriors of a swap."""
        if not self.whole:
            return self.encode(x)
        outputs = self.one_pass(x, sample)
        return outputs["q_v"], outputs["q_z"]

    def load_reference(self, state):
        """Takes the weights of a state of the authors' code: arrays by torch name."""
        own = {name: torch.as_tensor(state[reference_name(name)]) for name in self.state_dict() if _is_in(name, state)}
        self.load_state_dict(own, strict=False)


def reference_name(name):
    """The name that a weight of `Peer` has in the authors' code."""
    for part, other in REFERENCE.items():
        if name.startswith(f"{part}."):
            rest = name.removeprefix(f"{part}.")
            kind, _, end = rest.partition(".")
            return f"{other}_{HEADS[kind]}.{end}" if kind in HEADS else f"{other}.{rest}"
    raise KeyError(name)


def kl(one, other):
    """Mean of KL[N(one), N(other)] over all that they hold; each is (mean, log-variance)."""
    (mean, log_var), (other_mean, other_log_var) = one, other
    ratio = (log_var.exp() + (mean - other_mean).square()) * (-other_log_var).exp()
    return 0.5 * (other_log_var - log_var + ratio - 1.0).mean()


def draw(gaussian, sample):
    """A sample, or the mean."""
    mean, log_var = gaussian
    return mean + (0.5 * log_var).exp() * torch.randn_like(mean) if sample else mean


class Race:
    """A peer with its data on the device, which trains for an epoch when told.

    Args:
        x: sequences, float32 (n, time, features).
        settings: a dict with "stage", "batch", "z_dim", "precision" ("float32" or "mixed_bfloat16"), "threads",
            "compiled", "whole", "shared" and "tf32".
    """

    def __init__(self, x, settings):
        torch.manual_seed(0)
        torch.set_num_threads(settings["threads"])
        torch.backends.cuda.matmul.allow_tf32 = torch.backends.cudnn.allow_tf32 = settings["tf32"]
        self.device = "cuda" if torch.cuda.is_available() else "cpu"
        self.shared = settings["shared"]
        self.x, self.batch, self.low = torch.from_numpy(x).to(self.device), settings["batch"], settings["precision"]
        self.model = Peer(x.shape[-1], settings["z_dim"], stage=settings["stage"], whole=settings["whole"])
        self.model.to(self.device)
        self.terms = torch.compile(self.model) if settings["compiled"] else self.model
        weights = [weight for weight in self.model.parameters() if weight.requires_grad]
        self.optimizer = torch.optim.Adam(weights, lr=1e-3, eps=1e-8, fused=True)

    def run(self, wait, reply):
        """Trains for an epoch whenever `wait()` is true, and replies (seconds, mean loss)."""
        while wait():
            start = time.perf_counter()
            order = torch.randperm(len(self.x), device=self.device)
            whole_batches = order[: len(order) // self.batch * self.batch].split(self.batch)
            losses = [self.step(self.x[rows]) for rows in whole_batches]
            loss = torch.stack(losses).mean().item()
            if self.device == "cuda":
                torch.cuda.synchronize()
            reply(time.perf_counter() - start, loss)

    def step(self, x):
        """One step of Adam; the loss, left on the device."""
        # Drawn out here: inductor of PyTorch 2.13 fails on indexing by randperm (pytorch/pytorch#183988).
        partners = [None if i and self.shared else torch.randperm(len(x), device=self.device) for i in range(2)]
        self.optimizer.zero_grad(set_to_none=True)
        with torch.autocast(self.device, torch.bfloat16, enabled=self.low != "float32"):
            loss = self.terms(x, partners)["loss"]
        loss.backward()
        self.optimizer.step()
        return loss.detach()


def _trunk(inputs):
    return nn.Sequential(nn.Linear(inputs, WIDTH), nn.Tanh(), nn.Linear(WIDTH, WIDTH), nn.Tanh())


def _is_in(name, state):
    return reference_name(name) in state  # a state of stage 1 has no snapshot
