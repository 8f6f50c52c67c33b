"""The card of dMelodies."""

from dataclasses import dataclass

from tsdsae_keras.data.sets import DataSet, DataSettings
from tsdsae_keras.options import option


@dataclass(frozen=True)
class MelodySettings(DataSettings):
    """Which melodies are drawn and how they sound; see `data.sets.dmelodies`."""

    melodies: int = option(3000, "melodies to draw", least=1)
    programs: tuple[int, ...] = option((40, 56), "General MIDI programs, zero-based")
    octaves: tuple[int, ...] = option((4,), "octaves to draw from: 4 5 6")
    tonics: tuple[str, ...] = option(("C",), "tonics to draw from: C C# ... B")
    scales: tuple[str, ...] = option(("major",), "scales to draw from: major minor blues")
    subset: str = option("paper", "rhythms: the paper's (outer slots sound) or all", choices=("paper", "all"))
    floor_db: float = option(
        0.0, "floor of log-mel, in dB below the loudest mel power of a melody; 0: none, as published", least=0, most=150
    )
    synth: str = option("auto", "what renders the notes", choices=("auto", "fluidsynth", "additive"))
    soundfont: str | None = option(None, "SoundFont for FluidSynth (default: $TSDSAE_SOUNDFONT, then Debian's places)")


DATA_SET = DataSet(
    title="melodies of two bars by several instruments, rendered by a synthesiser",
    settings=MelodySettings,
    open="tsdsae_keras.data.sets.dmelodies:open_melodies",
)
