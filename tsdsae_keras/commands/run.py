"""What each command does once its options are understood: load the backend, call the library."""

from pathlib import Path

from tsdsae_keras.arguments import settings_of
from tsdsae_keras.backend import asked_backend, choose_backend, load_all, use_backend
from tsdsae_keras.base.family import resolve
from tsdsae_keras.errors import InputError
from tsdsae_keras.families import MODELS, find_family
from tsdsae_keras.options import flag
from tsdsae_keras.process import keep_memory
from tsdsae_keras.settings import MODEL, settings_from_dict


def train(options):
    """A new run, several, or one that is resumed."""
    resumed, seeds = options.pop("resume"), options.pop("seeds")
    if resumed is not None:
        return _resume(resumed, options if seeds is None else options | {"seeds": seeds})
    if seeds is not None and "seed" in options:
        raise InputError("--seeds names the seeds; leave out --seed")
    settings = settings_of({"backend": asked_backend(options)} | options)
    load_all(settings.backend)
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
    load_all(settings.backend)
    from tsdsae_keras.training.train import resume
    from tsdsae_keras.training.train_seeds import resume_seeds

    if runs[0].folder == Path(folder):
        resume(runs[0], settings)
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
