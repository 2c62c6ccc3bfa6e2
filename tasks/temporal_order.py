"""Temporal order: experiments 6a and 6b of Hochreiter & Schmidhuber 1997."""

from dataclasses import dataclass, replace
from typing import ClassVar, Self

import jax
import jax.numpy as jnp

from tasks.building import Symbols, SymbolTask, below, bits_at, draw_bits, longer_by_a_tenth
from tasks.sequence import Chance, Sequence, Verdict, most_active

SYMBOLS = "EBabcdXY"
START, TRIGGER, FIRST_DISTRACTOR, X = (SYMBOLS.index(symbol) for symbol in "EBaX")
PER_WORD = 16
"""Distractors are one of four, so that a random word of 32 bits yields so many."""


@dataclass(frozen=True)
class TemporalOrder6a(SymbolTask):
    """In which order did two relevant symbols come?

    Hochreiter & Schmidhuber 1997, experiment 6a. Eight one-hot symbols E, B, a, b, c, d, X, Y. A
    sequence starts with E and ends with B; in between are random distractors a, b, c, d, except for
    an X or Y at each of the positions t1 and t2. With T = 100, t1 is uniform on 10-20, t2 on 50-60
    (counted from 1, ends included), in proportion for other T. The class is asked at B: XX, XY,
    YX, YY -> outputs 0, 1, 2, 3 (Q, R, S, U). Lengths are uniform on T, ..., T + T // 10.

    Shapes: inputs `[T + T // 10, 8]`, targets `[T + T // 10, 4]`, scored at the last step.

    Example with T = 20 (t1 on 2-4, t2 on 10-12):

        position  1  2  3  4  5  6  7  8  9 10 11 12 13 14 15 16 17 18 19 20
        symbol    E  c  Y  a  a  d  b  a  c  b  X  d  a  a  c  b  d  c  a  B
        target                                                             S = 0 0 1 0

    Attributes:
        T: minimal length.
    """

    T: int = 100

    n_in = len(SYMBOLS)
    tolerance = 0.3
    windows: ClassVar[tuple[tuple[int, int], ...]] = ((10, 20), (50, 60))
    """First and last place of each relevant symbol, in percent of T."""

    def __post_init__(self):
        if self.T < 20:
            raise ValueError(
                "T must be at least 20, or the relevant symbols lack room behind the start, "
                f"not {self.T}"
            )

    @property
    def n_out(self) -> int:
        """One output for each order of X and Y."""
        return 2 ** len(self.windows)

    @property
    def steps(self) -> int:
        """Longest possible sequence."""
        return self.T + self.T // 10

    @property
    def places(self) -> tuple[tuple[int, int], ...]:
        """First and last place of each relevant symbol, counted from 1."""
        # FIDELITY T10
        return tuple((self.T * a // 100, self.T * b // 100) for a, b in self.windows)

    @property
    def lag(self) -> int:
        """From the last place of the last relevant symbol to the trigger of a sequence of T."""
        return self.T - self.places[-1][1]  # FIDELITY T2

    @property
    def chance(self) -> Chance:
        """Always naming one class is right for its share; the constant 0 has the least error."""
        return Chance(right=1 / self.n_out, error=1 / self.n_out)

    def longer(self, k: int) -> Self:
        """The same task with k times the T."""
        return replace(self, T=k * self.T)

    def relevant(self, sequence: Sequence) -> jax.Array:
        """The steps that show X or Y, `[T]` bool."""
        return jnp.any(sequence.inputs[:, X:] == 1.0, -1)

    def symbols(self, key: jax.Array) -> Symbols:
        """Draws one sequence as symbol numbers."""
        marks = len(self.windows)
        bits = draw_bits(key, 1 + 2 * marks)
        length = longer_by_a_tenth(bits[0], self.T)
        kinds = below(bits[1 : 1 + marks], 2)  # 0 is X, 1 is Y  # FIDELITY T11
        place = jnp.arange(1, 1 + self.steps)
        inputs = FIRST_DISTRACTOR + _quarters(key, len(bits), self.steps)
        for i, (low, high) in enumerate(self.places):
            chosen = low + below(bits[1 + marks + i], high - low + 1)
            inputs = jnp.where(place == chosen, X + kinds[i], inputs)
        inputs = jnp.where(place == 1, START, jnp.where(place == length, TRIGGER, inputs))
        return Symbols(
            jnp.where(place <= length, inputs, -1).astype(jnp.int32),
            jnp.where(place == length, _binary(kinds), -1).astype(jnp.int32),
            length,
        )


@dataclass(frozen=True)
class TemporalOrder6b(TemporalOrder6a):
    """As 6a, with three relevant symbols and eight classes (experiment 6b).

    With T = 100, t1 is uniform on 10-20, t2 on 33-43, t3 on 66-76. XXX, XXY, XYX, XYY, YXX, YXY,
    YYX, YYY -> outputs 0, ..., 7 (Q, R, S, U, V, A, B, C).

    Shapes: inputs `[T + T // 10, 8]`, targets `[T + T // 10, 8]`, scored at the last step.

    Example with T = 20 (t1 on 2-4, t2 on 6-8, t3 on 13-15):

        position  1  2  3  4  5  6  7  8  9 10 11 12 13 14 15 16 17 18 19 20
        symbol    E  c  Y  a  a  d  X  a  c  b  d  d  a  Y  c  b  d  c  a  B
        target                                                             A = 0 0 0 0 0 1 0 0

    Attributes:
        T: minimal length.
    """

    windows = ((10, 20), (33, 43), (66, 76))


@dataclass(frozen=True)
class TemporalOrderPascanu13(SymbolTask):
    """Temporal order as in Pascanu, Mikolov & Bengio 2013: six symbols, many lengths, no end mark.

    Six one-hot symbols A, B, c, d, e, f. Lengths L are uniform on shortest, ..., longest. One of A
    and B stands at a step in [L/10, 2L/10) and one in [5L/10, 6L/10), steps counted from 0; all
    others are random distractors c, d, e, f. The class is asked at the last step: AA, AB, BA, BB ->
    outputs 0, 1, 2, 3. Right is the class whose output is strictly the most active.

    Shapes: inputs `[longest, 6]`, targets `[longest, 4]`, scored at the last step.

    Example with L = 20 (A or B at a step in 2-3 and in 10-11):

        step    0  1  2  3  4  5  6  7  8  9 10 11 12 13 14 15 16 17 18 19
        symbol  c  f  d  B  c  e  d  d  f  e  A  c  d  f  e  c  c  d  e  f
        target                                                          BA = 0 0 1 0

    Attributes:
        longest: steps of the longest sequence.
        shortest: steps of the shortest one.
    """

    longest: int = 200
    shortest: int = 50

    n_in = 6
    tolerance = float("nan")
    every_step = False
    tenths: ClassVar[tuple[int, ...]] = (1, 5)
    """Where each relevant symbol stands: in the tenth of a sequence that follows so many."""

    def __post_init__(self):
        if not 10 <= self.shortest <= self.longest:
            raise ValueError(
                "the shortest length must be at least 10 and the longest no less, "
                f"not {self.shortest} and {self.longest}"
            )

    @property
    def n_out(self) -> int:
        """One output for each order of A and B."""
        return 2 ** len(self.tenths)

    @property
    def steps(self) -> int:
        """Longest possible sequence."""
        return self.longest

    @property
    def lag(self) -> int:
        """From the last place of the last relevant symbol to the end of the shortest sequence."""
        tenth, start = self.shortest // 10, self.shortest * self.tenths[-1] // 10
        return self.shortest - 1 - (start + tenth - 1)

    @property
    def chance(self) -> Chance:
        """Always naming one class is right for its share; the constant 0 has the least error."""
        return Chance(right=1 / self.n_out, error=1 / self.n_out)

    def longer(self, k: int) -> Self:
        """The same task with both lengths k-fold."""
        return replace(self, longest=k * self.longest, shortest=k * self.shortest)

    def relevant(self, sequence: Sequence) -> jax.Array:
        """The steps that show A or B, `[T]` bool."""
        return jnp.any(sequence.inputs[:, :2] == 1.0, -1)

    def symbols(self, key: jax.Array) -> Symbols:
        """Draws one sequence as symbol numbers."""
        marks = len(self.tenths)
        bits = draw_bits(key, 1 + 2 * marks)
        length = self.shortest + below(bits[0], self.longest - self.shortest + 1)
        kinds = below(bits[1 : 1 + marks], 2)
        # FIDELITY T29
        places = length * jnp.asarray(self.tenths) // 10 + below(bits[1 + marks :], length // 10)
        step = jnp.arange(self.steps)
        inputs = 2 + _quarters(key, len(bits), self.steps)
        for place, kind in zip(places, kinds, strict=True):
            inputs = jnp.where(step == place, kind, inputs)
        return Symbols(
            jnp.where(step < length, inputs, -1).astype(jnp.int32),
            jnp.where(step == length - 1, _binary(kinds), -1).astype(jnp.int32),
            length.astype(jnp.int32),
        )

    def judge(self, outputs: jax.Array, sequence: Sequence) -> Verdict:
        """Correct if the output of the class is more active than all others."""
        right = jnp.all(most_active(outputs, sequence.targets == 1.0) | ~sequence.scored)
        return super().judge(outputs, sequence)._replace(wrong=~right)


@dataclass(frozen=True)
class TemporalOrderPascanu13Three(TemporalOrderPascanu13):
    """As `TemporalOrderPascanu13`, with three relevant symbols and eight classes.

    One of A and B stands at a step in [L/10, 2L/10), one in [3L/10, 4L/10) and one in
    [6L/10, 7L/10). AAA, AAB, ABA, ABB, BAA, BAB, BBA, BBB -> outputs 0, ..., 7.

    Shapes: inputs `[longest, 6]`, targets `[longest, 8]`, scored at the last step.

    Example with L = 20 (A or B at a step in 2-3, in 6-7 and in 12-13):

        step    0  1  2  3  4  5  6  7  8  9 10 11 12 13 14 15 16 17 18 19
        symbol  c  f  d  B  c  e  A  d  f  e  c  c  d  B  e  c  c  d  e  f
        target                                                         BAB = 0 0 0 0 0 1 0 0

    Attributes:
        longest: steps of the longest sequence.
        shortest: steps of the shortest one.
    """

    tenths = (1, 3, 6)


def _binary(kinds: jax.Array) -> jax.Array:
    """The class of an order: its symbols, 0 or 1, read as a binary number."""
    return jnp.sum(kinds * 2 ** jnp.arange(len(kinds))[::-1])


def _quarters(key: jax.Array, first: int, count: int) -> jax.Array:
    """Uniform int32 in {0, 1, 2, 3}, two bits each of the words from the first on.

    Every number draws its word itself: picked from an array, they would cost more than that.
    """
    number = jnp.arange(count)
    words = bits_at(key, first + number // PER_WORD)
    return ((words >> 2 * (number % PER_WORD).astype(jnp.uint32)) & 3).astype(jnp.int32)


HS97_6A, HS97_6B = TemporalOrder6a(100), TemporalOrder6b(100)
