"""The adding problem, experiment 4 of Hochreiter & Schmidhuber 1997."""

from dataclasses import dataclass

import jax

from tasks.pairs import PairTask, hs97_pairs, lone_mark, sum_chance
from tasks.sequence import Chance, Sequence


@dataclass(frozen=True)
class Adding(PairTask):
    """Sum of two marked values out of many.

    Hochreiter & Schmidhuber 1997, experiment 4. Every step shows a pair: a value, uniform in
    [-1, 1), and a marker. One of the first ten pairs is marked 1, then one of the first T/2 - 1
    pairs still unmarked; the first and the final pair carry -1, all others 0. At the end the
    target is 0.5 + (X1 + X2) / 4 with X1, X2 the marked values; where the first pair has been
    drawn, its summand is 0. Lengths are uniform on T, ..., T + T // 10.

    Not the "adding problem" of later papers: those are in `tasks.variants`.

    Shapes: inputs `[T + T // 10, 2]`, targets `[T + T // 10, 1]`, scored at the last step.

    Example (drawn short; T is at least 20):

        step    0    1    2    3    4    5    6   ...  length-1
        value  .7  -.3   .8   .1  -.5   .2  -.9        .4
        marker -1    0    1    0    1    0    0        -1
        target                                         .5 + (.8 - .5)/4 = .575

    Attributes:
        T: minimal length.
    """

    def sample(self, key: jax.Array) -> Sequence:
        """Draws one sequence."""
        pairs = hs97_pairs(key, self.T)
        pairs = pairs._replace(values=2 * pairs.values - 1)
        return pairs.ask(0.5 + pairs.total() / 4)

    @property
    def chance(self) -> Chance:
        """At T = 100, 500, 1000: right 0.1544, 0.1543, 0.1543; error 0.1617, 0.1623, 0.1624."""
        return sum_chance(0.5, self.tolerance, lone_mark(self.T))


HS97_100, HS97_500, HS97_1000 = Adding(100), Adding(500), Adding(1000)
