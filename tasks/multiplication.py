"""The multiplication problem, experiment 5 of Hochreiter & Schmidhuber 1997."""

from dataclasses import dataclass

import jax

from tasks.pairs import PairTask, hs97_pairs, lone_mark, product_chance
from tasks.sequence import Chance, Sequence


@dataclass(frozen=True)
class Multiplication(PairTask):
    """Product of two marked values out of many.

    Hochreiter & Schmidhuber 1997, experiment 5: as `tasks.adding.Adding`, but values are uniform
    in [0, 1), the target is X1 * X2, and a drawn first pair contributes the factor 1.

    Shapes: inputs `[T + T // 10, 2]`, targets `[T + T // 10, 1]`, scored at the last step.

    Example (drawn short; T is at least 20), the second one with the first pair drawn as X1:

        step    0    1    2    3    4    5  ...  length-1
        value  .7   .3   .8   .1   .5   .2       .4
        marker -1    0    1    0    1    0       -1
        target                                   .8 * .5 = .4

        marker -1    0    0    0    1    0       -1
        target                                   1 * .5 = .5

    Attributes:
        T: minimal length.
    """

    def sample(self, key: jax.Array) -> Sequence:
        """Draws one sequence."""
        pairs = hs97_pairs(key, self.T)
        return pairs.ask(pairs.product())

    @property
    def chance(self) -> Chance:
        """Right 0.2581 (by the constant 0.04), error 0.1938 (by the median 0.2107) at T = 100."""
        return product_chance(self.tolerance, lone_mark(self.T))


HS97_100 = Multiplication(100)
