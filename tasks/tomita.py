"""Tomita's regular languages 1, 2 and 4: is a string of zeros and ones in the language?"""

import functools
from dataclasses import dataclass, replace
from typing import Self

import jax
import jax.numpy as jnp
import numpy as np

from tasks.building import Tolerant, ask_at_end, below, draw_bits, unit
from tasks.sequence import BINARY, Chance, Sequence

AUTOMATA = {
    1: ((1, 0), (1, 1)),
    2: ((2, 1), (0, 2), (2, 2)),
    4: ((1, 0), (2, 0), (3, 0), (3, 3)),
}
"""By language: of each state, the next one after a 0 and after a 1. The first is the start."""
LEGAL = {1: (0,), 2: (0,), 4: (0, 1, 2)}
"""By language: states in which a string may end."""


@dataclass(frozen=True)
class Tomita(Tolerant):
    """Whether a string belongs to a regular language.

    Tomita 1982, set up as in Schmidhuber, Hochreiter & Bengio 2001. Language 1 is 1*, language 2
    is (10)*, language 4 all strings without three zeros in a row. One input line with 1.0 for a one
    and -1.0 for a zero; the target at the end is 1.0 for a string of the language, else 0.0. Right
    within 0.1.

    Half of the strings are of the language. Their lengths are uniform on those from 1 to `longest`
    that have such strings, and all strings of a kind and a length are equally likely.

    Shapes: inputs `[longest, 1]`, targets `[longest, 1]`, scored at the last step.

    Example with language 4, a string that is not in it:

        step      0     1     2     3     4     5
        symbol    1     0     0     0     1     0
        input   1.0  -1.0  -1.0  -1.0   1.0  -1.0
        target                                0.0

    Attributes:
        language: 1, 2 or 4.
        longest: most symbols in a string.
    """

    language: int
    longest: int = 20

    n_in = 1
    n_out = 1
    lag = 0
    tolerance = 0.1
    objective = BINARY
    chance = Chance(right=0.5, error=0.5)

    def __post_init__(self):
        if self.language not in AUTOMATA:
            raise ValueError(f"language must be 1, 2 or 4, not {self.language}")
        if self.longest < 3:
            raise ValueError(f"longest must be at least 3, or a kind may lack, not {self.longest}")

    @property
    def steps(self) -> int:
        """Longest possible string."""
        return self.longest  # FIDELITY T31

    def longer(self, k: int) -> Self:
        """The same task with strings up to k times as long."""
        return replace(self, longest=k * self.longest)

    def relevant(self, sequence: Sequence) -> jax.Array:
        """All steps of the string, `[T]` bool."""
        return jnp.arange(len(sequence.inputs)) < sequence.length

    def sample(self, key: jax.Array) -> Sequence:
        """Draws one string."""
        bits = draw_bits(key, 2 + self.longest)
        kind = below(bits[0], 2)
        length = self._length(bits[1], kind)
        ones = jnp.asarray(ones_next(self.language, self.longest), jnp.float32)[kind]
        following = jnp.asarray(AUTOMATA[self.language], jnp.int32)

        def walk(state, now):
            level, left = now
            one = (level < ones[left, state]).astype(jnp.int32)
            return following[state, one], one

        left = length - 1 - jnp.arange(self.longest)
        start = jnp.zeros((), jnp.int32)
        _, string = jax.lax.scan(walk, start, (unit(bits[2:]), jnp.maximum(left, 0)))
        inputs = jnp.where(string == 1, jnp.float32(1), jnp.float32(-1))
        return ask_at_end(inputs[:, None], kind.astype(jnp.float32)[None], length)

    def _length(self, word: jax.Array, kind: jax.Array) -> jax.Array:
        """A length, uniform on those that have strings of this kind."""
        possible = counts(self.language, self.longest)[:, 1:, 0] > 0  # [kind, length - 1]
        lengths = [np.flatnonzero(row) + 1 for row in possible]
        padded = np.stack([np.resize(row, self.longest) for row in lengths])
        among = jnp.asarray([len(row) for row in lengths], jnp.int32)[kind]
        return jnp.asarray(padded, jnp.int32)[kind, below(word, among)]


@functools.cache
def counts(language: int, longest: int) -> np.ndarray:
    """How many strings of each length lead from a state to a legal end, and to another end.

    Returns:
        `[2, longest + 1, states]`; kind 0 is not in the language, kind 1 is.
    """
    following = np.array(AUTOMATA[language])
    legal = np.isin(np.arange(len(following)), LEGAL[language])
    found = np.empty((2, longest + 1, len(following)))
    found[:, 0] = ~legal, legal
    for length in range(longest):
        found[:, length + 1] = found[:, length][:, following].sum(-1)
    return found


@functools.cache
def ones_next(language: int, longest: int) -> np.ndarray:
    """Chance that the next symbol is a one, if all strings of a kind are equally likely.

    Returns:
        `[2, longest, states]`: by kind, number of symbols behind the next one, and state; 0 where
        no such string goes on from there.
    """
    found, after_one = counts(language, longest), np.array(AUTOMATA[language])[:, 1]
    ways = np.maximum(found[:, 1:], 1)
    return found[:, :-1][:, :, after_one] / ways


TOMITA82_1, TOMITA82_2, TOMITA82_4 = Tomita(1), Tomita(2), Tomita(4)
