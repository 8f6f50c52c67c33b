"""The options of `tsdsae-keras prepare folder|urmp|nsynth`; nothing heavy is imported."""

import argparse
import functools
from dataclasses import fields

from tsdsae_keras.arguments import add_fields, add_run_options
from tsdsae_keras.data.sets import SETS, find_data

SOURCES = {
    "folder": "your own sound files: a folder of WAV, FLAC, Ogg, Opus, MP3, AIFF ...",
    "urmp": "URMP, as it is distributed or as it was published preprocessed",
    "nsynth": "NSynth, its JSON and WAV form",
}


def add_prepare_options(parser, arguments, doors):
    """Adds a sub-command for each data set that is made or read.

    Args:
        parser: of `prepare`.
        arguments: the command line.
        doors: `commands.run`, which does what is asked.
    """
    kinds = parser.add_subparsers(required=True, metavar="DATA")
    for name in SETS:
        card = find_data(name, name)
        add = kinds.add_parser(name, help=card.title, description=card.title)
        names = [each.name for each in fields(card.settings)]
        add_fields(add, card.settings, names)
        if "folder" in names:
            add.add_argument("folder", metavar="DIR", nargs="?", default=argparse.SUPPRESS, help="the same as --folder")
        add.set_defaults(run=doors.prepare_set, data=name)
    for name, text in SOURCES.items():
        add = kinds.add_parser(name, help=text, description=text)
        add_source_options(add, name)
        add_run_options(add, "backend")
        add.set_defaults(run=functools.partial(doors.prepare_recordings, name))


def add_source_options(parser, source):
    """Adds what a source has in common with the others, and its own."""
    parser.add_argument("folder", metavar="DIR", help="the folder that holds the sound")
    parser.add_argument("--out", required=True, metavar="DATA", help="the prepared folder to make")
    _OWN[source](parser.add_argument)
    _add_segments(parser.add_argument, source)
    _add_front_end(parser.add_argument)
    add = parser.add_argument
    text = "format of the shards; tfrecord is for data in object storage, with the same values (default: npy)"
    add("--format", choices=("npy", "tfrecord"), default="npy", help=text)
    add("--seed", type=int, default=0, help="seed of the splits (default: 0)")
    add("--workers", type=int, default=2, help="recordings to process at once (default: 2)")
    text = (
        "threads, processes, or a cluster: the one that DASK_SCHEDULER_ADDRESS or RAY_ADDRESS names, else a local one"
    )
    add(
        "--jobs", choices=("threading", "loky", "dask", "ray"), default="threading", help=f"{text} (default: threading)"
    )


def _add_segments(add, source):
    add("--segment", type=float, default=4.0, help="length of a sequence in seconds; 0: whole files (default: 4)")
    add("--hop", type=float, help="seconds between the starts of segments (default: the length of a segment)")
    text = "least level, in dB re full scale before normalisation; quieter segments are left out (default: -50)"
    add("--min-level", type=float, default=-50.0, help=text)
    text = "least pitch confidence, 0 to 1; segments below it are left out (default: %s)"
    own = "0.85 if there is CREPE or an F0 file, else 0" if source == "urmp" else "0: all are used"
    add("--min-pitch-confidence", type=float, help=text % own)
    text = "what measures pitch confidence; auto: CREPE if installed, else URMP's F0 file, else pYIN (default: auto)"
    add("--pitch", choices=("auto", "crepe", "pyin"), default="auto", help=text)
    add(
        "--normalise",
        choices=("peak", "loudness", "none"),
        default="peak",
        help="normalise to peak 1 or to -23 LUFS (default: peak)",
    )
    together = "group" if source == "urmp" else "file"
    text = f"what is scaled by one factor (default: {together})"
    add("--normalise-by", choices=("file", "group"), default=together, help=text)


def _add_front_end(add):
    add("--sample-rate", type=int, default=16000, help="sample rate in Hz (default: 16000)")
    add("--mels", dest="n_mels", type=int, default=80, help="mel bands per frame (default: 80)")
    add("--n-fft", type=int, default=2048, help="samples per frame (default: 2048)")
    add("--hop-length", type=int, default=256, help="samples between the starts of frames (default: 256)")
    add("--fmin", type=float, default=0.0, help="lowest frequency of the bands, Hz (default: 0)")
    text = "floor of log-mel, in dB below the loudest mel power of a recording; 0: none (default: 60)"
    add("--floor-db", type=float, default=60.0, help=text)
    add("--fmax", type=float, help="highest frequency of the bands, Hz (default: half the sample rate)")


def _add_folder(add):
    text = "'folder': each file's folder names its instrument; or a CSV with a column 'file' and one for each label"
    add("--labels", metavar="folder|CSV", help=f"{text} (default: none)")
    text = "what is never in two splits: a file, a folder, a column of the labels, or what REGEX matches in names"
    add("--split-by", default="file", metavar="file|folder|COLUMN|REGEX", help=f"{text} (default: file)")


def _add_urmp(add):
    text = "URMP's short names (default: vn tpt)"
    add("--instruments", nargs="+", default=("vn", "tpt"), metavar="X", help=text)
    text = "by recording, or over segments as published, which leaks (default: recording)"
    add("--split", choices=("recording", "published"), default="recording", help=text)


def _add_nsynth(add):
    add("--families", nargs="+", metavar="X", help="such as brass string (default: all)")
    add("--sources", nargs="+", metavar="X", help="acoustic, electronic, synthetic (default: all)")
    text = "every instrument in one split, or as published (default: instrument)"
    add("--split", choices=("instrument", "published"), default="instrument", help=text)


_OWN = {"folder": _add_folder, "urmp": _add_urmp, "nsynth": _add_nsynth}
