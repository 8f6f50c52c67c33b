"""The command line: options read off dataclasses, a backend chosen, a function of the library called.

Nothing heavy is imported before the options are understood, so that `--help` and refusals are immediate.
"""

import argparse
import functools
import sys
from pathlib import Path

from tsdsae_keras.arguments import add_run_options, add_settings, overview, peek
from tsdsae_keras.base.model_class import card_of, pretrained_files
from tsdsae_keras.commands import run as doors
from tsdsae_keras.commands.prepare_options import add_prepare_options
from tsdsae_keras.commands.probe_options import add_probe_options
from tsdsae_keras.errors import InputError, Stopped, TrainingDiverged
from tsdsae_keras.families import MODELS, all_families
from tsdsae_keras.process import log_to_stdout

MODEL = "a run folder, a .keras file, or a trained model of the library such as dmelodies-z16"


class _Parser(argparse.ArgumentParser):
    def error(self, message):
        raise InputError(f"{message}; see {self.prog} --help")


def main(arguments=None):
    """Runs the command line and returns the exit status: 0, 2 for an error, 130 or 143 when stopped."""
    try:
        arguments = sys.argv[1:] if arguments is None else list(arguments)
        options = vars(_parser(arguments).parse_args(arguments))
        with log_to_stdout():
            status = options.pop("run")(options)
        return status if isinstance(status, int) else 0  # others give what they found, for those who call from Python
    except (InputError, TrainingDiverged) as error:
        print(f"error: {error}", file=sys.stderr)
        return 2
    except Stopped as stopped:
        print(stopped, file=sys.stderr)
        return stopped.status
    except KeyboardInterrupt:
        print("interrupted", file=sys.stderr)
        return 130


def train(arguments=None):
    """`train.py`: the sub-command `train`."""
    return main(["train", *(sys.argv[1:] if arguments is None else arguments)])


def _parser(arguments=()):
    text = "Representations whose parts mean something, learned without labels, on Keras 3."
    parser = _Parser(prog="tsdsae-keras", description=text)
    commands = parser.add_subparsers(required=True, metavar="COMMAND")
    for add in (_add_train, _add_prepare, _add_evaluate, _add_probe, _add_tune):
        add(commands, arguments)
    add = commands.add_parser("import-checkpoint", help="make a .keras file of a checkpoint of the authors' code")
    add.add_argument("file", help="a PyTorch checkpoint; nothing in it is executed")
    add.add_argument("model_file", help="the .keras file to write")
    add.add_argument("--model", choices=MODELS, metavar="NAME", help="which model it is (default: what the file says)")
    add.add_argument("--family", choices=MODELS, metavar="NAME", help="a model of its family (default: tsdsae)")
    add_run_options(add, "backend")
    add.set_defaults(run=doors.import_checkpoint)
    add = commands.add_parser("doctor", help="say what is installed and missing, and run a smoke test")
    add_run_options(add, "backend")
    add.set_defaults(run=doors.doctor)
    _add_family_commands(commands, arguments)
    return parser


def _asks(command, arguments):
    """Whether a command line is of this command, so that only its own options are looked up."""
    return bool(arguments) and arguments[0] == command


def _add_train(commands, arguments):
    whole = _asks("train", arguments) and not any(each.split("=")[0] == "--model" for each in arguments)
    more = {"epilog": overview(), "formatter_class": argparse.RawDescriptionHelpFormatter} if whole else {}
    add = commands.add_parser("train", help="train, save and evaluate a model", **more)
    add.add_argument("--resume", metavar="RUN", help="resume an unfinished run folder, with its own settings")
    text = "train several seeds in one program (with --backend jax), each in a run folder seed-N"
    add.add_argument("--seeds", metavar="N", type=int, nargs="+", help=text)
    text = "share each batch between N devices of this machine, or all (see docs/devices.md)"
    add.add_argument("--devices", metavar="N", help=text)
    text = "train on several machines: their names, the first with a port; run the same command on each"
    add.add_argument("--hosts", metavar="NAME", nargs="+", help=text)
    if _asks("train", arguments):
        hidden = whole and any(each in ("-h", "--help") for each in arguments)
        if hidden:
            add_run_options(add, "backend", "preset", "model", "data", "epochs", "batch_size", "seed", "out")
        else:
            add_settings(add, arguments)
    add.set_defaults(run=doors.train)


def _add_prepare(commands, arguments):
    add = commands.add_parser("prepare", help="prepare data once, for many runs")
    add_prepare_options(add, arguments, doors)


def _add_evaluate(commands, arguments):
    add = commands.add_parser("evaluate", help="score a saved model on test data, as JSON and as a page")
    add.add_argument("model", help=MODEL)
    add.add_argument("--data", help="a prepared folder or a data set (default: the one of the run)")
    text = "where to write scores (JSON); report.html goes next to it (default: evaluation.json next to the model)"
    add.add_argument("--out", help=text)
    add_run_options(add, "backend", "seed")
    for card in all_families() if _asks("evaluate", arguments) else ():
        if card.report_options:
            group = add.add_argument_group(f"options for {' '.join(card.models)}", argument_default=argparse.SUPPRESS)
            card.part("report_options")(group.add_argument)
    add.set_defaults(run=doors.evaluate)


def _add_probe(commands, arguments):
    text = "how well labels of sounds can be read off the embedding of a model, next to features without learning"
    add = commands.add_parser("probe", help=text, description=text)
    add.add_argument("model", help=MODEL)
    if _asks("probe", arguments):
        add_probe_options(add)
    add_run_options(add, "backend", "seed")
    add.set_defaults(run=doors.probe)


def _add_tune(commands, arguments):
    from tsdsae_keras.search.card import search_card
    from tsdsae_keras.search.options import LEFT_OUT, add_tune_options

    add = commands.add_parser("tune", help="search for the smallest good model")
    if _asks("tune", arguments):
        add_tune_options(add, search_card(peek(arguments)[0]))
        add_settings(add, arguments, without=LEFT_OUT)
    add.set_defaults(run=doors.tune)


def _add_family_commands(commands, arguments):
    """What families do with their models, and without one."""
    known = {}
    for card in all_families():
        for name, command in (card.part("commands") or {}).items():
            known.setdefault(name, []).append((card, command))
        for name, tool in (card.part("tools") or {}).items():
            add = commands.add_parser(name, help=tool.help, description=tool.help)
            if _asks(name, arguments):
                tool.add_options(add, arguments)
            add.set_defaults(run=functools.partial(doors.family_tool, card, tool, arguments[1:]))
    for name, pairs in known.items():
        _, command = _pair_of(pairs, arguments) if _asks(name, arguments) else pairs[0]
        add = commands.add_parser(name, help=command.help, description=command.help)
        add.add_argument("model", help=MODEL)
        command.add_options(add)
        add_run_options(add, "backend")
        add.set_defaults(run=functools.partial(doors.family_command, name, pairs))


def _pair_of(pairs, arguments):
    """Of several families with a command of one name the one whose model is named, with its command."""
    given = next((each for each in arguments[1:] if not each.startswith("-")), None)
    if len(pairs) == 1 or given is None:
        return pairs[0]
    path = pretrained_files().get(given, Path(given))
    path = path / "model.keras" if path.is_dir() else path
    own = card_of(path) if path.is_file() else None
    return next((pair for pair in pairs if pair[0] is own), pairs[0])


if __name__ == "__main__":
    sys.exit(main())
