"""What the page of a search shows of the model that is taken."""

from tsdsae_keras.data.audio.inversion import sound_of
from tsdsae_keras.data.audio.logmel import FrontEnd
from tsdsae_keras.families.tsdsae.evaluation.resynthesis import can_sound
from tsdsae_keras.families.tsdsae.pictures import swap_panels, swap_png, two_sequences

F1 = {"swap_f1": "own encoder", "judge_f1": "independent judge"}


def page_parts(model, data, scores):
    """Its scores on the test split as rows, a swap of two test sequences as sounds and as a picture."""
    front_end = FrontEnd.from_dict(data.front_end)
    panels = swap_panels(model, two_sequences(data, "test"))
    sounds = [
        {"name": name, "samples": sound_of(frames, front_end), "sample_rate": front_end.sample_rate}
        for name, frames in panels.items()
        if can_sound(len(frames), front_end)
    ]
    picture = {
        "image": swap_png(panels, front_end),
        "alt": "Six log-mel spectrograms: two sequences, their reconstructions, and each melody with the other timbre.",
        "caption": "Two test sequences, by the model that is taken. Each row holds one melody.",
    }
    return {"test": [_rows(scores)], "sounds": sounds, "pictures": {"A swap": picture}}


def _rows(scores):
    rows = [
        {"name": f"{name}, F1 {column}", "value": value, "worst": 0.0, "best": 1.0, "direction": "higher"}
        for key, name in F1.items()
        for column, value in scores.get(key, {}).items()
    ]
    rows.append({"name": "reconstruction, MSE", "value": scores["reconstruction"]["mse"], "direction": "lower"})
    return {"group": f"The same model on {scores['n']} test sequences", "rows": rows}
