"""`tsdsae-keras embed MODEL files...`: embeddings of sound files, for other programs. Light."""

from tsdsae_keras.base.family import Command


def add_options(parser):
    """Adds the files and where the embeddings go."""
    parser.add_argument("files", nargs="+", metavar="SOUND", help="what to embed")
    parser.add_argument("--out", required=True, metavar="CODES", help="the .npz file to write; numpy.load reads it")


COMMANDS = {"embed": Command("the embeddings of sound files, for other programs", add_options, "embedding:embed_files")}
