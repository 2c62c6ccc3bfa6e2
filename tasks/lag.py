"""Long lags with and without local regularities: experiments 2a, 2b, 2c of HS 1997."""

from dataclasses import dataclass, replace
from typing import Self

import jax
import jax.numpy as jnp
import numpy as np

from tasks.building import Symbols, SymbolTask, below, draw_bits
from tasks.sequence import Chance, Sequence, Verdict, judge_by_tolerance

LONGEST_TAIL = 199
"""2c adds k more distractors, geometric and without bound; sampled given k <= this by default."""


@dataclass(frozen=True)
class Lag2a(SymbolTask):
    """Noise-free sequences with a long time lag.

    Hochreiter & Schmidhuber 1997, experiment 2a. Symbols a_1, ..., a_{p-1}, x, y (numbers 0, ...,
    p), one-hot. There are two sequences, equally likely: x a_1 ... a_{p-1} x and the same with y.
    The next symbol is to be predicted at every step, so the net must store the first for p steps.
    Right if every output is within 0.25 at every step.

    Shapes: inputs and targets `[p, p + 1]`, scored at every step (the final symbol is a target
    only).

    Example with p = 4:

        step    0    1    2    3
        input   y   a_1  a_2  a_3
        target a_1  a_2  a_3   y

    Attributes:
        p: length of a sequence without its final symbol.
    """

    p: int

    every_step = True
    tolerance = 0.25

    def __post_init__(self):
        if self.p < 2:
            raise ValueError(f"p must be at least 2, one symbol between x and x, not {self.p}")

    @property
    def n_in(self) -> int:
        """One input for each symbol."""
        return self.p + 1

    @property
    def n_out(self) -> int:
        """One output for each symbol."""
        return self.p + 1

    @property
    def steps(self) -> int:
        """All sequences are alike in length."""
        return self.p  # FIDELITY T12

    @property
    def lag(self) -> int:
        """From the first symbol to the step at which its return is to be predicted."""
        return self.p - 1  # FIDELITY T2

    @property
    def chance(self) -> Chance:
        """No constant fits two steps; the constant 0 misses one output in p + 1 by 1."""
        return Chance(right=0.0, error=1 / (self.p + 1))

    def relevant(self, sequence: Sequence) -> jax.Array:
        """The first step, `[T]` bool."""
        return jnp.arange(len(sequence.inputs)) == 0

    def symbols(self, key: jax.Array) -> Symbols:
        """Draws one sequence as symbol numbers."""
        bits = draw_bits(key, self._words)
        return self._beginning_with(self.p - 1 + below(bits[0], 2), bits)

    def _beginning_with(self, first: jax.Array, bits: jax.Array) -> Symbols:
        step = jnp.arange(self.p)
        inputs = jnp.where(step == 0, first, self._between(bits, step)).astype(jnp.int32)
        # The final symbol repeats the first, so the targets are the inputs turned by one.
        return Symbols(inputs, jnp.roll(inputs, -1), jnp.asarray(self.p, jnp.int32))

    @property
    def _words(self) -> int:
        """How many random words `symbols` draws."""
        return 1

    def _between(self, bits: jax.Array, step: jax.Array) -> jax.Array:
        """Symbols at the steps after the first, `[p]`; the one at step 0 is not used."""
        del bits
        return step - 1


@dataclass(frozen=True)
class Lag2b(Lag2a):
    """No local regularities (experiment 2b).

    As 2a, but the symbols between are drawn independently and uniformly from a_1, ..., a_{p-1}.
    The teacher signal still comes at every step; since only the final symbol can be predicted, a
    sequence is right if every output is within 0.25 at its end. The error averages over all steps.

    Shapes: inputs and targets `[p, p + 1]`, scored at every step.

    Example with p = 4:

        step    0    1    2    3
        input   x   a_2  a_2  a_1
        target a_2  a_2  a_1   x

    Attributes:
        p: length of a sequence without its final symbol.
    """

    @property
    def chance(self) -> Chance:
        """Always saying x is right for half; the constant 0 misses one output in p + 1 by 1."""
        return Chance(right=0.5, error=1 / (self.p + 1))

    def judge(self, outputs: jax.Array, sequence: Sequence) -> Verdict:
        """Correct if every output is within the tolerance at the end."""
        verdict = super().judge(outputs, sequence)
        end = jnp.arange(self.steps) == sequence.length - 1
        at_end = judge_by_tolerance(outputs, sequence.targets, end, self.tolerance)
        return verdict._replace(wrong=at_end.wrong)  # FIDELITY T18

    @property
    def _words(self) -> int:
        return self.p

    def _between(self, bits: jax.Array, step: jax.Array) -> jax.Array:
        del step
        return below(bits, self.p - 1)  # FIDELITY T13


@dataclass(frozen=True)
class Lag2aInTurn(Lag2a):
    """As `Lag2a`, but its two sequences come in turn.

    They are the training set, shown in its order, and the test set. A reading of its own
    (docs/FIDELITY.md, fidelity study).

    Attributes:
        p: length of a sequence without its final symbol.
    """

    n_train = 2
    n_test = 2
    in_order = True

    def draw_sets(self, key: jax.Array) -> tuple[Sequence, Sequence]:
        """Both sequences, twice; the key is not used."""
        del key
        symbols = jax.vmap(self._beginning_with, (0, None))
        both = symbols(self.p - 1 + jnp.arange(2), jnp.zeros(1, jnp.uint32))
        encoded = jax.vmap(self.encode)(both)
        return encoded, encoded


@dataclass(frozen=True)
class Lag2bEndError(Lag2b):
    """As `Lag2b`, but the teacher signal comes at the last step only.

    A reading of its own (docs/FIDELITY.md, fidelity study).

    Shapes: as of `Lag2b`, scored at the last step.

    Example with p = 4:

        step    0    1    2    3
        input   x   a_2  a_2  a_1
        target                 x

    Attributes:
        p: length of a sequence without its final symbol.
    """

    every_step = False

    def symbols(self, key: jax.Array) -> Symbols:
        """Draws one sequence as symbol numbers."""
        drawn = super().symbols(key)
        last = jnp.arange(self.p) == self.p - 1
        return drawn._replace(targets=jnp.where(last, drawn.targets, -1))

    def judge(self, outputs: jax.Array, sequence: Sequence) -> Verdict:
        """Correct if every output is within the tolerance at the end."""
        return judge_by_tolerance(outputs, sequence.targets, sequence.scored, self.tolerance)


@dataclass(frozen=True)
class Lag2c(SymbolTask):
    """Very long lags, random distractors, no local regularities (experiment 2c).

    Hochreiter & Schmidhuber 1997. Symbols a_1, ..., a_p, e, b, x, y (numbers 0, ..., p + 3),
    one-hot. A sequence is b, then x or y, then q random a_i, then further ones, each with
    probability 9/10, until with 1/10 an e comes; behind e the second symbol returns. Two outputs,
    x and y, are asked at the e only and must be within 0.2.

    The number k of further distractors is geometric, on average 9. Sequences have a static size, so
    k is drawn given k <= `longest_tail`, which leaves out a share of 0.9^(longest_tail + 1) of the
    sequences (`lost`): 7.06e-10 by default, 1.5 % with 39.

    Shapes: inputs `[q + longest_tail + 3, p + 4]`, targets `[q + longest_tail + 3, 2]`, scored at
    the last step.

    Example with p = 5, q = 3, k = 2:

        step    0    1    2    3    4    5    6    7
        input   b    y   a_4  a_1  a_1  a_5  a_2   e
        target                                     y = 0 1

    Attributes:
        p: number of distractor symbols.
        q: least number of distractors in a sequence.
        longest_tail: most distractors beyond q.
    """

    p: int
    q: int
    longest_tail: int = LONGEST_TAIL

    n_out = 2
    tolerance = 0.2
    chance = Chance(right=0.5, error=0.5)

    def __post_init__(self):
        if self.p < 1 or self.q < 1:
            raise ValueError(f"p and q must be at least 1, not {self.p} and {self.q}")
        if self.longest_tail < 0:
            raise ValueError(f"longest_tail must be at least 0, not {self.longest_tail}")

    @property
    def n_in(self) -> int:
        """One input for each symbol."""
        return self.p + 4

    @property
    def steps(self) -> int:
        """Of b, x or y, q + longest_tail distractors, and e."""
        return self.q + self.longest_tail + 3  # FIDELITY T12 T14

    @property
    def lost(self) -> float:
        """Probability of the sequences that are left out because they are too long."""
        return 0.9 ** (self.longest_tail + 1)

    @property
    def lag(self) -> int:
        """From the second symbol to e when no further distractor comes."""
        return self.q + 1  # FIDELITY T2

    def longer(self, k: int) -> Self:
        """The same task with k times the q."""
        return replace(self, q=k * self.q)

    def relevant(self, sequence: Sequence) -> jax.Array:
        """The second step, that of x or y, `[T]` bool."""
        return jnp.arange(len(sequence.inputs)) == 1

    def symbols(self, key: jax.Array) -> Symbols:
        """Draws one sequence as symbol numbers."""
        bits = draw_bits(key, self.steps + 2)
        which = below(bits[0], 2)  # FIDELITY T11
        length = self.q + 3 + further_distractors(bits[1], self.longest_tail)
        e, b, x = self.p, self.p + 1, self.p + 2
        step = jnp.arange(self.steps)
        inputs = jnp.where(step == length - 1, e, below(bits[2:], self.p))
        inputs = jnp.where(step == 0, b, jnp.where(step == 1, x + which, inputs))
        return Symbols(
            jnp.where(step < length, inputs, -1).astype(jnp.int32),
            jnp.where(step == length - 1, which, -1).astype(jnp.int32),
            length,
        )


def further_distractors(word: jax.Array, longest: int = LONGEST_TAIL) -> jax.Array:
    """Number k of them from a random word: geometric with 1/10, given k <= `longest`."""
    # All 32 bits count: with the usual 23 or 24 the far tail could not occur.
    level = (word.astype(jnp.float32) + 0.5) * 2.0**-32
    lost = 0.9 ** (longest + 1)
    reached = (0.9 ** np.arange(1, longest + 1) - lost) / (1 - lost)  # P(k >= 1), P(k >= 2), ...
    return jnp.sum(level < jnp.asarray(reached, jnp.float32)).astype(jnp.int32)


HS97_2A_P4, HS97_2A_P10, HS97_2A_P100 = Lag2a(4), Lag2a(10), Lag2a(100)
HS97_2B_P100 = Lag2b(100)
HS97_2C_P50_Q50, HS97_2C_P100_Q100 = Lag2c(50, 50), Lag2c(100, 100)
HS97_2C_P200_Q200, HS97_2C_P500_Q500 = Lag2c(200, 200), Lag2c(500, 500)
HS97_2C_P1000_Q1000 = Lag2c(1000, 1000)
HS97_2C_P500_Q1000, HS97_2C_P200_Q1000 = Lag2c(500, 1000), Lag2c(200, 1000)
HS97_2C_P100_Q1000, HS97_2C_P50_Q1000 = Lag2c(100, 1000), Lag2c(50, 1000)
