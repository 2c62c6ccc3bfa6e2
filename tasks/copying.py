"""Copying symbols after a delay: the copying memory problem and selective copying."""

from dataclasses import dataclass, replace
from math import log
from typing import Self

import jax
import jax.numpy as jnp

from tasks.building import Symbols, SymbolTask, below, draw_bits
from tasks.sequence import Chance, Sequence, Verdict, most_active

BLANK = 0


@dataclass(frozen=True)
class CopyMemory(SymbolTask):
    """The copying memory problem: recall K symbols in order after T steps.

    Arjovsky, Shah & Bengio 2016. Input symbols, one-hot: the blank (number 0), the data symbols
    1, ..., n (n = `alphabet`) and the delimiter (n + 1). A sequence is K independent uniform data
    symbols, T - 1 blanks, the delimiter, K blanks. The target is the blank for T + K steps, then
    the K data symbols in their order. The outputs are the blank and the data symbols; the delimiter
    is never a target.

    There is a teacher signal at every step. Right is a sequence whose K recalled symbols are each
    the most active output; the blanks count in the error only.

    Shapes: inputs `[T + 2 K, alphabet + 2]`, targets `[T + 2 K, alphabet + 1]`, scored at every
    step.

    Example with T = 4, K = 3, alphabet = 8 (. is the blank, d the delimiter):

        step    0  1  2  3  4  5  6  7  8  9
        input   5  1  5  .  .  .  d  .  .  .
        target  .  .  .  .  .  .  .  5  1  5

    Attributes:
        T: steps from the last data symbol to the delimiter.
        K: number of data symbols in a sequence.
        alphabet: number of different data symbols.
    """

    T: int
    K: int = 10
    alphabet: int = 8

    every_step = True
    tolerance = float("nan")

    def __post_init__(self):
        if self.T < 1 or self.K < 1:
            raise ValueError(f"T and K must be at least 1, not {self.T} and {self.K}")
        if self.alphabet < 2:
            raise ValueError(f"alphabet must be at least 2 symbols, not {self.alphabet}")

    @property
    def n_in(self) -> int:
        """The blank, the data symbols, the delimiter."""
        return self.alphabet + 2

    @property
    def n_out(self) -> int:
        """The blank and the data symbols."""
        return self.alphabet + 1

    @property
    def steps(self) -> int:
        """All sequences are alike in length."""
        return self.T + 2 * self.K

    @property
    def lag(self) -> int:
        """From each data symbol to the step at which it is to be recalled."""
        return self.T + self.K  # FIDELITY T21

    @property
    def chance(self) -> Chance:
        """Of outputs that know the time but no symbol: all guessed; 0 misses one output by 1."""
        missed = self.K / (self.n_out * self.steps)
        return Chance(right=self.alphabet**-self.K, error=missed)  # FIDELITY T22

    @property
    def memoryless_loss(self) -> float:
        """Least mean cross-entropy of such outputs, the usual baseline: K log(n) / (T + 2 K)."""
        return self.K * log(self.alphabet) / self.steps

    def longer(self, k: int) -> Self:
        """The same task with k times the T."""
        return replace(self, T=k * self.T)

    def relevant(self, sequence: Sequence) -> jax.Array:
        """The steps that show data symbols, `[T + 2 K]` bool."""
        return jnp.any(sequence.inputs[:, 1:-1] == 1.0, -1)

    def symbols(self, key: jax.Array) -> Symbols:
        """Draws one sequence as symbol numbers."""
        data = 1 + below(draw_bits(key, self.K), self.alphabet)
        step = jnp.arange(self.steps)
        # The step of the delimiter follows T - 1 blanks.  # FIDELITY T21
        inputs = jnp.where(step == self.T + self.K - 1, self.alphabet + 1, BLANK)
        return self._asked(inputs.at[: self.K].set(data), data)

    def _asked(self, inputs: jax.Array, data: jax.Array) -> Symbols:
        """The sequence with these inputs `[T + 2 K]`, in which `data` `[K]` is to be recalled."""
        targets = jnp.full(self.steps, BLANK).at[-self.K :].set(data)
        length = jnp.asarray(self.steps, jnp.int32)
        return Symbols(inputs.astype(jnp.int32), targets.astype(jnp.int32), length)

    def judge(self, outputs: jax.Array, sequence: Sequence) -> Verdict:
        """Correct if each recalled symbol is more active than all other outputs."""
        first = most_active(outputs, sequence.targets == 1.0)
        right = jnp.all(first[-self.K :])  # FIDELITY T22
        return super().judge(outputs, sequence)._replace(wrong=~right)


@dataclass(frozen=True)
class SelectiveCopying(CopyMemory):
    """As `CopyMemory`, with the data at random places among blanks.

    Gu & Dao 2023 (Mamba). The first T + K steps show the K data symbols at distinct places, every
    set of places equally likely, and the blank elsewhere; the last K steps show the delimiter. At
    these the data symbols are to be recalled in their order. How long a symbol must be kept
    differs from sequence to sequence, T/2 + K steps on average, so no fixed delay solves the task.

    Example with T = 4, K = 3, alphabet = 14:

        step    0  1  2  3  4  5  6  7  8  9
        input   .  9  .  . 14  2  .  d  d  d
        target  .  .  .  .  .  .  .  9 14  2

    Attributes:
        T: number of blanks among the data.
        K: number of data symbols in a sequence.
        alphabet: number of different data symbols.
    """

    K: int = 16
    alphabet: int = 14

    @property
    def lag(self) -> int:
        """From the last data symbol, at the latest place, to its recall; T does not matter."""
        return self.K

    def symbols(self, key: jax.Array) -> Symbols:
        """Draws one sequence as symbol numbers."""
        bits = draw_bits(key, 2 * self.K)
        data = 1 + below(bits[self.K :], self.alphabet)
        places = jnp.sort(_distinct(bits[: self.K], self.T + self.K))
        step = jnp.arange(self.steps)
        shown = jnp.where(step[:, None] == places[None], data[None], BLANK)
        recall = step >= self.T + self.K  # FIDELITY T23
        return self._asked(jnp.where(recall, self.alphabet + 1, jnp.max(shown, -1)), data)


def _distinct(bits: jax.Array, n: int) -> jax.Array:
    """Distinct numbers in [0, n), one from each word; every set equally likely (Floyd 1987)."""
    chosen = jnp.full(len(bits), -1)
    for i, word in enumerate(bits):
        top = n - len(bits) + i
        number = below(word, top + 1)
        taken = jnp.any(chosen == number)
        chosen = chosen.at[i].set(jnp.where(taken, top, number))
    return chosen


# The settings of the two papers.
ARJOVSKY16_100, ARJOVSKY16_200 = CopyMemory(100), CopyMemory(200)
ARJOVSKY16_300, ARJOVSKY16_500 = CopyMemory(300), CopyMemory(500)
GU_DAO23 = SelectiveCopying(4096)
