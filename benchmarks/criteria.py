"""When a trial counts as solved: rules as data, shaped like optax transformations.

A criterion is a frozen dataclass of pure functions over a small state: `init` makes the state,
`observe` folds in the verdicts of training sequences (given before the weights change on them),
`inspect` those of a test, `met` says whether the rule holds. `inspection` is the number of fresh
test sequences that an inspection needs; 0 means that the rule reads training sequences only.
"""

from dataclasses import dataclass
from typing import NamedTuple, Protocol

import jax
import jax.numpy as jnp

from tasks.sequence import Verdict


class Criterion(Protocol):
    """What the trial program needs of a criterion; `state` is any pytree of arrays."""

    inspection: int

    def init(self):
        """State before the first sequence."""

    def observe(self, state, verdicts: Verdict):
        """State after training sequences with verdicts of shape `[batch]`, oldest first."""

    def inspect(self, state, verdicts: Verdict):
        """State after a test with verdicts of shape `[inspection]`."""

    def met(self, state) -> jax.Array:
        """Whether the rule holds now, `[]` bool."""


class RecentState(NamedTuple):
    """Ring of the latest sequences: `errors [window]`, `wrong [window]`, `seen []` int32."""

    errors: jax.Array
    wrong: jax.Array
    seen: jax.Array


@dataclass(frozen=True)
class Recent:
    """The rule of 1997 on the most recent training sequences (experiments 4, 5 and 6).

    Met once `window` sequences have been seen and, among the most recent `window` of them, at
    most `wrong_at_most` are wrong and the mean absolute error is below `error_below`.
    `Recent(0, 0.01)` is the paper's stopping criterion of the adding problem,
    `Recent(13 - 1)` its "fewer than n_seq = 13" for multiplication.

    Attributes:
        wrong_at_most: largest permitted number of wrong sequences in the window.
        error_below: strict upper bound of the mean absolute error in the window.
        window: number of sequences.
    """

    wrong_at_most: int = 0
    error_below: float = float("inf")
    window: int = 2000
    inspection = 0

    def init(self) -> RecentState:
        """An empty window."""
        return RecentState(
            jnp.zeros(self.window), jnp.zeros(self.window, bool), jnp.zeros((), jnp.int32)
        )

    def observe(self, state: RecentState, verdicts: Verdict) -> RecentState:
        """Puts a batch into the ring; one batch must not be longer than the window."""
        batch = verdicts.error.shape[0]
        # Every slot asks which of the newest sequences is its own: no scatter, and a batch size
        # that does not divide the window wraps around.
        newest = (jnp.arange(self.window) - state.seen) % self.window
        fresh, source = newest < batch, jnp.minimum(newest, batch - 1)
        return RecentState(
            jnp.where(fresh, verdicts.error[source], state.errors),
            jnp.where(fresh, verdicts.wrong[source], state.wrong),
            state.seen + batch,  # FIDELITY S2
        )

    def inspect(self, state: RecentState, verdicts: Verdict) -> RecentState:
        """Leaves the window as it is: tests play no part in this rule."""
        del verdicts
        return state

    def met(self, state: RecentState) -> jax.Array:
        """Whether a full window obeys both bounds."""
        return (
            (state.seen >= self.window)
            & (jnp.sum(state.wrong) <= self.wrong_at_most)
            & (jnp.mean(state.errors) < self.error_below)
        )


@dataclass(frozen=True)
class Inspection:
    """A rule on a test set, held at every inspection.

    With fresh sequences it is ST1 and ST2 of experiment 3, the 10,000-sequence test of 2c, and
    (see `fraction_right`) the modern criterion of the suites. A task with fixed sets (Reber) is
    inspected on its whole training and test set instead: `Inspection(256, 0)` there means
    that every symbol of every string of both sets is predicted correctly.

    Attributes:
        inspection: number of fresh test sequences.
        wrong_at_most: largest permitted number of wrong test sequences.
        error_below: strict upper bound of the mean absolute test error.
    """

    inspection: int
    wrong_at_most: int = 0
    error_below: float = float("inf")

    @classmethod
    def fraction_right(cls, fraction: float, of: int) -> "Inspection":
        """The modern rule: at least this fraction of `of` fresh sequences is right."""
        return cls(of, wrong_at_most=int((1 - fraction) * of + 1e-9))

    def init(self) -> jax.Array:
        """Not met before the first inspection."""
        return jnp.zeros((), bool)

    def observe(self, state: jax.Array, verdicts: Verdict) -> jax.Array:
        """Training sequences play no part in this rule."""
        del verdicts
        return state

    def inspect(self, state: jax.Array, verdicts: Verdict) -> jax.Array:
        """Only the latest inspection counts."""
        del state
        return (jnp.sum(verdicts.wrong) <= self.wrong_at_most) & (
            jnp.mean(verdicts.error) < self.error_below
        )

    def met(self, state: jax.Array) -> jax.Array:
        """Whether the latest inspection obeyed both bounds."""
        return state
