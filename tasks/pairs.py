"""Sequences of (value, marker) pairs of which two are marked: adding, multiplication, variants."""

from dataclasses import dataclass, replace
from math import log
from typing import NamedTuple, Self

import jax
import jax.numpy as jnp
import scipy

from tasks.building import Tolerant, ask_at_end, below, draw_bits, longer_by_a_tenth, unit
from tasks.sequence import REGRESSION, Chance, Sequence

FIRST_TEN = 10
"""The first mark of experiments 4 and 5 falls on one of so many pairs, whatever T."""


class Pairs(NamedTuple):
    """Pairs before a question is asked about them; only markers of exactly 1 count.

    Attributes:
        values: `[T]` float32.
        markers: `[T]` float32 in {1, 0, -1}.
        places: `[2]` int32; the only ones that can have a marker of 1.
        length: `[]` int32.
    """

    values: jax.Array
    markers: jax.Array
    places: jax.Array
    length: jax.Array

    def total(self) -> jax.Array:
        """Sum of the marked values; with a single mark the other summand is 0."""
        return jnp.sum(self._marked(otherwise=0.0))

    def product(self) -> jax.Array:
        """Product of the marked values; with a single mark the other factor is 1."""
        return jnp.prod(self._marked(otherwise=1.0))

    def _marked(self, otherwise: float) -> jax.Array:
        # Picked, not summed up over T: the compiler would draw all values a second time.
        here = self.markers[self.places] == 1.0
        return jnp.where(here, self.values[self.places], otherwise)

    def ask(self, target: jax.Array) -> Sequence:
        """The sequence at whose end `target` is wanted."""
        return ask_at_end(jnp.stack([self.values, self.markers], -1), target[None], self.length)


@dataclass(frozen=True)
class PairTask(Tolerant):
    """Base of the tasks on pairs.

    Attributes:
        T: minimal length.
        shortest: smallest T for which both marks have room.
    """

    T: int

    n_in = 2
    n_out = 1
    tolerance = 0.04
    objective = REGRESSION  # FIDELITY T20
    shortest = 20

    def __post_init__(self):
        if self.shortest > self.T:
            raise ValueError(
                f"T must be at least {self.shortest}, or the two marks lack room, not {self.T}"
            )

    @property
    def steps(self) -> int:
        """Longest possible sequence."""
        return self.T + self.T // 10

    @property
    def lag(self) -> int:
        """The second mark lies in the first half of the shortest sequence."""
        return self.T - self.T // 2  # FIDELITY T2

    def longer(self, k: int) -> Self:
        """The same task with k times the T."""
        return replace(self, T=k * self.T)

    def relevant(self, sequence: Sequence) -> jax.Array:
        """The marked pairs, `[T]` bool."""
        return sequence.inputs[:, 1] == 1.0


def hs97_pairs(key: jax.Array, T: int) -> Pairs:
    """Pairs of experiments 4 and 5, with values in [0, 1)."""
    bits = draw_bits(key, 3 + T + T // 10)
    length = longer_by_a_tenth(bits[0], T)
    first = below(bits[1], FIRST_TEN)
    second = below(bits[2], T // 2 - 1)
    second = second + (second >= first)  # the pair just marked is passed over  # FIDELITY T3
    step = jnp.arange(T + T // 10)
    marked = (step == first) | (step == second)
    end = (step == 0) | (step == length - 1)
    # The end's -1 wins over a mark on the first pair, which then counts for nothing: the rule of
    # the paper for X1 (0 in a sum, 1 in a product), and here for X2 too.  # FIDELITY T4 T5
    markers = jnp.where(end, -1.0, marked.astype(jnp.float32))
    return Pairs(unit(bits[3:]), markers, jnp.stack([first, second]), length)  # FIDELITY T6


def lone_mark(T: int) -> float:
    """Probability that `hs97_pairs` marks the first pair, so that a single mark is left."""
    return 1 / FIRST_TEN + (1 - 1 / FIRST_TEN) / (T // 2 - 1)


def sum_chance(reach: float, tolerance: float, lone: float = 0.0) -> Chance:
    """Chance of targets spread by two uniform summands (triangle), with `lone` by one (flat).

    The middle is the best constant for both numbers.

    Args:
        reach: largest distance of a target from the middle, when both summands count.
        tolerance: the task's.
        lone: probability that only one summand counts.
    """
    share = tolerance / reach
    right = (1 - lone) * (1 - (1 - share) ** 2) + lone * 2 * share
    return Chance(right=right, error=(1 - lone) * reach / 3 + lone * reach / 4)


def product_chance(tolerance: float, lone: float = 0.0) -> Chance:
    """Chance of targets that are a product of two uniform factors in [0, 1], with `lone` of one.

    The density falls from 0 on, so the constant most often right is `tolerance`; the smallest
    error belongs to the median m, and is E[y] - m + 2 (integral of the distribution up to m).

    Args:
        tolerance: the task's.
        lone: probability that only one factor counts.
    """

    def below_z(z):
        return z - (1 - lone) * z * log(z)

    m = scipy.optimize.brentq(lambda z: below_z(z) - 0.5, 0.01, 0.5)
    area = m**2 / 2 - (1 - lone) * m**2 * (log(m) / 2 - 0.25)
    mean = (1 - lone) / 4 + lone / 2
    return Chance(right=below_z(2 * tolerance), error=mean - m + 2 * area)
