"""The program of the learner that changes weights after every step of a sequence.

For the 1997 networks where there is a teacher signal at every step (experiments 1, 2a and 2b).
"""

import functools

import jax
import jax.numpy as jnp

from benchmarks import xla
from benchmarks.experiment import Recipe
from benchmarks.forward import ForwardProgram
from benchmarks.trial import Program, Trial, select, unless_finished
from models import lag97_stepwise, lstm97_stepwise
from models.lag97 import LagNet97
from models.lstm97 import Net97
from models.lstm97_forward import from_params, to_params
from tasks.sequence import Sequence


class StepwiseProgram(Program):
    """The compiled functions of a recipe; see `Program`.

    Raises:
        ValueError: the net is neither a `Net97` with the truncated gradient nor a `LagNet97`.
    """

    cpu_lanes = ForwardProgram.cpu_lanes

    def __init__(self, recipe: Recipe):
        truncated = isinstance(recipe.model, Net97) and recipe.model.truncate
        if not truncated and not isinstance(recipe.model, LagNet97):
            raise ValueError("changing weights at every step needs the networks of 1997")
        super().__init__(recipe)
        options = xla.loop_options(jax.default_backend())
        self.train = jax.jit(self._train_lanes, donate_argnums=1, compiler_options=options)

    def _train_lanes(self, rates: jax.Array, trials: Trial, sequences: Sequence) -> Trial:
        def update(trials, sequence):
            outputs, params = self._follow(rates, trials, sequence)
            verdicts = jax.vmap(self.recipe.task.judge)(outputs, sequence)
            return jax.vmap(self._settle)(trials, params, verdicts), None

        by_update = jax.tree.map(lambda leaf: jnp.moveaxis(leaf, 1, 0), sequences)
        return jax.lax.scan(update, trials, by_update)[0]

    def _follow(self, rates: jax.Array, trials: Trial, sequence: Sequence):
        """Outputs `[lane, T, n_out]` and changed parameters after one sequence of each lane."""
        if isinstance(self.recipe.model, LagNet97):
            return jax.vmap(lag97_stepwise.follow)(
                trials.params,
                sequence.inputs,
                sequence.length,
                sequence.targets,
                rates,
                trials.growth.grown,
            )
        last = [jnp.moveaxis(leaf, 0, -1) for leaf in (sequence.inputs, sequence.targets)]
        outputs, weights = lstm97_stepwise.follow(
            from_params(trials.params), last[0], sequence.length, last[1], rates
        )
        return jnp.moveaxis(outputs, -1, 0), to_params(weights, trials.params)

    def _settle(self, trial: Trial, params, verdict) -> Trial:
        """The trial after one sequence that has left these parameters."""
        sums = (jnp.sum(leaf) for leaf in jax.tree.leaves(params))
        finite = functools.reduce(jnp.logical_and, map(jnp.isfinite, sums))
        verdicts = jax.tree.map(lambda leaf: leaf[None], verdict)
        moved = self._observe(trial, verdicts)._replace(params=params)
        return unless_finished(trial, self._conclude(select(finite, moved, trial), finite))
