"""When a trial counts as solved: rules as data, shaped like optax transformations.

A criterion is a frozen dataclass of pure functions over a small state: `init` makes the state,
`observe` folds in the verdicts of training sequences (given before the weights change on them),
`inspect` those of a test, `met` says whether the rule holds, `level` how far the trial is on the
sequences that the rule looks at. `inspection` is the number of fresh test sequences that an
inspection needs; 0 means that the rule reads training sequences only.
"""

from dataclasses import dataclass
from typing import Any, NamedTuple, Protocol

import jax
import jax.numpy as jnp
from jax.custom_batching import custom_vmap

from models.lstm97.summation import add_at
from tasks.sequence import Verdict


class Level(NamedTuple):
    """How far a trial is: share of wrong sequences (0 to 1) and mean absolute output error."""

    wrong: jax.Array
    error: jax.Array


class Criterion(Protocol):
    """What the trial program needs of a criterion; `state` is any pytree of arrays."""

    @property
    def inspection(self) -> int:
        """Number of fresh test sequences that an inspection needs; 0 needs none."""

    @property
    def wrong_at_most(self) -> int:
        """Largest permitted number of wrong sequences among those that the rule looks at."""

    def init(self) -> Any:
        """State before the first sequence."""

    def observe(self, state: Any, verdicts: Verdict) -> Any:
        """State after training sequences with verdicts of shape `[batch]`, oldest first."""

    def inspect(self, state: Any, verdicts: Verdict) -> Any:
        """State after a test with verdicts of shape `[inspection]`."""

    def met(self, state: Any) -> jax.Array:
        """Whether the rule holds now, `[]` bool."""

    def level(self, state: Any, verdicts: Verdict) -> Level:
        """The level of trials `[...]` from their states and the latest test `[..., n]`."""


LARGEST_ERROR = 8.0
"""Larger errors of a sequence count as this one, where they are summed in whole numbers."""
GRAINS = 2**17
"""Parts of 1 that errors are rounded to there."""


class RecentState(NamedTuple):
    """The latest sequences, in whole numbers, so that no rounding depends on their order.

    Attributes:
        ring: `[window]` int32; of each sequence its error in grains, doubled, plus 1 if wrong.
        grains: `[]` int32; sum of the errors in the ring.
        wrong: `[]` int32; number of wrong sequences in the ring.
        seen: `[]` int32; sequences so far.
    """

    ring: jax.Array
    grains: jax.Array
    wrong: jax.Array
    seen: jax.Array


@custom_vmap
def _add(ring: jax.Array, slots: jax.Array, numbers: jax.Array) -> jax.Array:
    return add_at(ring, (slots,), numbers)


@_add.def_vmap
def _add_in_lanes(lanes: int, batched: list[bool], *arguments: jax.Array):
    """The same for every lane; by itself, `jax.vmap` would make a scatter of it."""
    ring, slots, numbers = (
        each if mine else jnp.broadcast_to(each, (lanes, *each.shape))
        for each, mine in zip(arguments, batched, strict=True)
    )
    lane = jnp.repeat(jnp.arange(lanes, dtype=slots.dtype), slots.shape[1])
    return add_at(ring, (lane, slots.ravel()), numbers.ravel()), True


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
        window: number of sequences, up to 2047.
    """

    wrong_at_most: int = 0
    error_below: float = float("inf")
    window: int = 2000
    inspection = 0

    def __post_init__(self):
        if not 1 <= self.window * LARGEST_ERROR * GRAINS < 2**31:
            raise ValueError(f"the window must have 1 to 2047 sequences, not {self.window}")

    def init(self) -> RecentState:
        """An empty window."""
        zero = jnp.zeros((), jnp.int32)
        return RecentState(jnp.zeros(self.window, jnp.int32), zero, zero, zero)

    def observe(self, state: RecentState, verdicts: Verdict) -> RecentState:
        """Puts a batch into the ring; one batch must not be longer than the window."""
        batch = verdicts.error.shape[0]
        slots = (state.seen + jnp.arange(batch)) % self.window
        # Written so that nan counts as the largest error.
        error = jnp.where(verdicts.error < LARGEST_ERROR, verdicts.error, LARGEST_ERROR)
        grains = jnp.round(error * GRAINS).astype(jnp.int32)
        new, old = 2 * grains + verdicts.wrong, state.ring[slots]
        return RecentState(
            # Setting `new` would be in no order with reading `old`: XLA then copies the ring.
            _add(state.ring, slots, new - old),
            state.grains + jnp.sum(new // 2 - old // 2),
            state.wrong + jnp.sum(new % 2 - old % 2),
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
            & (state.wrong <= self.wrong_at_most)
            & (state.grains < self.error_below * (self.window * GRAINS))
        )

    def level(self, state: RecentState, verdicts: Verdict) -> Level:
        """Of the window, as far as it is filled."""
        del verdicts
        held = jnp.clip(state.seen, 1, self.window)
        return Level(state.wrong / held, state.grains / (held * GRAINS))


@dataclass(frozen=True)
class Inspection:
    """A rule on a test set, held at every inspection.

    With fresh sequences it is ST1 and ST2 of experiment 3, the 10,000-sequence test of 2c, and
    (see `fraction_right`) the modern criterion of the suites. A task with fixed sets (Reber) is
    inspected on its whole training and test set instead: `Inspection(512, 0)` there means
    that every symbol of every string of both sets, of 256 each, is predicted correctly.

    Attributes:
        inspection: number of fresh test sequences, or of those in both fixed sets.
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

    def level(self, state: jax.Array, verdicts: Verdict) -> Level:
        """Of the latest inspection."""
        del state
        return Level(jnp.mean(verdicts.wrong, -1), jnp.mean(verdicts.error, -1))


@dataclass(frozen=True)
class WholeSet:
    """The rule of guessing: every sequence of the training set is right.

    Attributes:
        sequences: size of the training set.
    """

    sequences: int = 100

    inspection = 0
    wrong_at_most = 0

    def init(self) -> jax.Array:
        """No guess yet, `[]` int32: the most sequences that one had right before a wrong one."""
        return jnp.zeros((), jnp.int32)

    def observe(self, state: jax.Array, verdicts: Verdict) -> jax.Array:
        """State after the verdicts `[sequences]` on one guess, in their order."""
        in_a_row = jnp.sum(jnp.cumprod(~verdicts.wrong, dtype=jnp.int32))
        return jnp.maximum(state, in_a_row)

    def inspect(self, state: jax.Array, verdicts: Verdict) -> jax.Array:
        """Leaves the state as it is: tests play no part in this rule."""
        del verdicts
        return state

    def met(self, state: jax.Array) -> jax.Array:
        """Whether one guess had all of them right."""
        return state >= self.sequences

    def level(self, state: jax.Array, verdicts: Verdict) -> Level:
        """Of the best guess, all of whose sequences behind its first wrong one count as wrong."""
        del verdicts
        wrong = 1 - state / self.sequences
        return Level(wrong, jnp.full_like(wrong, jnp.nan))
