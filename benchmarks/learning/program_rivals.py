"""The program of the rivals of 1997, whose nets bring their own learning procedures.

For tasks with a teacher signal at every step, as all those are on which the paper compares.
"""

from typing import Protocol, runtime_checkable

import jax
from flax import nnx

from benchmarks.learning.experiment import Recipe
from benchmarks.learning.learners import Online
from benchmarks.learning.program import Trial
from benchmarks.learning.program_every_step import EveryStepProgram
from models.lstm97.forward import LOGISTIC
from tasks.sequence import Sequence


@runtime_checkable
class Follows(Protocol):
    """A recipe of nets that says how they learn from a sequence."""

    def follow(
        self,
        params: nnx.State,
        inputs: jax.Array,
        length: jax.Array,
        targets: jax.Array,
        rate: jax.Array,
        at_once: bool,
    ) -> tuple[jax.Array, nnx.State]:
        """One sequence of one trial, by gradient descent on half the squared error.

        Args:
            params: of a network of this recipe.
            inputs: `[T, n_in]`, one-hot.
            length: `[]` int32.
            targets: `[T, n_out]`, of logistic output units.
            rate: `[]`, learning rate.
            at_once: whether every step goes with the weights that the step before has changed;
                else all changes are added after the last step.

        Returns:
            Outputs `[T, n_out]` when they were compared with the targets, zero from `length` on,
            and the changed parameters.
        """


class RivalProgram(EveryStepProgram):
    """The compiled functions of a recipe; see `Program`.

    Raises:
        ValueError: the learner's outputs are not logistic, or the task asks at the end only.
    """

    cpu_lanes = 6  # their vectors are within a trial; 18 and 30 trials leave none of six idle

    def __init__(self, recipe: Recipe):
        assert isinstance(recipe.learner, Online)  # no other asks for this program
        if recipe.learner.output is not LOGISTIC or not recipe.task.every_step:
            raise ValueError("rivals learn with logistic outputs and a target at every step")
        super().__init__(recipe)

    def _check(self, recipe: Recipe) -> None:
        assert isinstance(recipe.model, Follows)

    def _follow(self, rates: jax.Array, trials: Trial, sequence: Sequence):
        """Outputs `[lane, T, n_out]` and changed parameters after one sequence of each lane."""
        at_once, model = self.learner.at_once, self.recipe.model
        assert isinstance(model, Follows)

        def one(params, inputs, length, targets, rate):
            return model.follow(params, inputs, length, targets, rate, at_once)

        return jax.vmap(one)(
            trials.params, sequence.inputs, sequence.length, sequence.targets, rates
        )
