"""The latch problem of Bengio, Simard & Frasconi 1994, in two variants."""

from dataclasses import dataclass, replace
from typing import Self

import jax
import jax.numpy as jnp

from tasks.building import Tolerant, ask_at_end
from tasks.sequence import REGRESSION, Chance, Sequence
from tasks.two_sequence import TwoSequence01Quiet, TwoSequence3a


@dataclass(frozen=True)
class LatchII(Tolerant):
    """Which sign did a noisy sequence begin with? Variant II, with fixed inputs.

    Bengio, Simard & Frasconi 1994, as in Schmidhuber, Hochreiter & Bengio 2001. One input line. The
    first element is 1.0 (class 1) or -1.0 (class 2), equally likely, all later ones are Gaussian
    noise with mean 0 and *variance* 0.2. The target at the end is 1.0 or -1.0, right within 0.1.
    Lengths are uniform on T, ..., T + T // 10.

    Meant for a single tanh unit (`models.latch_unit`), which must make its state an attractor to
    keep the sign. Targets are negative too, so logistic outputs cannot reach half of them.

    Shapes: inputs `[T + T // 10, 1]`, targets `[T + T // 10, 1]`, scored at the last step.

    Example, class 2:

        step     0     1     2     3     4     5  ...  length-1
        input -1.0   .52  -.08   .12  -.61   .40       -.08
        target                                         -1.0

    Attributes:
        T: minimal length.
    """

    T: int = 500

    n_in = 1
    n_out = 1
    tolerance = 0.1  # FIDELITY T27
    objective = REGRESSION
    level = 1.0
    """Absolute value of the targets."""
    line = TwoSequence3a
    """Where the sequences come from."""

    def __post_init__(self):
        if self.T < 2:
            raise ValueError(f"T must be at least 2, or nothing need be kept, not {self.T}")

    @property
    def steps(self) -> int:
        """Longest possible sequence."""
        return self.T + self.T // 10  # FIDELITY T24

    @property
    def lag(self) -> int:
        """From the first element to the end of the shortest sequence."""
        return self.T - 1

    @property
    def chance(self) -> Chance:
        """Half of the sequences are of either class; every constant between errs alike."""
        return Chance(right=0.5, error=self.level)

    def longer(self, k: int) -> Self:
        """The same task with k times the T."""
        return replace(self, T=k * self.T)

    def relevant(self, sequence: Sequence) -> jax.Array:
        """The first step, `[T]` bool."""
        return jnp.arange(len(sequence.inputs)) == 0

    def sample(self, key: jax.Array) -> Sequence:
        """Draws one sequence."""
        drawn = self.line(self.T, N=1).sample(key)
        target = self.level * drawn.inputs[0]
        return ask_at_end(self._shown(drawn.inputs), target, drawn.length)

    def _shown(self, line: jax.Array) -> jax.Array:
        """The inputs `[T, n_in]`, from the input line `[T, 1]` of a 2-sequence problem."""
        return line


@dataclass(frozen=True)
class LatchI(LatchII):
    """As `LatchII`, with a first input that is trainable (variant I).

    In the sources the first input values, one for each class, are parameters of the net. A task has
    none, so it shows the class as two one-hot inputs in the first step, of which the weights are
    those two values. A third input is the noise, of every step but the first. The targets are 0.8
    and -0.8; right is an output of the right sign, less than 0.8 off.

    Shapes: inputs `[T + T // 10, 3]`, targets `[T + T // 10, 1]`, scored at the last step.

    Example, class 2:

        step      0     1     2     3     4     5  ...  length-1
        class 1   0     0     0     0     0     0         0
        class 2   1     0     0     0     0     0         0
        noise     0   .52  -.08   .12  -.61   .40       -.08
        target                                           -.8

    Attributes:
        T: minimal length.
    """

    n_in = 3
    tolerance = 0.8  # FIDELITY T27
    level = 0.8

    def _shown(self, line: jax.Array) -> jax.Array:
        first = jnp.arange(len(line))[:, None] == 0
        classes = first & (line * jnp.asarray([[1.0, -1.0]]) > 0)  # FIDELITY T26
        return jnp.concatenate([classes.astype(jnp.float32), jnp.where(first, 0.0, line)], -1)


@dataclass(frozen=True)
class LatchIIQuiet(LatchII):
    """As `LatchII`, with noise of *standard deviation* 0.2, not variance.

    Attributes:
        T: minimal length.
    """

    line = TwoSequence01Quiet  # FIDELITY G6


@dataclass(frozen=True)
class LatchIQuiet(LatchI):
    """As `LatchI`, with noise of *standard deviation* 0.2, not variance.

    Attributes:
        T: minimal length.
    """

    line = TwoSequence01Quiet  # FIDELITY G6


GUESSING01_I_500, GUESSING01_II_500 = LatchI(500), LatchII(500)
GUESSING01_I_500_QUIET, GUESSING01_II_500_QUIET = LatchIQuiet(500), LatchIIQuiet(500)
