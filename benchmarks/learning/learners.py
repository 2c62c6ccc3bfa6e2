"""Learners: how sequences turn into updates of the weights.

The learning rate is not part of a learner but a number in each trial, so that trials with
different rates share one compiled program.
"""

from dataclasses import dataclass
from typing import Any, Protocol, runtime_checkable

import jax
import jax.numpy as jnp
import optax

from models.lstm97.forward import LINEAR, LOGISTIC, PLAIN_DELTA
from models.lstm97.net import squared_error
from tasks.sequence import BINARY, Objective, Task


class Learner(Protocol):
    """What the trial program needs of a learner."""

    @property
    def batch(self) -> int:
        """Sequences per update of the weights."""

    @property
    def summed(self) -> bool:
        """Whether the loss of a sequence is the sum over its scored steps, not their mean."""

    @property
    def program(self) -> str:
        """Which program trains.

        "bptt" (`program`), "remedied", "guessing", "cascade", "windows", "stream"
        (`program_online_stream`) or "forward". Most have a module of their name. "forward" is
        `program_every_step` where there is a teacher signal at every step, else `program_forward`;
        of nets that bring a procedure of their own, `program_rivals`.
        """

    def objective(self, task: Task) -> Objective:
        """Output activation and per-step loss to train with on this task."""

    def optimizer(self, *args: Any, **settings: Any) -> optax.GradientTransformation:
        """Turns gradients into steps; the program multiplies them by minus the learning rate.

        Those that clip take the largest norm as a setting, `clip`, in place of their own; those
        with a momentum that a search may choose take that as `strength`.
        """


@runtime_checkable
class Particular(Protocol):
    """A learner that has no meaning for some tasks or nets."""

    def require_fit(self, task: Task, model: Any) -> None:
        """Refuses those.

        Raises:
            UsageError: the learner has no meaning for them.
        """


@dataclass(frozen=True)
class Adam:
    """Minibatch BPTT with Adam (optax defaults) after clipping of the gradient's global norm.

    The loss is the task's own, averaged over the scored steps of a sequence and over the batch.

    Attributes:
        batch: sequences per update.
        clip: largest global norm of the gradient.
    """

    batch: int = 20
    clip: float = 1.0

    summed = False
    program = "bptt"

    def objective(self, task: Task) -> Objective:
        """The task's own link and loss."""
        return task.objective

    def optimizer(self, clip: float | jax.Array | None = None) -> optax.GradientTransformation:
        """Clip, then Adam, of all weights as one vector: less to compile."""
        norm = self.clip if clip is None else clip
        chain = optax.chain(optax.clip_by_global_norm(norm), optax.scale_by_adam())
        return optax.flatten(chain)


@dataclass(frozen=True)
class Momentum:
    """Minibatch BPTT by SGD with (heavy-ball) momentum after clipping of the gradient's norm.

    Attributes:
        batch: sequences per update.
        clip: largest global norm of the gradient.
        momentum: decay of the velocity; 0 is plain gradient descent.
    """

    batch: int = 20
    clip: float = 1.0
    momentum: float = 0.9

    summed = False
    program = "bptt"

    def objective(self, task: Task) -> Objective:
        """The task's own link and loss."""
        return task.objective

    def optimizer(self, clip: float | jax.Array | None = None) -> optax.GradientTransformation:
        """Clip, then accumulate the velocity, of all weights as one vector: less to compile."""
        norm = self.clip if clip is None else clip
        chain = optax.chain(optax.clip_by_global_norm(norm), optax.trace(self.momentum))
        return optax.flatten(chain)


@dataclass(frozen=True)
class Nesterov(Momentum):
    """As `Momentum`, with Nesterov's gradient (Sutskever et al. 2013)."""

    def optimizer(self, clip: float | jax.Array | None = None) -> optax.GradientTransformation:
        """Clip, then accumulate the velocity and look ahead along it."""
        norm = self.clip if clip is None else clip
        momentum = optax.trace(self.momentum, nesterov=True)
        return optax.flatten(optax.chain(optax.clip_by_global_norm(norm), momentum))


@dataclass(frozen=True)
class Online:
    """The learner of 1997: plain gradient descent, one step after every sequence.

    Logistic outputs, and half the squared error summed over outputs and scored steps. No batch, no
    momentum, no clipping.

    Attributes:
        forward: whether the truncated gradient is accumulated forwards, as in the paper, which is
            much faster. Needs a network with that gradient; otherwise the same numbers come from
            automatic differentiation, or those of the full gradient from `program_full`.
        at_once: whether weights change after every step of a sequence while it goes on.
    """

    forward: bool = True

    batch = 1
    summed = True  # FIDELITY L13
    at_once = False
    output = LOGISTIC

    @property
    def program(self) -> str:
        """Forward accumulation, or BPTT."""
        return "forward" if self.forward else "bptt"

    def objective(self, task: Task) -> Objective:
        """Logistic outputs and squared error on every task."""
        del task
        return Objective(jax.nn.sigmoid, squared_error)

    def optimizer(self) -> optax.GradientTransformation:
        """The gradient as it is."""
        return optax.identity()


@dataclass(frozen=True)
class Stepwise(Online):
    """As `Online`, but weights change after every step of a sequence while it goes on.

    A difference only where there is a teacher signal at every step (experiments 1, 2a and 2b).
    """

    at_once = True


@dataclass(frozen=True)
class PlainDelta(Online):
    """As `Online`, without the derivative of the output unit in its error: e = target - output."""

    output = PLAIN_DELTA

    def objective(self, task: Task) -> Objective:
        """Logistic outputs; the loss with that gradient is the cross-entropy."""
        del task
        return BINARY


@dataclass(frozen=True)
class StepwisePlainDelta(PlainDelta):
    """As `Stepwise` and `PlainDelta` together."""

    at_once = True


@dataclass(frozen=True)
class LinearOutput(Online):
    """As `Online`, with linear output units."""

    output = LINEAR

    def objective(self, task: Task) -> Objective:
        """Linear outputs and half the squared error."""
        del task
        return Objective(lambda net: net, lambda net, t: 0.5 * jnp.sum((net - t) ** 2, -1))


@dataclass(frozen=True)
class Guessing:
    """Random guessing of all weights, until a guess has a whole training set right.

    No learner, but the first test of whether a task is worth one (Schmidhuber, Hochreiter & Bengio
    2001). Where others count sequences, it counts guesses.

    Attributes:
        limit: weights are uniform in [-limit, limit].
        sequences: size of the training set, half of it of either class.
    """

    limit: float = 100.0
    sequences: int = 100

    batch = 1
    summed = True
    program = "guessing"

    def objective(self, task: Task) -> Objective:
        """The task's own link; the loss is not used."""
        return task.objective

    def optimizer(self) -> optax.GradientTransformation:
        """None; nothing has a gradient."""
        return optax.identity()


@dataclass(frozen=True)
class Cascade:
    """Recurrent cascade-correlation with quickprop, on the whole training set at each step.

    Attributes:
        batch: sequences in the training set, which are an epoch.
        candidates: how many units compete for each place.
        outputs_epsilon: quickprop's rate of the plain gradient, for the outputs.
        candidates_epsilon: the same for candidates; the trial's rate multiplies both.
        mu: quickprop's largest growth of a step.
        patience: epochs without progress that end a phase.
        least: share by which a value must improve to count as progress.
        longest: most epochs in a phase.
    """

    batch: int = 256
    candidates: int = 8
    outputs_epsilon: float = 0.35
    candidates_epsilon: float = 1.0
    mu: float = 2.0
    patience: int = 10
    least: float = 0.01
    longest: int = 100

    summed = False
    program = "cascade"

    def objective(self, task: Task) -> Objective:
        """Logistic outputs and squared error."""
        del task
        return Objective(jax.nn.sigmoid, squared_error)

    def optimizer(self) -> optax.GradientTransformation:
        """None here: the program has quickprop, by phases."""
        return optax.identity()
