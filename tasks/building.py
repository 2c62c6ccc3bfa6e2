"""What the generators share: numbers out of raw bits, one-hot symbols, a question at the end.

Every sampler makes one bulk draw of raw bits (a second key only for Gaussian noise): random numbers
cost as much as a small network, and a draw per quantity costs a key derivation each.
"""

import abc
from typing import NamedTuple

import jax
import jax.numpy as jnp
import numpy as np

from tasks.sequence import CLASSES, Sequence, Verdict, judge_by_tolerance

ROTATIONS = ((13, 15, 26, 6), (17, 29, 16, 24))
PARITY = np.uint32(0x1BD11BDA)

ERF_INV = (
    (2.81022636e-08, -0.000200214257),
    (3.43273939e-07, 0.000100950558),
    (-3.5233877e-06, 0.00134934322),
    (-4.39150654e-06, -0.00367342844),
    (0.00021858087, 0.00573950773),
    (-0.00125372503, -0.0076224613),
    (-0.00417768164, 0.00943887047),
    (0.246640727, 1.00167406),
    (1.50140941, 2.83297682),
)
"""Coefficients of Giles's two polynomials, highest power first: of the middle, of the tails."""


def draw_bits(key: jax.Array, count: int) -> jax.Array:
    """Random words, `[count]` uint32; the same as `jax.random.bits` of a threefry key."""
    return bits_at(key, jnp.arange(count))


def bits_at(key: jax.Array, places: jax.Array) -> jax.Array:
    """The words that stand at these places of all that `draw_bits` can draw; uint32, as many.

    Threefry-2x32 with 20 rounds (Salmon et al. 2011) of the numbers of the places, both halves
    joined by exclusive or. On a CPU jax runs the rounds as a loop over arrays; written out, they
    fuse, and drawing sequences is no longer a large part of the 1997 learner's time (`make speed`).

    Keys of jax's other generators (rbg) begin with those of threefry, and draw the same words here.
    """
    first, second = jax.random.key_data(key)[:2]
    keys = first, second, first ^ second ^ PARITY
    y = places.astype(jnp.uint32) + keys[1]
    x = jnp.zeros_like(y) + keys[0]
    for group in range(5):
        for turn in ROTATIONS[group % 2]:
            x = x + y
            y = ((y << np.uint32(turn)) | (y >> np.uint32(32 - turn))) ^ x
        x = x + keys[(group + 1) % 3]
        y = y + keys[(group + 2) % 3] + np.uint32(group + 1)
    return x ^ y


def normal(bits: jax.Array) -> jax.Array:
    """Standard normal float32 from each word; what `jax.random.normal` makes of such words."""
    ones = jax.lax.bitcast_convert_type((bits >> 9) | np.uint32(0x3F800000), jnp.float32)
    low = np.nextafter(np.float32(-1), np.float32(0))
    level = jnp.maximum(low, (ones - 1) * (np.float32(1) - low) + low)  # uniform in (-1, 1)
    return np.float32(np.sqrt(2)) * erf_inv(level)


def erf_inv(x: jax.Array) -> jax.Array:
    """Inverse of the error function, of float32 in (-1, 1).

    The approximation of Giles (2010), table 5, to a few units in the last place. jax's is the same
    but for a slower logarithm, which was most of the time that it takes to draw Gaussian noise.
    """
    w = -jnp.log((1 - x) * (1 + x))
    central = w < 5
    w = jnp.where(central, w - 2.5, jnp.sqrt(w) - 3)
    y = jnp.zeros_like(x)
    for inside, outside in ERF_INV:
        y = jnp.where(central, np.float32(inside), np.float32(outside)) + y * w
    return x * y


def below(bits: jax.Array, n: int | jax.Array) -> jax.Array:
    """Uniform int32 in [0, n) from each word; no probability is off by more than n / 2^32 of it."""
    return (bits % jnp.asarray(n, jnp.uint32)).astype(jnp.int32)


def unit(bits: jax.Array) -> jax.Array:
    """Uniform float32 in [0, 1), a multiple of 2^-24, from each word."""
    return (bits >> 8).astype(jnp.float32) * 2.0**-24


def longer_by_a_tenth(bits: jax.Array, T: int) -> jax.Array:
    """A length, uniform on T, ..., T + T // 10, both ends included."""
    return T + below(bits, T // 10 + 1)  # FIDELITY T1


def ask_at_end(inputs: jax.Array, target: jax.Array, length: jax.Array) -> Sequence:
    """A sequence whose only teacher signal comes at its last step.

    Args:
        inputs: `[T, n_in]`; whatever lies at or beyond `length` is blanked here.
        target: `[n_out]`.
        length: `[]` int32.
    """
    step = jnp.arange(len(inputs))
    scored = step == length - 1
    return Sequence(
        inputs=jnp.where((step < length)[:, None], inputs, 0.0),
        targets=jnp.where(scored[:, None], target[None], 0.0),
        scored=scored,
        length=length,
    )


class Tolerant:
    """Base of the tasks whose rule is that every absolute output error is below `tolerance`."""

    every_step = False
    tolerance: float

    def judge(self, outputs: jax.Array, sequence: Sequence) -> Verdict:
        """Correct if every output is within the tolerance at every scored step."""
        # FIDELITY T19
        return judge_by_tolerance(outputs, sequence.targets, sequence.scored, self.tolerance)


class Symbols(NamedTuple):
    """A sequence of one-hot inputs and targets as plain symbol numbers.

    Attributes:
        inputs: `[T]` int32; number of the input symbol, -1 from `length` on.
        targets: `[T]` int32; number of the output that should be one, -1 where not scored.
        length: `[]` int32; number of steps that carry input.
    """

    inputs: jax.Array
    targets: jax.Array
    length: jax.Array


class SymbolTask(Tolerant, abc.ABC):
    """Base of the tasks whose inputs and targets are one-hot symbols.

    A learner that wants to be fast reads `symbols`, since a product with a one-hot vector only
    picks a column; everything else reads `sample`, which encodes the same symbols.
    """

    objective = CLASSES  # FIDELITY T20

    @property
    @abc.abstractmethod
    def n_in(self) -> int:
        """One input for each symbol."""

    @property
    @abc.abstractmethod
    def n_out(self) -> int:
        """One output for each symbol that may be asked for."""

    @abc.abstractmethod
    def symbols(self, key: jax.Array) -> Symbols:
        """Draws one sequence as symbol numbers; a pure function of the key."""

    def sample(self, key: jax.Array) -> Sequence:
        """Draws one sequence; the same as `symbols` with the same key, one-hot."""
        return self.encode(self.symbols(key))

    def encode(self, symbols: Symbols) -> Sequence:
        """One-hot form of symbol numbers; no output and no input unit stands for -1."""
        return Sequence(
            inputs=_one_hot(symbols.inputs, self.n_in),
            targets=_one_hot(symbols.targets, self.n_out),
            scored=symbols.targets >= 0,
            length=symbols.length,
        )


def _one_hot(symbols: jax.Array, width: int) -> jax.Array:
    return (symbols[:, None] == jnp.arange(width)[None]).astype(jnp.float32)
