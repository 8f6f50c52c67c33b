"""The card of the pool."""

from dataclasses import dataclass

from tsdsae_keras.data.sets import DataSet, DataSettings
from tsdsae_keras.options import option

SOURCES = ("synth", "hydrogen", "klettres", "ktuberling", "sonic-pi", "hedgewars", "asterisk", "wesnoth", "fluidr3")


@dataclass(frozen=True)
class PoolSettings(DataSettings):
    """Which sounds are in a pool; see `data.sets.pool.open_pool`."""

    sources: tuple[str, ...] = option(
        ("auto",),
        "auto: every installed package of recordings, and synthesised sounds where there is none; folder: only "
        f"--folder; or some of {' '.join(SOURCES)}",
        choices=("auto", "folder", *SOURCES),
    )
    folder: str | None = option(None, "a folder of sound files of your own to add")
    sounds: int = option(600, "synthesised sounds to make", least=8, most=100_000)
    keep_out: tuple[str, ...] = option(
        ("usual",),
        "tasks whose test sounds must not be in the pool, by content; usual: all that are installed but voice20 and "
        "language11; or folders and evar:NAME=FOLDER",
    )
    minutes: float | None = option(None, "length at which the pool ends (default: none)", above=0)


DATA_SET = DataSet(
    title="sounds without labels, to learn from: installed packages of recordings, your own folder, or synthesised",
    settings=PoolSettings,
    open="tsdsae_keras.data.sets.pool:open_pool",
)
