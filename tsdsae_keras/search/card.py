"""What a family's models can be searched for, and over what. Light: no backend is loaded."""

from collections.abc import Callable
from dataclasses import dataclass, field


def _shorten(settings, epochs):
    return settings.replace(epochs=epochs)


@dataclass(frozen=True)
class SearchCard:
    """The part `search` of a family's card.

    Attributes:
        objectives: {name: "max" or "min"}, measures of a trained model that need not be the loss, the first by default;
            "val_loss" and the one called `selection` can always be searched for.
        selection: name of the validation sum by which a run's best epoch was kept.
        spaces: {name: (base settings) -> ranges}, the first by default.
        sizes: options by which, in this order, the smallest of equally good models is taken.
        measures: names of what TensorBoard's HParams page shows of a trial.
        unit_measures: those of them that go from 0, worst, to 1, best.
        scorer: "module:class" of the family: (data, settings) -> an object with `check(objective)`, which raises
            InputError where the data do not allow it, and a call (model) -> {measure: number}; None where the
            validation losses are all there is.
        agreement: (measure, names of measures that labels gave): how well the one ranks trials as the others' mean.
        shorten: (settings, epochs) -> settings of a shorter run of the same kind.
        page: "module:function" of the family: (model, data, seed) -> {"test": groups of rows, "sounds": list,
            "pictures": dict} of the model that is taken, as in `report.page`.
    """

    objectives: dict = field(default_factory=dict)
    selection: str = "val_selection"
    spaces: dict = field(default_factory=dict)
    sizes: tuple = ()
    measures: tuple = ()
    unit_measures: tuple = ()
    scorer: str | None = None
    agreement: tuple | None = None
    shorten: Callable = _shorten
    page: str | None = None

    @property
    def directions(self):
        """{objective: "max" or "min"} of all that can be searched for."""
        return {**self.objectives, "val_loss": "min", self.selection: "min"}


def search_card(card):
    """The `SearchCard` of a family; one of the validation losses alone where its card has none."""
    return card.part("search") or SearchCard()
