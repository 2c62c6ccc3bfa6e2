"""Recurrent cascade-correlation (Fahlman 1991): outputs learn, then a hidden unit is added.

Both phases go over the whole training set at each step (an epoch). Units in the net are frozen, so
their activations on the training set are kept, not computed again.
"""

import functools
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
from flax import nnx

from benchmarks.learning import quickprop, xla
from benchmarks.learning.experiment import Recipe
from benchmarks.learning.learners import Cascade
from benchmarks.learning.program import (
    INIT,
    Program,
    Setup,
    Source,
    Trial,
    freeze_finished,
    select,
)
from benchmarks.learning.quickprop import QuickpropState
from models.rivals import cascade
from models.rivals.cascade import CascadeNet
from tasks.sequence import FiniteTask, Sequence, Verdict


class Phase(NamedTuple):
    """Where a net is between two hidden units.

    Attributes:
        adding: whether candidates learn, not outputs.
        units: how many hidden units there are.
        candidates: `[P, D + 1]`, weights of the units that may be added.
        outputs_step: quickprop of the outputs.
        candidates_step: quickprop of the candidates.
        activations: `[n, T, M]`, of the hidden units on the training set.
        best: best value of the phase that counted as progress: an error, or minus a correlation.
        stale: epochs since then.
        epochs: epochs of the phase.
    """

    adding: jax.Array
    units: jax.Array
    candidates: jax.Array
    outputs_step: QuickpropState
    candidates_step: QuickpropState
    activations: jax.Array
    best: jax.Array
    stale: jax.Array
    epochs: jax.Array


def correlation(
    weights: jax.Array, z: jax.Array, residual: jax.Array, scored: jax.Array
) -> tuple[jax.Array, jax.Array]:
    """How much candidates and the outputs' errors go together; and the candidates' activations.

    Args:
        weights: `[P, D + 1]`, of candidates.
        z: `[n, T, D]`, what they see.
        residual: `[n, T, K]`, outputs minus targets.
        scored: `[n, T]` bool.

    Returns:
        `[P]`, sum over outputs of the covariance's absolute value over the scored steps, by the
        mean square of the residual; and `[n, T, P]`.
    """
    v = cascade.candidates(weights, z)  # FIDELITY R10
    counts = scored[..., None] / jnp.sum(scored)
    centred = residual - jnp.sum(counts * residual, (0, 1))
    # Either of the two factors may be centred; the mean of the other drops out.
    covariance = jnp.einsum("ntp,ntk->pk", v, counts * centred)
    return jnp.sum(jnp.abs(covariance), 1) / jnp.sum(counts * residual**2), v


class CascadeSource(Source):
    """The whole training set at every call, and everything else as ever."""

    def training(self, keys: jax.Array, first: jax.Array, count: int, sets) -> Sequence:
        """The training sets `[lane, n, ...]`."""
        del keys, first, count
        return sets[0]


class CascadeProgram(Program):
    """The compiled functions of a recipe; see `Program`. An update is an epoch.

    Raises:
        ValueError: net or task are not made for it.
    """

    cpu_lanes = 1

    def __init__(self, recipe: Recipe):
        task, learner = recipe.task, recipe.learner
        if not (isinstance(recipe.model, CascadeNet) and isinstance(task, FiniteTask)):
            raise ValueError("cascade-correlation needs a CascadeNet and a task with fixed sets")
        assert isinstance(learner, Cascade)  # no other asks for this program
        if learner.batch != task.n_train:
            raise ValueError(f"an epoch has {task.n_train} sequences, not {learner.batch}")
        super().__init__(recipe)
        self.learner: Cascade = learner
        self.source = _cascade_source(task)
        options = xla.loop_options(jax.default_backend())
        self.train = jax.jit(self._train_lanes, donate_argnums=1, compiler_options=options)

    def _start(self, setup: Setup) -> Trial:
        trial = super()._start(setup)
        weights = nnx.to_pure_dict(trial.params)
        task = self.recipe.task
        assert isinstance(task, FiniteTask)
        candidates = self._candidates(setup, jnp.zeros((), jnp.int32), weights["hidden"].shape[1])
        phase = Phase(
            jnp.array(False),
            jnp.zeros((), jnp.int32),
            candidates,
            quickprop.init(weights["output"]),
            quickprop.init(candidates),
            jnp.zeros((task.n_train, task.steps, len(weights["hidden"]))),
            *_fresh(),
        )
        return trial._replace(opt_state=phase)

    def _candidates(self, setup: Setup, units: jax.Array, width: int) -> jax.Array:
        """New candidates `[P, D + 1]` for a net with so many hidden units."""
        key = jax.random.fold_in(jax.random.fold_in(setup.key, INIT), units)
        r = self.recipe.model.init_range  # type: ignore[attr-defined]
        return jax.random.uniform(key, (self.learner.candidates, width), minval=-r, maxval=r)

    def _train_lanes(self, setups: Setup, trials: Trial, sequences: Sequence) -> Trial:
        def lane(given):
            setup, trial, training = given
            epochs = self.recipe.inspect_every
            return jax.lax.fori_loop(0, epochs, lambda _, t: self._epoch(setup, t, training), trial)

        # One after the other: a lane does one of two things, side by side they would do both.
        return jax.lax.map(lane, (setups, trials, sequences))

    def _epoch(self, setup: Setup, trial: Trial, training: Sequence) -> Trial:
        """One pass over the training set `[n, ...]`, and what follows from it."""
        weights, phase = nnx.to_pure_dict(trial.params), trial.opt_state
        z = cascade.below(training.inputs, phase.activations)
        args = setup, weights, phase, z, training
        weights, phase = jax.lax.cond(phase.adding, self._add, self._learn, *args)
        params = jax.tree.unflatten(jax.tree.structure(trial.params), jax.tree.leaves(weights))
        nothing = Verdict(jnp.ones(1), jnp.ones(1, bool))
        moved = self._observe(trial, nothing)._replace(params=params, opt_state=phase)
        finite = jnp.array(True)
        for leaf in jax.tree.leaves((weights, phase.candidates)):
            finite &= jnp.all(jnp.isfinite(leaf))
        return freeze_finished(trial, self._conclude(select(finite, moved, trial), finite))

    def _learn(self, setup: Setup, weights: dict, phase: Phase, z, training) -> tuple[dict, Phase]:
        """An epoch of the outputs."""

        def error(output):
            y = jax.nn.sigmoid(z @ output)
            squares = jnp.sum((y - training.targets) ** 2, -1)
            return 0.5 * jnp.sum(squares * training.scored) / jnp.sum(training.scored)

        value, slope = jax.value_and_grad(error)(weights["output"])
        epsilon = setup.rate * self.learner.outputs_epsilon
        step = quickprop.update(slope, phase.outputs_step, epsilon, self.learner.mu)
        phase, over = self._progress(phase._replace(outputs_step=step), value)
        more = over & (phase.units < phase.activations.shape[-1])
        candidates = self._candidates(setup, 1 + phase.units, phase.candidates.shape[1])
        adding = self._turn(phase, candidates)
        phase = jax.tree.map(lambda a, b: jnp.where(more, a, b), adding, phase)
        return weights | {"output": weights["output"] + step.step}, phase

    def _add(self, setup: Setup, weights: dict, phase: Phase, z, training) -> tuple[dict, Phase]:
        """An epoch of the candidates; the best becomes a unit when they get no better."""
        residual = jax.nn.sigmoid(z @ weights["output"]) - training.targets

        def lost(candidates):
            found, v = correlation(candidates, z, residual, training.scored)
            return -jnp.sum(found), (found, v)

        slope, (found, v) = jax.grad(lost, has_aux=True)(phase.candidates)
        epsilon = setup.rate * self.learner.candidates_epsilon
        step = quickprop.update(slope, phase.candidates_step, epsilon, self.learner.mu)
        best = jnp.argmax(found)
        going, over = self._progress(phase._replace(candidates_step=step), -found[best])
        moved = going._replace(candidates=phase.candidates + step.step)
        tenured = weights["hidden"].at[phase.units].set(phase.candidates[best])
        grown = self._turn(going, phase.candidates)._replace(
            units=phase.units + 1,
            activations=phase.activations.at[..., phase.units].set(v[..., best]),
        )
        hidden = jnp.where(over, tenured, weights["hidden"])
        phase = jax.tree.map(lambda a, b: jnp.where(over, a, b), grown, moved)
        return weights | {"hidden": hidden}, phase

    def _progress(self, phase: Phase, value: jax.Array) -> tuple[Phase, jax.Array]:
        """Counts an epoch; and whether the phase is over, as nothing gets better or it is long."""
        better = value < phase.best - self.learner.least * jnp.abs(phase.best)
        better |= phase.epochs == 0
        phase = phase._replace(
            best=jnp.where(better, value, phase.best),
            stale=jnp.where(better, 0, phase.stale + 1),
            epochs=phase.epochs + 1,
        )
        over = (phase.stale >= self.learner.patience) | (phase.epochs >= self.learner.longest)
        return phase, over

    def _turn(self, phase: Phase, candidates: jax.Array) -> Phase:
        """The beginning of the other phase."""
        best, stale, epochs = _fresh()
        return phase._replace(
            adding=~phase.adding,
            candidates=candidates,
            outputs_step=jax.tree.map(jnp.zeros_like, phase.outputs_step),
            candidates_step=jax.tree.map(jnp.zeros_like, phase.candidates_step),
            best=best,
            stale=stale,
            epochs=epochs,
        )


def _fresh() -> tuple[jax.Array, jax.Array, jax.Array]:
    """Best, stale and epochs at the start of a phase; the first epoch always counts as progress."""
    return jnp.zeros(()), jnp.zeros((), jnp.int32), jnp.zeros((), jnp.int32)


@functools.cache
def _cascade_source(task: Any) -> CascadeSource:
    return CascadeSource(task)
