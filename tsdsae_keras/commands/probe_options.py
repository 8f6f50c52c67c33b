"""The options of `tsdsae-keras probe`; nothing heavy is imported."""

from tsdsae_keras.data.tasks import TASKS


def add_probe_options(parser):
    """Adds tasks, labels, protocol and where scores go."""
    known = "; ".join(f"{name}: {about}" for name, (_, about) in TASKS.items())
    text = f"a task, evar:NAME=FOLDER (esc50 us8k spcv2 gtzan nsynth), or a folder of labelled sounds. {known}"
    parser.add_argument("tasks", nargs="+", metavar="TASK", help=text.replace("%", "%%"))
    text = "other models for the same table"
    parser.add_argument("--compare", nargs="+", default=(), metavar="MODEL", help=text)
    text = (
        "of a folder: 'folder', its sub-folders name the classes, or a CSV with a column 'file' and one for the label"
    )
    parser.add_argument("--labels", default="folder", metavar="folder|CSV", help=f"{text} (default: folder)")
    text = "of a folder: what is never in train and test both: a file, a folder, a column, or what REGEX finds in names"
    parser.add_argument(
        "--split-by", default="file", metavar="file|folder|COLUMN|REGEX", help=f"{text} (default: file)"
    )
    text = "ridge, in closed form, or EVAR's: one layer by Adam"
    parser.add_argument("--protocol", choices=("ridge", "evar"), default="ridge", help=f"{text} (default: ridge)")
    parser.add_argument("--cache", default="data", help="folder in which rendered notes are kept (default: data)")
    parser.add_argument("--out", metavar="JSON", help="where to write the scores (default: they are only shown)")
