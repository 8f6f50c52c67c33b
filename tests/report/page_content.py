"""What a page may hold, names of files that mean harm among it, and a parser to read the page with."""

from html.parser import HTMLParser

import numpy as np

from tsdsae_keras.families.tsdsae.evaluation.code_figures import codes_figure, kl_figure
from tsdsae_keras.report.figures import loss_figure, swap_figure

HOSTILE = "<img src=x onerror=alert(1)>.wav"
QUOTED = "\" onfocus='alert(2)' autofocus=\".wav"
LONG = "WithoutAPlaceToBreak" * 6 + ".wav"
RATE = 16000
SOUNDS = ("source", "target", "source reconstructed", "source, timbre of target", "target, timbre of source")


def tone(hz, seconds=1.0):
    time = np.arange(int(seconds * RATE)) / RATE
    return sum(0.4 / k * np.sin(2 * np.pi * k * hz * time) for k in (1, 2, 3)) * np.exp(-2 * (time % 0.25))


def log_mel(hz, brightness, frames=120):
    """Harmonics of a melody drawn on 80 mel bands: a stand-in that looks like one."""
    centre = 2595 * np.log10(1 + np.outer(hz, np.arange(1, 12)) / 700) * 81 / 2840 - 1
    band = np.arange(80)
    ridges = np.exp(-0.5 * ((band - centre[..., None]) / 0.8) ** 2) * brightness ** np.arange(11)[:, None]
    fading = np.exp(-0.08 * (np.arange(frames) % 15))[:, None]
    noise = np.random.default_rng(0).exponential(size=(frames, 80))
    return np.log(ridges.sum(1) * fading + 1e-5 * noise)


def pictures():
    rng = np.random.default_rng(1)
    a, b = (np.repeat(rng.choice([262, 330, 392, 440, 523, 659], 8), 15).astype(float) for _ in range(2))
    a[60:75] = np.nan
    panels = {HOSTILE: (a, 0.5), "a reconstructed": (a, 0.45), "melody a, timbre b": (a, 0.85)}
    panels |= {"b": (b, 0.85), "b reconstructed": (b, 0.8), "melody b, timbre a": (b, 0.5)}
    images = {name: log_mel(np.nan_to_num(hz, nan=30.0), bright) for name, (hz, bright) in panels.items()}
    swap = swap_figure(images, tracks={name: hz for name, (hz, _) in panels.items()})
    v = rng.normal(size=(90, 16)) + 4 * np.repeat(np.eye(3, 16), 30, axis=0)
    epochs = np.arange(1, 29)
    names = ("loss", "val_loss", "recon", "val_recon", "kl_z", "kl_v", "kl_v_gswap", "kl_z_gswap")
    history = {name: (0.8**k * 3 / np.sqrt(epochs) + 0.01).tolist() for k, name in enumerate(names)}
    codes = {"v": np.sort(rng.gamma(1, 0.4, 16)), "z": rng.gamma(1, 0.02, 16)}
    return {
        "Swap": ("Both swaps of two melodies; the line is the pitch. Each row holds one melody.", swap),
        "Codes v of the test split": ("A colour each.", codes_figure(v, np.repeat(["flute", HOSTILE, "c"], 30))),
        "Training": ("Losses by epoch. Stage 2 begins at the dotted line.", loss_figure(history, 4)),
        "KL by dimension": ("Near 0: collapsed onto the prior.", kl_figure(codes)),
    }


def scores():
    own = {"worst": 0.0, "best": 1.0, "direction": "higher"}
    f1 = "Macro-F1 of the class asked for, by the own encoder. Blind to traces of v that nobody hears."
    return [
        {
            "group": "Timbre",
            "rows": [
                {"name": "swap F1, global", "value": 0.953, "interval": (0.921, 0.978), "note": f1, **own},
                {"name": "swap F1, local", "value": 0.871, "interval": (0.82, 0.914), "note": f1, **own},
                {"name": "judge F1, real sounds", "value": 0.998, "interval": None, "best": 1, "direction": "higher"},
            ],
        },
        {
            "group": "Melody",
            "rows": [
                {"name": "raw pitch accuracy", "value": 0.71, "interval": (0.64, 0.78), "worst": 0.11, "best": 0.83},
                {"name": "Fréchet distance", "value": 12.4, "worst": 96.1, "best": 1.7, "direction": "lower"},
                {"name": "reconstruction error", "value": 0.00042, "direction": "lower"},
                {"name": HOSTILE, "value": float("nan"), "note": QUOTED},
                {"name": LONG, "value": 0.5, "note": LONG},
            ],
        },
    ]


def content_sounds():
    sounds = [
        {"name": f"{name} ({HOSTILE})", "group": pair, "sample_rate": RATE, "samples": tone(220 * (i + 2))}
        for pair in ("pair 1", HOSTILE)
        for i, name in enumerate(SOUNDS)
    ]
    return [*sounds, {"name": f"vocoder best, {LONG}", "sample_rate": 22050, "samples": tone(440)}]


def content():
    found = pictures().items()
    return {
        "title": "TS-DSAE on dMelodies",
        "lead": "300 test melodies on three instruments, none of them in training or validation.",
        "scores": scores(),
        "scores_note": "Intervals are 95 %, by bootstrap over test sequences; latents are at their means.",
        "left_out": {LONG: LONG, "Fréchet audio distance": "no embedding is installed", QUOTED: "no instrument labels"},
        "sounds": content_sounds(),
        "pictures": {name: {"image": drawn, "alt": f"{name}, drawn", "caption": text} for name, (text, drawn) in found},
        "settings": {
            **{LONG: LONG, "seed": 0, "data": HOSTILE, "front_end": {"n_mels": 80, "fmax": 8000.0}},
            **{"z_dim": 16, "mask": None},
        },
        "versions": {"keras": "3.15.0", "numpy": "2.3.1", "tsdsae-keras": "0.1.0", "backend": "tensorflow"},
    }


class Page(HTMLParser):
    """Tags with their attributes, and the text outside style and script."""

    def __init__(self, html):
        super().__init__()
        self.tags, self.text, self.inside = [], "", None
        self.feed(html)

    def handle_starttag(self, tag, attributes):
        self.tags.append((tag, dict(attributes)))
        self.inside = tag

    def handle_data(self, data):
        self.text += "" if self.inside in ("style", "script") else data

    def all(self, tag):
        return [attributes for name, attributes in self.tags if name == tag]
