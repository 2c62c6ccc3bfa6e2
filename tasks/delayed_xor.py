"""Strongly delayed XOR, which Hochreiter & Schmidhuber 1997 name as a limit of truncated LSTM."""

from dataclasses import dataclass

import jax
import jax.numpy as jnp

from tasks.building import Symbols
from tasks.temporal_order import TemporalOrder6a


@dataclass(frozen=True)
class DelayedXor(TemporalOrder6a):
    """Do two widely separated symbols in a noisy sequence differ?

    Hochreiter & Schmidhuber 1997, section 6: the truncated gradient will not easily solve "strongly
    delayed XOR", because storing one of the two inputs does not reduce the expected error. They
    give no sequences. Here these are the sequences of experiment 6a, with another question: XX and
    YY -> output 0 (same), XY and YX -> output 1 (different). In 6a one stored symbol halves the
    number of classes; here it tells nothing. Right within 0.3, as there.

    Shapes: inputs `[T + T // 10, 8]`, targets `[T + T // 10, 2]`, scored at the last step.

    Example with T = 20 (t1 on 2-4, t2 on 10-12):

        position  1  2  3  4  5  6  7  8  9 10 11 12 13 14 15 16 17 18 19 20
        symbol    E  c  Y  a  a  d  b  a  c  b  X  d  a  a  c  b  d  c  a  B
        target                                                              different = 0 1

    Attributes:
        T: minimal length.
    """

    @property
    def n_out(self) -> int:
        """Same and different."""
        return 2

    def symbols(self, key: jax.Array) -> Symbols:
        """Draws one sequence as symbol numbers."""
        ordered = super().symbols(key)
        order = ordered.targets  # two bits, one for each symbol, or -1
        different = order // 2 != order % 2
        targets = jnp.where(order < 0, -1, different).astype(jnp.int32)
        return ordered._replace(targets=targets)  # FIDELITY T25


XOR_100 = DelayedXor(100)
