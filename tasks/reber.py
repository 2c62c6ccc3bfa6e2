"""The embedded Reber grammar, experiment 1 of Hochreiter & Schmidhuber 1997."""

from dataclasses import dataclass

import jax
import jax.numpy as jnp

from tasks.building import Symbols, SymbolTask, draw_bits, unit
from tasks.reber_grammar import (
    ARC_SYMBOL,
    ARC_TARGET,
    START,
    SYMBOLS,
    completion,
    first_arc,
    legal_next,
)
from tasks.sequence import Chance, Sequence, Verdict, most_active

SETS_OF_1997 = 256
CANDIDATES = 2048
"""Strings drawn to find test strings: about a quarter of them is not in the training set."""


@dataclass(frozen=True)
class Reber(SymbolTask):
    """Next symbol of strings of the embedded Reber grammar, from fixed sets.

    Hochreiter & Schmidhuber 1997, experiment 1. A string is B, then T or P, a string of the Reber
    grammar `INNER` (from its own B to its own E), the same T or P again, E; every choice has
    probability 0.5. Symbols are one-hot, in the order BTPSXVE. At every step the next symbol is
    the target; right is a string during which the legal next symbols, one or two, are always the
    most active outputs.

    Strings are unbounded (9 symbols at least, 12 on average). They are drawn from the grammar's
    distribution given that they have at most `longest` symbols: with 50, a share of 2.53e-6
    (`lost`) is left out.

    Shapes: inputs and targets `[longest - 1, 7]`, scored at every step up to the length (the final
    E is a target only).

    Example, the string BTBTXSETE:

        step     0   1   2   3   4   5   6   7
        input    B   T   B   T   X   S   E   T
        target   T   B   T   X   S   E   T   E
        legal   TP   B  TP  SX  XS   E   T   E

    Attributes:
        longest: most symbols in a string.
        n_train: strings in the training set.
        n_test: strings in the test set.
    """

    longest: int = 50
    n_train: int = SETS_OF_1997
    n_test: int = SETS_OF_1997

    n_in = len(SYMBOLS)
    n_out = len(SYMBOLS)
    lag = 5  # FIDELITY T2
    every_step = True
    tolerance = float("nan")
    chance = Chance(right=0.0, error=1 / 7)
    """No constant is right: T, P are legal first, then only B. Zero misses one output by 1."""

    def __post_init__(self):
        if self.longest < 20:
            raise ValueError(
                "longest must be at least 20, or too few strings are left for a test set, "
                f"not {self.longest}"
            )
        if not (1 <= self.n_train <= SETS_OF_1997 and 1 <= self.n_test <= SETS_OF_1997):
            raise ValueError(
                f"n_train and n_test must lie between 1 and {SETS_OF_1997}, "
                f"not {self.n_train} and {self.n_test}"
            )

    @property
    def steps(self) -> int:
        """The final symbol is never an input."""
        return self.longest - 1  # FIDELITY T12

    @property
    def lost(self) -> float:
        """Probability of the strings that are too long to be drawn."""
        return 1.0 - float(completion(self.longest)[-1, START])

    def relevant(self, sequence: Sequence) -> jax.Array:
        """The second step, whose T or P returns as the last symbol but one, `[T]` bool."""
        return jnp.arange(len(sequence.inputs)) == 1

    def symbols(self, key: jax.Array) -> Symbols:
        """Draws one string as symbol numbers."""
        symbol, target = jnp.asarray(ARC_SYMBOL, jnp.int32), jnp.asarray(ARC_TARGET, jnp.int32)

        def walk(node, now):
            chance, first = now
            arc = (chance >= first[node]).astype(jnp.int32)
            return target[node, arc], symbol[node, arc]

        chances = unit(draw_bits(key, self.longest))
        firsts = jnp.asarray(first_arc(self.longest), jnp.float32)  # FIDELITY T15
        _, string = jax.lax.scan(walk, jnp.asarray(START, jnp.int32), (chances, firsts))
        inputs, targets = string[:-1], string[1:]
        return Symbols(
            jnp.where(targets >= 0, inputs, -1), targets, jnp.sum(targets >= 0, dtype=jnp.int32)
        )

    def draw_sets(self, key: jax.Array) -> tuple[Sequence, Sequence]:
        """Draws a training set and a test set, stacked along a leading axis.

        Strings may occur twice in a set; no test string occurs in the training set. Test strings
        are the first fresh ones of 2048 candidates, of which about 500 are fresh. Should fewer
        than `n_test` ever be fresh (odds below 1e-20), the fresh ones are repeated.
        """
        keys = jax.random.split(key, self.n_train + CANDIDATES)
        drawn = jax.vmap(self.symbols)(keys)
        train = jax.tree.map(lambda leaf: leaf[: self.n_train], drawn)
        others = jax.tree.map(lambda leaf: leaf[self.n_train :], drawn)
        same = jnp.all(_packed(others.inputs)[:, None] == _packed(train.inputs)[None], -1)
        known = jnp.any(same, -1)
        fresh_first = jnp.argsort(known, stable=True)  # FIDELITY T16
        place = jnp.arange(self.n_test) % jnp.maximum(jnp.sum(~known), 1)
        test = jax.tree.map(lambda leaf: leaf[fresh_first[place]], others)
        return jax.vmap(self.encode)(train), jax.vmap(self.encode)(test)

    def judge(self, outputs: jax.Array, sequence: Sequence) -> Verdict:
        """Correct if, whenever scored, each legal symbol is more active than each illegal one."""
        predicted = most_active(outputs, legal_next(sequence.inputs))
        right = jnp.all(predicted | ~sequence.scored)  # FIDELITY T17
        errors = jnp.mean(jnp.abs(outputs - sequence.targets), -1)
        error = jnp.sum(jnp.where(sequence.scored, errors, 0.0)) / jnp.sum(sequence.scored)
        return Verdict(error=error, wrong=~right)


@dataclass(frozen=True)
class ReberInOrder(Reber):
    """As `Reber`, but the training set is shown in its order, over and over.

    A reading of its own (docs/FIDELITY.md, fidelity study).

    Attributes:
        longest: most symbols in a string.
        n_train: strings in the training set.
        n_test: strings in the test set.
    """

    in_order = True


@dataclass(frozen=True)
class ReberAllLegal(Reber):
    """As `Reber`, but all legal next symbols are targets, not only the one that comes.

    A reading of its own (docs/FIDELITY.md, fidelity study).

    Shapes: as of `Reber`; one or two targets are 1 at each scored step.

    Attributes:
        longest: most symbols in a string.
        n_train: strings in the training set.
        n_test: strings in the test set.
    """

    chance = Chance(right=0.0, error=0.22998)
    """No constant is right, as of `Reber`. Zero misses one or two outputs by 1; measured."""

    def encode(self, symbols: Symbols) -> Sequence:
        """One-hot inputs, and targets of all legal symbols."""
        sequence = super().encode(symbols)
        legal = legal_next(sequence.inputs) & sequence.scored[:, None]
        return sequence._replace(targets=legal.astype(jnp.float32))


def _packed(symbols: jax.Array) -> jax.Array:
    """Symbol numbers `[n, T]`, ten to a word, so that strings are quick to compare."""
    n, T = symbols.shape
    tens = jnp.pad(symbols + 1, ((0, 0), (0, -T % 10))).astype(jnp.uint32).reshape(n, -1, 10)
    return jnp.sum(tens << 3 * jnp.arange(10, dtype=jnp.uint32)[None, None], -1, dtype=jnp.uint32)


HS97 = Reber()
