"""`tsdsae-keras embed MODEL files...`, and the options of `evaluate`. Light: no backend is loaded."""

from tsdsae_keras.base.family import Command


def add_options(parser):
    """Adds the files and where the embeddings go."""
    parser.add_argument("files", nargs="+", metavar="SOUND", help="what to embed")
    parser.add_argument("--out", required=True, metavar="CODES", help="the .npz file to write; numpy.load reads it")


def add_report_options(add):
    """Adds those of `evaluate`, by a parser's `add_argument`; what is not given stays out of the namespace."""
    text = "to probe: names as `probe` takes them (default: those reported that are installed)"
    add("--tasks", nargs="+", metavar="TASK", help=text)
    text = "ridge, in closed form, or EVAR's: one layer by Adam (default: ridge)"
    add("--protocol", choices=("ridge", "evar"), help=text)


COMMANDS = {"embed": Command("the embeddings of sound files, for other programs", add_options, "embedding:embed_files")}
