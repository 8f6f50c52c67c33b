"""The commands on images and their options, and those of `evaluate`. Light: read with the command line."""

from tsdsae_keras.base.family import Command


def add_options(add):
    """Adds the options of `evaluate`, by a parser's `add_argument`; what is not given stays out of the namespace."""
    text = "training steps of the decoder that shows what codes keep of images; 0: leave it out (default: 600)"
    add("--decoder-steps", type=int, help=text)


def _align(parser):
    parser.add_argument("first", metavar="IMAGE", help="an image")
    parser.add_argument("second", metavar="IMAGE", help="another one of the same kind of thing")


def _embed(parser):
    parser.add_argument("files", nargs="+", metavar="IMAGE", help="what to encode")
    parser.add_argument("--out", required=True, metavar="CODES", help="the .npz file to write; numpy.load reads it")


COMMANDS = {
    "align": Command("the symmetry that leads from one image to another", _align, "commands:align"),
    "embed-images": Command("poses and classes of images", _embed, "commands:embed"),
}
