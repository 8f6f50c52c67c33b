"""`tsdsae-keras prepare`: data made ready once, for many runs."""

from tsdsae_keras.data.dmelodies import MelodySet, prepare_melodies
from tsdsae_keras.data.store import PreparedData


def prepare(settings, say=print):
    """Prepares dMelodies by the settings, or finds them prepared; returns the opened data."""
    melodies = MelodySet(
        melodies=settings.melodies,
        programs=settings.programs,
        octaves=settings.octaves,
        tonics=settings.tonics,
        scales=settings.scales,
        subset=settings.subset,
        seed=settings.data_seed,
        synth=settings.synth,
        soundfont=settings.soundfont,
    )
    data = PreparedData(prepare_melodies(melodies, cache=settings.cache, workers=settings.workers, say=say))
    counts = ", ".join(f"{count} {split}" for split, count in data.counts.items())
    say(f"data: {data.folder} ({counts}; synth {data.manifest['synth']['name']})")
    return data


def open_data(settings, say=print):
    """The data a run asks for: a prepared folder, or dMelodies, prepared where they are not."""
    if settings.data == "dmelodies":
        return prepare(settings, say)
    return PreparedData(settings.data)
