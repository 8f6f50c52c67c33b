"""Models that are trained in stages: which parts train when, and the switch in the middle of training."""

from tsdsae_keras.base.compilation import recompile
from tsdsae_keras.base.model import RepresentationModel
from tsdsae_keras.errors import InputError


class StagedModel(RepresentationModel):
    """A model some of whose parts are frozen in some of its stages.

    A subclass names how many `stages` it has and, by `parts` and `frozen_parts`, what trains in each. The stage is an
    argument of its constructor, so a saved model is loaded in the stage it was in. A subclass calls `freeze` at the end
    of its constructor, once its parts are built: Keras never watches a weight that was created frozen.
    """

    stages = 1

    def parts(self):
        """The layers that may train, by name."""
        return {}

    def frozen_parts(self):
        """The layers that do not train in the current stage."""
        return ()

    def leave_stage(self):
        """Called before the stage changes, to take what the next one needs from the present weights."""

    def enter_stage(self, stage):
        """Goes to a stage: sets which parts train.

        A compiled model is compiled again; the optimizer keeps its step count and, for the weights that continue to
        train, its moments.

        Raises:
            InputError: for a stage this model does not have.
        """
        if stage not in range(1, self.stages + 1):
            most = "only stage 1" if self.stages == 1 else f"stages 1 to {self.stages}"
            raise InputError(f"stage {stage!r} does not exist: {type(self).__name__} has {most}")
        if stage == self.stage:
            return
        if stage > self.stage:
            self.leave_stage()
        self.stage = stage
        self.freeze()
        if self.compiled:
            recompile(self)

    def freeze(self):
        """Sets the trainable flag of every part as the current stage wants it."""
        frozen = self.frozen_parts()
        for part in self.parts().values():
            part.trainable = not any(part is other for other in frozen)

    def phase(self):
        return {"stage": self.stage}

    def is_selectable(self):
        # The losses of two stages cannot be compared, so nothing is kept or counted before the last.
        return self.stage == self.stages

    def get_config(self):
        return super().get_config() | {"stage": self.stage}
