"""The 2-sequence problem, experiments 3a, 3b, 3c of Hochreiter & Schmidhuber 1997."""

from dataclasses import dataclass, replace
from math import sqrt
from typing import Self

import jax
import jax.numpy as jnp

from tasks.building import (
    Tolerant,
    ask_at_end,
    below,
    draw_bits,
    longer_by_a_tenth,
    normal,
)
from tasks.sequence import (
    BINARY,
    REGRESSION,
    Chance,
    Sequence,
    Verdict,
    judge_by_tolerance,
)

INPUT_SD = sqrt(0.2)
"""The paper gives the variance of the input noise, 0.2."""

TARGET_SD = sqrt(0.1)
"""The paper gives the variance of the target noise of 3c, 0.1."""


@dataclass(frozen=True)
class TwoSequence3a(Tolerant):
    """Which of two classes did the sequence begin with?

    Hochreiter & Schmidhuber 1997, experiment 3a, after Bengio et al. 1994. One input line. The
    first N elements are 1.0 (class 1) or -1.0 (class 2), all later ones Gaussian noise with mean 0
    and *variance* 0.2. The target at the end is 1.0 for class 1, 0.0 for class 2. Lengths are
    uniform on T, ..., T + T // 10.

    Shapes: inputs `[T + T // 10, 1]`, targets `[T + T // 10, 1]`, scored at the last step.

    Example with N = 3, class 2:

        step     0     1     2     3     4     5  ...  length-1
        input -1.0  -1.0  -1.0   .12  -.61   .40       -.08
        target                                          0.0

    Attributes:
        T: minimal length.
        N: number of elements that carry the class.
    """

    T: int = 100
    N: int = 3

    n_in = 1
    n_out = 1
    tolerance = 0.2
    objective = BINARY  # FIDELITY T20
    answers = (1.0, 0.0)
    """Targets of class 1 and class 2."""
    noise_from_start = False
    """Whether the N elements that carry the class are noisy too."""
    noise_sd = INPUT_SD
    """Standard deviation of the noise."""

    def __post_init__(self):
        if not 1 <= self.N <= self.T:
            raise ValueError(f"N must lie between 1 and T = {self.T}, not {self.N}")

    @property
    def steps(self) -> int:
        """Longest possible sequence."""
        return self.T + self.T // 10

    @property
    def lag(self) -> int:
        """From the last element that carries the class to the end of the shortest sequence."""
        return self.T - self.N  # FIDELITY T2

    @property
    def chance(self) -> Chance:
        """Half of the sequences are of either class; every constant between errs alike."""
        high, low = max(self.answers), min(self.answers)
        return Chance(right=0.5, error=(high - low) / 2)

    def longer(self, k: int) -> Self:
        """The same task with k times the T."""
        return replace(self, T=k * self.T)

    def relevant(self, sequence: Sequence) -> jax.Array:
        """The first N steps, `[T]` bool."""
        return jnp.arange(len(sequence.inputs)) < self.N

    def sample(self, key: jax.Array) -> Sequence:
        """Draws one sequence."""
        noise_key, bits_key = jax.random.split(key)
        noise = self.noise_sd * normal(draw_bits(noise_key, self.steps))
        bits = draw_bits(bits_key, 2)
        first_class = below(bits[0], 2) == 0
        level = jnp.where(first_class, jnp.float32(1.0), jnp.float32(-1.0))
        carries = jnp.arange(self.steps) < self.N
        start = noise + level if self.noise_from_start else level
        inputs = jnp.where(carries, start, noise)
        length = longer_by_a_tenth(bits[1], self.T)
        return ask_at_end(inputs[:, None], self._answer(first_class)[None], length)

    def _answer(self, first_class: jax.Array) -> jax.Array:
        one, two = self.answers
        return jnp.where(first_class, jnp.float32(one), jnp.float32(two))


@dataclass(frozen=True)
class TwoSequence3b(TwoSequence3a):
    """As 3a, with the Gaussian noise on the first N elements too (experiment 3b).

    Nobody is right on all sequences: with N = 1 the only informative element has the wrong sign
    with probability Phi(-1 / sqrt(0.2)) = 0.0127, with N = 3 their sum with 5.4e-5.

    Example with N = 3, class 2:

        step     0     1     2     3     4     5  ...  length-1
        input -.71 -1.32  -.98   .12  -.61   .40       -.08
        target                                          0.0

    Attributes:
        T: minimal length.
        N: number of elements that carry the class.
    """

    noise_from_start = True


@dataclass(frozen=True)
class TwoSequence3c(TwoSequence3a):
    """As 3a, with noisy targets 0.2 (class 1) and 0.8 (class 2) (experiment 3c).

    Gaussian noise of mean 0 and variance 0.1 is added to the target, so that the mean has to be
    learnt. The verdict (tolerance 0.1, and the error) is against the target *without* noise. Note
    that class 1 has the lower target here and the higher one in 3a.

    Example with N = 3, class 2, noise +.31 on the target:

        step     0     1     2     3     4     5  ...  length-1
        input -1.0  -1.0  -1.0   .12  -.61   .40       -.08
        target                                         1.11, judged against 0.8

    Attributes:
        T: minimal length.
        N: number of elements that carry the class.
    """

    tolerance = 0.1
    objective = REGRESSION  # FIDELITY T20
    answers = (0.2, 0.8)

    def sample(self, key: jax.Array) -> Sequence:
        """Draws one sequence; its target is noisy."""
        key, noise_key = jax.random.split(key)
        clean = super().sample(key)
        noise = TARGET_SD * normal(draw_bits(noise_key, 1))[0]  # FIDELITY T9
        return clean._replace(targets=jnp.where(clean.scored[:, None], clean.targets + noise, 0.0))

    def judge(self, outputs: jax.Array, sequence: Sequence) -> Verdict:
        """Correct if within 0.1 of the noise-free target, which the first element tells."""
        answer = self._answer(sequence.inputs[0, 0] > 0)
        targets = jnp.where(sequence.scored[:, None], answer, 0.0)
        return judge_by_tolerance(outputs, targets, sequence.scored, self.tolerance)


@dataclass(frozen=True)
class TwoSequence01(TwoSequence3a):
    """As 3a, right within 0.1, as Schmidhuber, Hochreiter & Bengio 2001 guess weights for it.

    Attributes:
        T: minimal length.
        N: number of elements that carry the class.
    """

    tolerance = 0.1  # FIDELITY T30


@dataclass(frozen=True)
class TwoSequence01Quiet(TwoSequence01):
    """As `TwoSequence01`, with noise of *standard deviation* 0.2, not variance.

    Attributes:
        T: minimal length.
        N: number of elements that carry the class.
    """

    noise_sd = 0.2  # FIDELITY G6


HS97_3A_100_3, HS97_3A_100_1 = TwoSequence3a(100, 3), TwoSequence3a(100, 1)
HS97_3A_1000_3 = TwoSequence3a(1000, 3)
HS97_3B_100_3, HS97_3B_100_1 = TwoSequence3b(100, 3), TwoSequence3b(100, 1)
HS97_3B_1000_1 = TwoSequence3b(1000, 1)
HS97_3C_100_3, HS97_3C_100_1 = TwoSequence3c(100, 3), TwoSequence3c(100, 1)
GUESSING01_500_1 = TwoSequence01(500, 1)
GUESSING01_500_1_QUIET, GUESSING01_500_3_QUIET = (
    TwoSequence01Quiet(500, 1),
    TwoSequence01Quiet(500, 3),
)
