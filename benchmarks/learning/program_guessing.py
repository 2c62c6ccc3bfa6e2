"""Random guessing of weights: no gradient, a net is drawn, tried, and thrown away.

Thousands of guesses are tried side by side, one training sequence after the other, until each of
them has failed or one has all sequences right.
"""

import functools
from typing import Any

import jax
import jax.numpy as jnp

from benchmarks.learning import xla
from benchmarks.learning.experiment import Recipe
from benchmarks.learning.learners import Guessing
from benchmarks.learning.program import (
    INIT,
    TRAIN,
    Program,
    Setup,
    Trial,
    freeze_finished,
    numbered,
    source,
)
from tasks.sequence import Sequence, Task, Verdict

SPARE = 4
"""Times as many sequences are drawn as are needed, to pick as many of both classes."""

FEW = 32
"""Guesses that go on alone once the others have failed."""


class GuessSource:
    """Training sets to guess for, the same in every call, and fresh sequences as ever.

    Where there is one output, half of the sequences have the higher target; where there are
    several, sequences are as they come; of a finite task, it is its own training set.
    """

    def __init__(self, task: Task, count: int):
        plain = source(task)
        options = xla.quick_compile_options(jax.default_backend())
        self.finite, self.tests = plain.finite, plain.tests
        if plain.finite:
            self.sets = plain.sets
        self._fresh, self._count = plain.fresh, count
        self._spare = SPARE if task.n_out == 1 else 1  # FIDELITY G5
        self._balanced = jax.jit(
            jax.vmap(functools.partial(balanced, count=count)), compiler_options=options
        )

    def training(self, keys: jax.Array, first: jax.Array, count: int, sets) -> Sequence:
        """The training set of each lane, `[lane, n, ...]`, the same at every call."""
        del count
        if self.finite:
            return sets[0]
        drawn = self._fresh(keys, TRAIN, jnp.zeros_like(first), self._spare * self._count)
        return self._balanced(drawn) if self._spare > 1 else drawn


def balanced(drawn: Sequence, count: int) -> Sequence:
    """The first `count` of sequences `[n, ...]`, half with the higher target at the end.

    They alternate, so that a net with a constant output fails at once.
    """
    answers = jnp.sum(drawn.targets, (1, 2))
    high = answers > (jnp.max(answers) + jnp.min(answers)) / 2
    ordered = (jnp.argsort(group, stable=True)[: count // 2] for group in (~high, high))
    chosen = jnp.stack(list(ordered), 1).ravel()  # FIDELITY G3
    return jax.tree.map(lambda leaf: leaf[chosen], drawn)


class GuessProgram(Program):
    """The compiled functions of a recipe; see `Program`. An update is a guess."""

    cpu_lanes = 1  # a lane is a trial, and has thousands of guesses of its own

    def __init__(self, recipe: Recipe):
        super().__init__(recipe)
        assert isinstance(recipe.learner, Guessing)  # no other asks for this program
        self.limit = recipe.learner.limit
        self.source = _guess_source(recipe.task, recipe.learner.sequences)
        options = xla.loop_options(jax.default_backend())
        self.train = jax.jit(self._train_lanes, donate_argnums=1, compiler_options=options)

    def _train_lanes(self, setups: Setup, trials: Trial, sequences: Sequence) -> Trial:
        # One after the other: a loop over all lanes would go on until the last of them ends.
        return jax.lax.map(lambda lane: self._guess(*lane), (setups, trials, sequences))

    def _guess(self, setup: Setup, trial: Trial, sequences: Sequence) -> Trial:
        """Tries `inspect_every` guesses of one trial on its training set."""
        many, sequences = self.recipe.inspect_every, jax.vmap(self._encoded)(sequences)
        drawn = jax.vmap(functools.partial(self._draw, trial.params))(
            numbered(setup.key, INIT, trial.seen, many)
        )
        right = self._right_in_a_row(trial, drawn, sequences)
        best = jnp.argmax(right)  # the first of those that are as good
        every = jnp.arange(len(sequences.length))
        verdicts = Verdict(jnp.zeros(len(every)), every >= right[best])
        found = right[best] == len(every)
        moved = self._observe(trial, verdicts)._replace(
            params=jax.tree.map(lambda leaf: leaf[best], drawn),
            seen=trial.seen + jnp.where(found, best + 1, many).astype(jnp.int32),
        )
        return freeze_finished(trial, self._conclude(moved, jnp.array(True)))

    def _draw(self, like: Any, key: jax.Array) -> Any:
        """Weights of one guess, uniform in [-limit, limit]."""
        leaves, structure = jax.tree.flatten(like)
        keys = jax.random.split(key, len(leaves))
        pairs = zip(keys, leaves, strict=True)
        limit = self.limit
        return jax.tree.unflatten(
            structure,
            # FIDELITY G4
            [jax.random.uniform(k, leaf.shape, leaf.dtype, -limit, limit) for k, leaf in pairs],
        )

    def _right_in_a_row(self, trial: Trial, drawn: Any, sequences: Sequence) -> jax.Array:
        """How many sequences each guess has right until its first wrong one, `[guesses]` int32."""
        many = self.recipe.inspect_every
        few = min(FEW, many)
        start = jnp.zeros((), jnp.int32), jnp.zeros(many, jnp.int32)
        k, right = self._tried(trial, drawn, sequences, start, few)
        left = jnp.argsort(-right, stable=True)[:few]  # those that have all right, as far as k
        best = jax.tree.map(lambda leaf: leaf[left], drawn)
        return right.at[left].set(self._tried(trial, best, sequences, (k, right[left]), 0)[1])

    def _tried(
        self,
        trial: Trial,
        drawn: Any,
        sequences: Sequence,
        start: tuple[jax.Array, jax.Array],
        until: int,
    ) -> tuple[jax.Array, jax.Array]:
        """Tries guesses until no more than so many have all right.

        Args:
            trial: whose guesses they are.
            drawn: the guesses.
            sequences: the training set.
            start: how many sequences have been tried, and how many each guess has right.
            until: how many guesses may be left.

        Returns:
            As `start`.
        """
        count = len(sequences.length)

        def goes_on(now):
            k, right = now
            return (k < count) & (jnp.sum(right == k) > until)

        def one(now):
            k, right = now
            sequence = jax.tree.map(lambda leaf: leaf[k], sequences)

            def wrong(params):
                outputs = self.objective.activate(self._net(params, trial, sequence))
                return self.recipe.task.judge(outputs, sequence).wrong

            return k + 1, right + ((right == k) & ~jax.vmap(wrong)(drawn))

        return jax.lax.while_loop(goes_on, one, start)


@functools.cache
def _guess_source(task: Task, count: int) -> GuessSource:
    return GuessSource(task, count)
