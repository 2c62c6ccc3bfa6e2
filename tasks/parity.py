"""The parity problem: is the number of ones in a long sequence odd?"""

from dataclasses import dataclass, replace
from typing import Self

import jax
import jax.numpy as jnp

from tasks.building import Tolerant, ask_at_end, draw_bits, longer_by_a_tenth, unit
from tasks.sequence import BINARY, Chance, Sequence

NOISE = 0.2
"""Largest noise in both sources."""


@dataclass(frozen=True)
class Parity(Tolerant):
    """Parity of a long sequence of ones and minus ones.

    Bengio, Simard & Frasconi 1994, set up as in Schmidhuber, Hochreiter & Bengio 2001, who solve it
    by guessing weights. One input line with 1.0 or -1.0 at every step, equally likely and
    independent; where `noise` is not 0, uniform noise from [-noise, noise) is added to each. The
    target at the end is 1.0 if the number of ones is odd, else 0.0. Right within 0.1. Lengths are
    uniform on T, ..., T + T // 10.

    Every input matters, the last one too. To know all of them but one is to know nothing.

    Shapes: inputs `[T + T // 10, 1]`, targets `[T + T // 10, 1]`, scored at the last step.

    Example with T = 8, without and with noise:

        step     0     1     2     3     4     5     6     7
        input  1.0  -1.0  -1.0   1.0   1.0  -1.0   1.0   1.0
        input  1.13 -.92 -1.17   .89  1.05 -1.02   .84  1.11
        target                                            1.0

    Attributes:
        T: minimal length.
        noise: largest absolute value of the noise, below 1.
    """

    T: int = 500
    noise: float = 0.0

    n_in = 1
    n_out = 1
    lag = 0  # FIDELITY T2
    tolerance = 0.1
    objective = BINARY
    chance = Chance(right=0.5, error=0.5)

    def __post_init__(self):
        if self.T < 1:
            raise ValueError(f"T must be at least 1, not {self.T}")
        if not 0 <= self.noise < 1:
            raise ValueError(
                f"noise must be at least 0 and below 1, or signs are lost, not {self.noise}"
            )

    @property
    def steps(self) -> int:
        """Longest possible sequence."""
        return self.T + self.T // 10  # FIDELITY T24

    def longer(self, k: int) -> Self:
        """The same task with k times the T."""
        return replace(self, T=k * self.T)

    def relevant(self, sequence: Sequence) -> jax.Array:
        """All steps of the sequence, `[T]` bool."""
        return jnp.arange(len(sequence.inputs)) < sequence.length

    def sample(self, key: jax.Array) -> Sequence:
        """Draws one sequence."""
        bits = draw_bits(key, 1 + self.steps)
        length = longer_by_a_tenth(bits[0], self.T)
        one = bits[1:] % 2 == 1
        # `unit` does not look at the lowest bits.
        inputs = jnp.where(one, 1.0, -1.0) + self.noise * (2 * unit(bits[1:]) - 1)
        odd = jnp.sum(one & (jnp.arange(self.steps) < length)) % 2
        return ask_at_end(inputs[:, None], odd.astype(jnp.float32)[None], length)


GUESSING01_500, GUESSING01_500_NOISY = Parity(500), Parity(500, NOISE)
