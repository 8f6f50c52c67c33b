"""The commands on models of physical symmetry and their options. Light: read while the command line is understood."""

from tsdsae_keras.base.family import Command


def _pitch(parser):
    parser.add_argument("file", metavar="SOUND", help="a monophonic sound file")
    parser.add_argument("--out", required=True, help="the track to write, .csv; a picture goes next to it")


def _transpose(parser):
    parser.add_argument("file", metavar="SOUND", help="a monophonic sound file")
    parser.add_argument("--by", type=float, required=True, metavar="SEMITONES", help="how far, up or down")
    parser.add_argument("--out", required=True, help="the sound file to write: .wav, .flac or .ogg")


def _predict(parser):
    parser.add_argument("file", metavar="INPUT", help="a sound file, an animated picture, or a folder of frames")
    parser.add_argument("--beginning", type=int, metavar="N", help="frames that are seen (default: as in training)")
    parser.add_argument("--frames", type=int, metavar="N", help="length in all (default: as long as the input)")
    parser.add_argument("--out", required=True, help="the sound to write, or for video a .gif")


def _embed(parser):
    parser.add_argument("files", nargs="+", metavar="INPUT", help="sound files, animated pictures, folders of frames")
    parser.add_argument("--out", required=True, metavar="CODES", help="the .npz file to write; numpy.load reads it")


COMMANDS = {
    "pitch": Command("the pitch of a sound file, as a track", _pitch, "commands.sound:pitch"),
    "transpose": Command("a sound file, moved by semitones", _transpose, "commands.sound:transpose"),
    "predict": Command("what the prior imagines after a beginning", _predict, "commands.use:predict"),
    "embed": Command("the codes of files, for other programs", _embed, "commands.use:embed"),
}
