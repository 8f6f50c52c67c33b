"""The commands on sound files and their options. Light: read while the command line is understood."""

import functools

from tsdsae_keras.base.family import Command


def _swap(parser):
    parser.add_argument("--melody", required=True, metavar="SOUND", help="where the melody is from")
    parser.add_argument("--timbre", required=True, help="where the timbre is from; of several, the mean", **_SOUNDS)
    parser.add_argument("--out", **_OUT)


def _reconstruct(parser):
    parser.add_argument("file", metavar="SOUND", help="what to encode")
    parser.add_argument("--out", **_OUT)


def _morph(parser):
    parser.add_argument("first", metavar="SOUND", help="the melody, and the timbre of the first step")
    parser.add_argument("second", metavar="SOUND", help="the timbre of the last step")
    parser.add_argument("--steps", type=int, default=8, help="files to write, both ends included (default: 8)")
    parser.add_argument("--out", default="morph", help="a new folder for 1.wav, 2.wav ... (default: morph)")


def _generate(parser):
    parser.add_argument("--n", type=int, default=4, help="how many (default: 4)")
    parser.add_argument("--seconds", type=float, default=4.0, help="length of each (default: 4)")
    parser.add_argument(
        "--timbre", default=(), help="where the timbre is from (default: drawn from N(0, I))", **_SOUNDS
    )
    parser.add_argument("--out", default="generated", help="a new folder for 1.wav, 2.wav ... (default: generated)")


def _embed(parser):
    parser.add_argument("files", help="what to encode", **_SOUNDS)
    parser.add_argument("--out", required=True, metavar="CODES", help="the .npz file to write; numpy.load reads it")


def _add(parser, own, makes_sound):
    """Adds the options of one of the commands; those that make sound take a seed and a vocoder."""
    own(parser)
    parser.add_argument("--paper-front-end", action="store_true", help="where a model does not name its front end")
    if makes_sound:
        parser.add_argument("--vocoder", metavar="KERAS", help="a model from log-mel to samples (default: Griffin-Lim)")
        parser.add_argument("--seed", type=int, default=0, help="seed of phases and of what is drawn (default: 0)")


def _command(help, own, makes_sound=True):
    name = own.__name__.removeprefix("_")
    return Command(help, functools.partial(_add, own=own, makes_sound=makes_sound), f"sound.commands:{name}")


_SOUNDS = {"nargs": "+", "metavar": "SOUND"}
_OUT = {"required": True, "help": "the sound file to write: .wav, .flac or .ogg"}
COMMANDS = {
    "swap": _command("the melody of one sound file with the timbre of others", _swap),
    "reconstruct": _command("a sound file encoded and decoded", _reconstruct),
    "morph": _command("a melody whose timbre changes to that of another file in steps", _morph),
    "generate": _command("new melodies", _generate),
    "embed": _command("the codes of sound files, for other programs", _embed, makes_sound=False),
}
