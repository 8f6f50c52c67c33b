"""The card of the major scales."""

from dataclasses import dataclass

from tsdsae_keras.data.sets import DataSet, DataSettings
from tsdsae_keras.options import option


@dataclass(frozen=True)
class ScaleSettings(DataSettings):
    """Which scales are played, and by what; see `data.sets.scales`."""

    programs: tuple[int, ...] = option((21,), "General MIDI programs, zero-based (21: accordion)", least=0, most=127)
    scales: int = option(26, "training scales of each program", least=2, most=4096)
    test_scales: int = option(26, "validation and test scales of each program, as many of each", least=2, most=4096)
    lowest: int = option(58, "lowest start pitch, MIDI", least=12, most=100)
    highest: int = option(83, "highest start pitch, MIDI", least=13, most=108)
    margin: float = option(0.0, "semitones by which training scales begin below the range", least=0, most=12)
    fractional: bool = option(True, "training scales start between semitones too; those of validation and test always")
    synth: str = option("auto", "what renders the notes", choices=("auto", "fluidsynth", "additive"))
    soundfont: str | None = option(None, "SoundFont for FluidSynth (default: $TSDSAE_SOUNDFONT, then Debian's places)")


DATA_SET = DataSet(
    title="major scales up and down, note by note (physical symmetry)",
    settings=ScaleSettings,
    open="tsdsae_keras.data.sets.scales:open_scales",
)
