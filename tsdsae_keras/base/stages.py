"""Stages: which parts train when, and the switch from one to the next in the middle of training."""

from tsdsae_keras.base.compilation import portable, recompile
from tsdsae_keras.errors import InputError


class Stages:
    """What a model with stages can do; mixed into the base.

    A model names its `stages` and, by `frozen_parts`, what does not train in each. The stage is part of the
    configuration, so a saved model is loaded in the stage it was in.
    """

    stages = 1

    def frozen_parts(self):
        """The layers that do not train in the current stage."""
        return ()

    def parts(self):
        """The layers that may train, by name."""
        return {part.name: part for part in (self.q_v, self.q_z, self.p_z, self.p_x)}

    def inform_prior(self):
        """Takes what the next stage's prior needs from the present state; nothing here."""

    def enter_stage(self, stage):
        """Goes to a stage: sets which parts train, and on the way from 1 to 2 informs the prior.

        A compiled model is compiled anew; the optimizer keeps its step count and, for the weights that go on
        training, its moments.

        Raises:
            InputError: for a stage this model does not have.
        """
        if stage not in range(1, self.stages + 1):
            most = "only stage 1" if self.stages == 1 else f"stages 1 to {self.stages}"
            raise InputError(f"stage {stage!r} does not exist: {type(self).__name__} has {most}")
        if stage == self.stage:
            return
        if stage == 2:
            self.inform_prior()
        self.stage = stage
        self._freeze()
        if self.compiled:
            recompile(self)

    def get_compile_config(self):
        return portable(super().get_compile_config())

    def _freeze(self):
        frozen = self.frozen_parts()
        for part in self.parts().values():
            part.trainable = not any(part is other for other in frozen)
