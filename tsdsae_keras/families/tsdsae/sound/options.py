"""The options of the commands on sound files. Light: read while the command line is understood."""

SOUND_COMMANDS = {
    "swap": "the melody of one sound file with the timbre of others",
    "reconstruct": "a sound file encoded and decoded",
    "morph": "a melody whose timbre goes over to that of another file in steps",
    "generate": "new melodies",
    "embed": "the codes of sound files, for other programs",
}


def add_sound_options(parser, name):
    """Adds the options of one of the commands; those that make sound take a seed and a vocoder."""
    _OPTIONS[name](parser)
    parser.add_argument("--paper-front-end", action="store_true", help="where a model does not name its front end")
    if name != "embed":
        parser.add_argument("--vocoder", metavar="KERAS", help="a model from log-mel to samples (default: Griffin-Lim)")
        parser.add_argument("--seed", type=int, default=0, help="of phases and of what is drawn (default: 0)")


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


_SOUNDS = {"nargs": "+", "metavar": "SOUND"}
_OUT = {"required": True, "help": "the sound file to write: .wav, .flac or .ogg"}
_OPTIONS = {"swap": _swap, "reconstruct": _reconstruct, "morph": _morph, "generate": _generate, "embed": _embed}
