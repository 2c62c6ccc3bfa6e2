"""The contract between tasks and everything else: a sequence, a verdict, a task."""

from collections.abc import Callable
from typing import NamedTuple, Protocol, Self, runtime_checkable

import jax
import jax.numpy as jnp
import optax


class Sequence(NamedTuple):
    """One sequence, padded to the task's number of steps.

    Attributes:
        inputs: `[T, n_in]` float32; zero from `length` on.
        targets: `[T, n_out]` float32; zero where not scored.
        scored: `[T]` bool; the steps at which there is a teacher signal, all below `length`.
        length: `[]` int32; number of steps that carry input, between 1 and T.
    """

    inputs: jax.Array
    targets: jax.Array
    scored: jax.Array
    length: jax.Array


class Verdict(NamedTuple):
    """How good the outputs for one sequence are, by the task's own rule.

    Attributes:
        error: `[]` float32; absolute output error, averaged over outputs and scored steps.
        wrong: `[]` bool; whether the sequence counts as not processed correctly.
    """

    error: jax.Array
    wrong: jax.Array


class Chance(NamedTuple):
    """What a constant output reaches, so that "sits at chance" can be told from "learns slowly".

    In copying, where the clock alone tells most targets: what an output that knows no symbol does.

    Attributes:
        right: fraction of sequences that the best constant output gets right, in [0, 1].
        error: smallest mean absolute error of any constant output (its median target).
    """

    right: float
    error: float


class Objective(NamedTuple):
    """Link function and loss that a modern learner uses on a task (the 1997 learner has its own).

    Attributes:
        activate: readout net input `[..., n_out]` -> outputs `[..., n_out]` that `judge` sees.
        loss: (net input `[..., n_out]`, targets `[..., n_out]`) -> loss `[...]` of each step.
    """

    activate: Callable[[jax.Array], jax.Array]
    loss: Callable[[jax.Array, jax.Array], jax.Array]


class Task(Protocol):
    """What the benchmark needs of a task; implementations are frozen dataclasses.

    Their fields (lags, lengths, tolerances) are plain numbers and strings, so that a task can be
    hashed, compared and written into a results row. Impossible fields raise `ValueError` with one
    line that says what would be possible.

    What is a property here may be a field, a class attribute or a property.
    """

    @property
    def n_in(self) -> int:
        """Input width."""

    @property
    def n_out(self) -> int:
        """Output width."""

    @property
    def steps(self) -> int:
        """T, the static number of steps that every sequence is padded to."""

    @property
    def lag(self) -> int:
        """Fewest steps between the last relevant input and the teacher signal."""

    @property
    def every_step(self) -> bool:
        """Whether there is a teacher signal at every step, not at the last one only."""

    @property
    def tolerance(self) -> float:
        """Largest absolute output error of a correct sequence.

        It is nan where the rule is not a tolerance (Reber, copying: the right symbols are the
        most active ones).
        """

    @property
    def chance(self) -> Chance:
        """What a constant output scores."""

    @property
    def objective(self) -> Objective:
        """Link and loss for modern learners."""

    def __hash__(self) -> int: ...

    def sample(self, key: jax.Array) -> Sequence:
        """Draws one sequence; a pure function of the key."""

    def judge(self, outputs: jax.Array, sequence: Sequence) -> Verdict:
        """Judges outputs `[T, n_out]` against the sequence.

        With a teacher signal at the last step only, learners give the outputs of that step,
        `[1, n_out]`, and a sequence whose targets and `scored` are of it alone.
        """

    def relevant(self, sequence: Sequence) -> jax.Array:
        """`[T]` bool; the steps whose inputs must be remembered, for figures."""


@runtime_checkable
class FiniteTask(Task, Protocol):
    """A task that is trained and tested on two fixed sets; `sample` still draws fresh sequences."""

    @property
    def n_train(self) -> int:
        """Number of sequences in the training set."""

    @property
    def n_test(self) -> int:
        """Number of sequences in the test set."""

    def draw_sets(self, key: jax.Array) -> tuple[Sequence, Sequence]:
        """Draws training and test set, each with a leading axis; a pure function of the key."""


@runtime_checkable
class Ordered(FiniteTask, Protocol):
    """A finite task whose training set is shown in its order, over and over, not picked from."""

    @property
    def in_order(self) -> bool:
        """True."""


@runtime_checkable
class Growing(Task, Protocol):
    """A task whose delay can grow while everything else about its sequences stays.

    The longer task has the same widths, and its inputs the same distribution at each step of the
    same role (distractors, marks, the question), so a net trained on one task runs on the other.
    """

    def longer(self, k: int) -> Self:
        """The same task with its delay k times as long, k at least 1.

        It is the field that the delay is named after that grows k-fold. `lag` then grows about as
        much, unless it does not depend on that field: where the last input may be relevant.
        """


REGRESSION = Objective(lambda z: z, lambda z, t: jnp.sum((z - t) ** 2, -1))
"""Linear output, squared error summed over outputs."""

BINARY = Objective(jax.nn.sigmoid, lambda z, t: optax.sigmoid_binary_cross_entropy(z, t).sum(-1))
"""Logistic outputs, cross-entropy summed over outputs."""

CLASSES = Objective(jax.nn.softmax, optax.softmax_cross_entropy)
"""Softmax over the outputs, cross-entropy; targets are one-hot."""


def most_active(outputs: jax.Array, wanted: jax.Array) -> jax.Array:
    """Whether every wanted output is more active than all others (a tie is not), `[...]` bool.

    False where any output is not finite, and where none is wanted.

    Args:
        outputs: `[..., n]`.
        wanted: `[..., n]` bool.
    """
    least = jnp.min(jnp.where(wanted, outputs, jnp.inf), -1)
    most = jnp.max(jnp.where(wanted, -jnp.inf, outputs), -1)
    return (least > most) & jnp.isfinite(least) & jnp.all(jnp.isfinite(outputs), -1)


def judge_by_tolerance(
    outputs: jax.Array, targets: jax.Array, scored: jax.Array, tolerance: float
) -> Verdict:
    """The usual rule of the paper: every output within the tolerance at every scored step.

    Args:
        outputs: `[T, n_out]`.
        targets: `[T, n_out]`.
        scored: `[T]` bool, at least one step true.
        tolerance: a sequence is correct if all absolute errors stay strictly below it.
    """
    errors = jnp.abs(outputs - targets)  # FIDELITY S1
    mean = jnp.sum(jnp.where(scored[:, None], errors, 0.0)) / (scored.sum() * targets.shape[-1])
    # A non-finite output is wrong: written so that nan compares as not right.
    right = jnp.all((errors < tolerance) | ~scored[:, None])
    return Verdict(error=mean, wrong=~right)
