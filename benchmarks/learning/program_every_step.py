"""The fast program of the 1997 networks, where there is a teacher signal at every step.

Those are experiments 1, 2a and 2b. `program_rivals` trains other nets in the same way.
"""

import functools

import jax
import jax.numpy as jnp

from benchmarks.learning import xla
from benchmarks.learning.experiment import Recipe
from benchmarks.learning.learners import Online
from benchmarks.learning.program import (
    Drawn,
    Program,
    Setup,
    Trial,
    encoded,
    freeze_finished,
    select,
)
from benchmarks.learning.program_forward import ForwardProgram, reading
from models.lstm97 import every_step, lag_every_step
from models.lstm97.forward import from_params, to_params
from models.lstm97.lag_net import LagNet97
from models.lstm97.net import Net97
from tasks.sequence import Sequence, Verdict


class EveryStepProgram(Program):
    """The compiled functions of a recipe; see `Program`.

    Raises:
        ValueError: the net is neither a `Net97` with the truncated gradient nor a `LagNet97`.
    """

    cpu_lanes = ForwardProgram.cpu_lanes

    def __init__(self, recipe: Recipe):
        self._check(recipe)
        super().__init__(recipe)
        assert isinstance(recipe.learner, Online)  # no other asks for this program
        self.learner = recipe.learner
        options = xla.loop_options(jax.default_backend())
        self.train = jax.jit(self._train_lanes, donate_argnums=1, compiler_options=options)
        if isinstance(recipe.model, Net97):
            self.verdicts = jax.jit(self._block_verdicts, compiler_options=options)

    def _check(self, recipe: Recipe) -> None:
        truncated = isinstance(recipe.model, Net97) and recipe.model.truncate
        if not truncated and not isinstance(recipe.model, LagNet97):
            raise ValueError("forward accumulation needs a net of 1997 with the truncated gradient")

    def _train_lanes(self, setups: Setup, trials: Trial, sequences: Drawn) -> Trial:
        def update(trials, drawn):
            sequence = jax.vmap(functools.partial(encoded, self.recipe.task))(drawn)
            outputs, params = self._follow(setups.rate, trials, sequence)
            verdicts = jax.vmap(self.recipe.task.judge)(outputs, sequence)
            return jax.vmap(self._settle)(trials, params, verdicts), None

        by_update = jax.tree.map(lambda leaf: jnp.moveaxis(leaf, 1, 0), sequences)
        return jax.lax.scan(update, trials, by_update)[0]

    def _follow(self, rates: jax.Array, trials: Trial, sequence: Sequence):
        """Outputs `[lane, T, n_out]` and changed parameters after one sequence of each lane."""
        at_once, output = self.learner.at_once, self.learner.output
        model = self.recipe.model
        if isinstance(model, LagNet97):
            follow = functools.partial(
                lag_every_step.follow, at_once=at_once, output=output, g=model.g
            )
            return jax.vmap(follow)(
                trials.params,
                sequence.inputs,
                sequence.scored,
                sequence.targets,
                rates,
                trials.growth.grown,
            )
        assert isinstance(model, Net97)  # `_check`
        last = [jnp.moveaxis(leaf, 0, -1) for leaf in (sequence.inputs, sequence.targets)]
        outputs, weights = every_step.follow(
            from_params(trials.params),
            last[0],
            sequence.length,
            last[1],
            rates,
            at_once,
            reading(self.recipe),
        )
        return jnp.moveaxis(outputs, -1, 0), to_params(weights, trials.params)

    def _block_verdicts(self, trials: Trial, sequences: Drawn) -> Verdict:
        """Verdicts `[lane, n]` on networks of memory-cell blocks, a lane at a time."""

        def lane(given):
            params, tests = given
            encoded_tests = jax.vmap(functools.partial(encoded, self.recipe.task))(tests)
            weights = from_params(jax.tree.map(lambda leaf: leaf[None], params))
            inputs = jnp.moveaxis(encoded_tests.inputs, 0, -1)
            y = every_step.outputs(weights, inputs, tests.length, reading(self.recipe))
            return jax.vmap(self.recipe.task.judge)(jnp.moveaxis(y, -1, 0), encoded_tests)

        return jax.lax.map(lane, (trials.params, sequences))

    def _settle(self, trial: Trial, params, verdict) -> Trial:
        """The trial after one sequence that has left these parameters."""
        sums = (jnp.sum(leaf) for leaf in jax.tree.leaves(params))
        finite = functools.reduce(jnp.logical_and, map(jnp.isfinite, sums))
        verdicts = jax.tree.map(lambda leaf: leaf[None], verdict)
        moved = self._observe(trial, verdicts)._replace(params=params)
        return freeze_finished(trial, self._conclude(select(finite, moved, trial), finite))
