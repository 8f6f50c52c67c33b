"""A family of another program, on data of its own: an autoencoder of vectors, without v, z, stages or sound."""

from dataclasses import dataclass

from tsdsae_keras.base.family import Family
from tsdsae_keras.data.sets import SETS, DataSet, DataSettings
from tsdsae_keras.families import MODELS
from tsdsae_keras.options import Options, option


@dataclass(frozen=True)
class ToySettings(Options):
    """Options of the autoencoder."""

    code: int = option(2, "dimensions of the code", least=1)


FAMILY = Family(
    package=__name__,
    title="a code of a vector",
    models={"toy": "a linear autoencoder"},
    settings=ToySettings,
    presets={"quick": {"epochs": 3, "batch_size": 8, "learning_rate": 1e-2}},
    data=("toy-vectors",),
    build="model:build",
    batches="model:batches",
    evaluate="model:evaluate",
    table="model:table",
    classes=("model:Toy",),
)
DATA_SET = DataSet("vectors on a plane", DataSettings, f"{__name__}.model:open_vectors")


def main(arguments):
    """The command line of the library in a program that has this family."""
    from tsdsae_keras import cli

    MODELS["toy"], SETS["toy-vectors"] = __name__, __name__
    return cli.main(arguments)
