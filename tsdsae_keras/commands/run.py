"""What each command does once its options are understood: load the backend, call the library."""

import contextlib
import logging
from pathlib import Path

from tsdsae_keras.arguments import settings_of
from tsdsae_keras.backend import asked_backend, choose_backend, load_all, use_backend
from tsdsae_keras.base.family import resolve
from tsdsae_keras.errors import InputError
from tsdsae_keras.families import MODELS, find_family
from tsdsae_keras.options import flag
from tsdsae_keras.process import keep_memory, log_level
from tsdsae_keras.settings import MODEL, settings_from_dict
from tsdsae_keras.training.devices.launch import launch, must_launch
from tsdsae_keras.training.devices.place import parse
from tsdsae_keras.training.processes import end_with_parent
from tsdsae_keras.training.run import new_name


def train(options):
    """A new run, several, or one that is resumed."""
    resumed, seeds = options.pop("resume"), options.pop("seeds")
    asked = parse(options.pop("devices"), options.pop("hosts"))
    if asked and seeds is not None:
        raise InputError("--devices shares one run and --seeds trains several at once; leave out one of them")
    if resumed is not None:
        return _resume(resumed, options if seeds is None else options | {"seeds": seeds}, asked)
    if seeds is not None and "seed" in options:
        raise InputError("--seeds names the seeds; leave out --seed")
    settings = settings_of({"backend": asked_backend(options)} | options)
    if must_launch(settings.backend, asked):
        return _launch_new(settings, asked)
    end_with_parent()
    load_all(settings.backend)
    if seeds is None:
        from tsdsae_keras.training.train import train

        with _devices(settings, asked) as devices:
            train(settings, devices)
    else:
        from tsdsae_keras.training.train_seeds import train_seeds

        train_seeds(settings, seeds)


def _launch_new(settings, asked):
    """Has a new run trained by processes of its own, which must agree on its folder."""
    run = Path(settings.out or new_name(settings))
    if settings.out is None and asked.hosts:
        raise InputError("--hosts needs --out, a run folder that all of them see")
    launch(settings.backend, asked, run, () if settings.out else ("--out", str(run)))


@contextlib.contextmanager
def _devices(settings, asked):
    """The devices to train on; only one of several processes tells of its progress."""
    from tsdsae_keras.training.devices.opening import open_devices

    devices = open_devices(settings.backend, asked)
    if devices.processes > 1 and settings.out is None:
        raise InputError("several processes must agree on the run folder; give --out")
    with log_level(logging.INFO if devices.leads else logging.ERROR):
        yield devices


def _resume(folder, options, asked=None):
    from tsdsae_keras.training.run import runs_in

    runs = runs_in(folder)
    settings = settings_from_dict(runs[0].read_settings()["settings"])
    other = [name for name, value in options.items() if (name, value) != ("backend", settings.backend)]
    if other:
        raise InputError(f"--resume takes the settings of {folder}; leave out {' '.join(map(flag, other))}")
    whole = runs[0].folder == Path(folder)
    if asked and not whole:
        raise InputError(f"{folder} holds runs of --seeds, which train on one device; leave out --devices")
    if must_launch(settings.backend, asked) and not runs[0].evaluation.is_file():
        return launch(settings.backend, asked, Path(folder))
    end_with_parent()
    load_all(settings.backend)
    from tsdsae_keras.training.train import resume
    from tsdsae_keras.training.train_seeds import resume_seeds

    if whole:
        with _devices(settings.replace(out=str(folder)), asked) as devices:
            resume(runs[0], settings, devices)
    else:
        resume_seeds(folder, runs)


def prepare_set(options):
    """A data set, made ready."""
    from tsdsae_keras.data.sets import prepare_data

    # Options are those of a run of a model that trains on it, whichever that is.
    model = next(name for name in MODELS if options["data"] in find_family(name).data)
    prepare_data(settings_of({"model": model} | options))


def prepare_recordings(source, options):
    """Sound files of one's own or of a corpus. The backend is chosen, not loaded: only CREPE needs it."""
    keep_memory()
    choose_backend(asked_backend(options))
    from tsdsae_keras.commands.prepare import prepare_sound

    prepare_sound(source, **options)


def evaluate(options):
    """All scores of a saved model."""
    use_backend(asked_backend(options))
    from tsdsae_keras.training.evaluate import evaluate

    evaluate(**options)


def probe(options):
    """Linear probes of a model's embedding."""
    use_backend(asked_backend(options))
    from tsdsae_keras.commands.probe import probe_model

    probe_model(**options)


def tune(options):
    """A search."""
    from tsdsae_keras.search.tune import run

    run(options)


def import_checkpoint(options):
    """A model from a checkpoint of a paper's authors."""
    use_backend(asked_backend(options))
    model, family = options.pop("model"), options.pop("family")
    card = find_family(model or family or MODEL)
    if not card.checkpoint:
        raise InputError(f"checkpoints of {' '.join(card.models)} cannot be imported; take one of another family")
    card.part("checkpoint")(**options, model=model)


def doctor(options):
    """What is installed and what works."""
    name = asked_backend(options)
    from tsdsae_keras.commands.doctor import doctor

    return doctor(lambda: load_all(name))


def family_command(name, owners, options):
    """What a family does with one of its models; of a command that several families have, that of the model's."""
    use_backend(asked_backend(options))
    from tsdsae_keras.base.model_class import card_of
    from tsdsae_keras.training.model_files import model_file

    found = card_of(model_file(options["model"]))
    command = next((each for card, each in owners if card.package == found.package), None)
    if command is None:
        raise InputError(f"{name} cannot be used with {' '.join(found.models)}")
    return resolve(found.package, command.run)(**options)


def family_tool(card, command, arguments, options):
    """What a family does without a model."""
    return resolve(card.package, command.run)(options, arguments)
