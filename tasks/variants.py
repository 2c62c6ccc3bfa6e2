"""What later papers call the adding and the multiplication problem, each under its own name.

None of them is the task of 1997 (`tasks.adding`, `tasks.multiplication`): values lie in [0, 1),
there are no -1 markers at the ends, and the marks lie elsewhere.
"""

from dataclasses import dataclass

import jax
import jax.numpy as jnp

from tasks.building import below, draw_bits, longer_by_a_tenth, unit
from tasks.pairs import Pairs, PairTask, product_chance, sum_chance
from tasks.sequence import Chance, Sequence


def _pairs(bits: jax.Array, first: jax.Array, second: jax.Array, length: jax.Array) -> Pairs:
    """Pairs with one value from each word and marks at the two positions."""
    step = jnp.arange(len(bits))
    marked = (step == first) | (step == second)
    return Pairs(unit(bits), marked.astype(jnp.float32), jnp.stack([first, second]), length)


def _early_pairs(key: jax.Array, T: int) -> Pairs:
    """Marks in the first tenth and between there and the middle, of the length drawn."""
    bits = draw_bits(key, 3 + T + T // 10)
    length = longer_by_a_tenth(bits[0], T)
    tenth, middle = length // 10, length // 2  # FIDELITY T7
    return _pairs(bits[3:], below(bits[1], tenth), tenth + below(bits[2], middle - tenth), length)


@dataclass(frozen=True)
class AddingMS11(PairTask):
    """Adding as in Martens & Sutskever 2011 and Sutskever et al. 2013.

    Values uniform in [0, 1). For a sequence of length L, uniform on T, ..., T + T // 10, one mark
    lies in its first tenth and one between there and its middle; target is the mean of the two
    marked values, right within 0.04.

    Shapes: inputs `[T + T // 10, 2]`, targets `[T + T // 10, 1]`, scored at the last step.

    Example with L = T = 10:

        step    0    1    2    3    4    5    6    7    8    9
        value  .6   .3   .8   .1   .5   .2   .9   .7   .4   .4
        marker  1    0    1    0    0    0    0    0    0    0
        target                                               (.6 + .8)/2 = .7

    Attributes:
        T: minimal length.
    """

    shortest = 10

    def sample(self, key: jax.Array) -> Sequence:
        """Draws one sequence."""
        pairs = _early_pairs(key, self.T)
        return pairs.ask(pairs.total() / 2)

    @property
    def chance(self) -> Chance:
        """Right 0.1536, error 1/6."""
        return sum_chance(0.5, self.tolerance)


@dataclass(frozen=True)
class AddingPascanu13(AddingMS11):
    """Adding as in Pascanu et al. 2013: `AddingMS11`, but right when the *squared* error is < 0.04.

    Five times the tolerance, which makes chance 0.64.

    Attributes:
        T: minimal length.
    """

    tolerance = 0.2  # the root of 0.04

    @property
    def chance(self) -> Chance:
        """Right 0.64, error 1/6."""
        return sum_chance(0.5, self.tolerance)


@dataclass(frozen=True)
class MultiplicationMS11(PairTask):
    """Multiplication as in Martens & Sutskever 2011: `AddingMS11`, target the marked product.

    Attributes:
        T: minimal length.
    """

    shortest = 10

    def sample(self, key: jax.Array) -> Sequence:
        """Draws one sequence."""
        pairs = _early_pairs(key, self.T)
        return pairs.ask(pairs.product())

    @property
    def chance(self) -> Chance:
        """Right 0.2821 (by the constant 0.04), error 0.1741 (by the median 0.1867)."""
        return product_chance(self.tolerance)


@dataclass(frozen=True)
class MultiplicationPascanu13(MultiplicationMS11):
    """Multiplication as in Pascanu et al. 2013: right when the *squared* error is < 0.04.

    Attributes:
        T: minimal length.
    """

    tolerance = 0.2  # the root of 0.04

    @property
    def chance(self) -> Chance:
        """Right 0.7665 (by the constant 0.2), error 0.1741."""
        return product_chance(self.tolerance)


@dataclass(frozen=True)
class _SumOfTwo(PairTask):
    """Fixed length, target the plain sum; sources report the mean squared error only."""

    shortest = 2
    tolerance = 0.04  # FIDELITY T8

    @property
    def steps(self) -> int:
        """All sequences have length T."""
        return self.T

    @property
    def lag(self) -> int:
        """The last pair may be marked."""
        return 0

    @property
    def chance(self) -> Chance:
        """Right 0.0784, error 1/3; the mean squared error of the constant 1 is 1/6."""
        return sum_chance(1.0, self.tolerance)


@dataclass(frozen=True)
class AddingArjovsky16(_SumOfTwo):
    """Adding as in Arjovsky et al. 2016 and Tallec & Ollivier 2018.

    Values uniform in [0, 1), length T, one mark in each half, target the sum of the two.

    Shapes: inputs `[T, 2]`, targets `[T, 1]`, scored at the last step.

    Example with T = 8:

        step    0    1    2    3    4    5    6    7
        value  .6   .3   .8   .1   .5   .2   .9   .7
        marker  0    0    1    0    0    1    0    0
        target                                     .8 + .2 = 1.0

    Attributes:
        T: length.
    """

    def sample(self, key: jax.Array) -> Sequence:
        """Draws one sequence."""
        bits, half = draw_bits(key, 2 + self.T), self.T // 2
        first, second = below(bits[0], half), half + below(bits[1], self.T - half)
        pairs = _pairs(bits[2:], first, second, jnp.asarray(self.T, jnp.int32))
        return pairs.ask(pairs.total())


@dataclass(frozen=True)
class AddingBai18(_SumOfTwo):
    """Adding as in Bai et al. 2018: `AddingArjovsky16`, but with two distinct marks anywhere.

    Attributes:
        T: length.
    """

    def sample(self, key: jax.Array) -> Sequence:
        """Draws one sequence."""
        bits = draw_bits(key, 2 + self.T)
        first, second = below(bits[0], self.T), below(bits[1], self.T - 1)
        second = second + (second >= first)
        pairs = _pairs(bits[2:], first, second, jnp.asarray(self.T, jnp.int32))
        return pairs.ask(pairs.total())


# The settings of published numbers.
ADDING_MS11_80, MULTIPLICATION_MS11_80 = AddingMS11(80), MultiplicationMS11(80)
ADDING_PASCANU13_200 = AddingPascanu13(200)
MULTIPLICATION_PASCANU13_200 = MultiplicationPascanu13(200)
ADDING_TALLEC18_750 = AddingArjovsky16(750)
ADDING_BAI18_600 = AddingBai18(600)
