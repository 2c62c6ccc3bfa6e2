"""How a gradient becomes a step, and what guards it against a gradient that is too large."""

import functools
from dataclasses import dataclass
from typing import NamedTuple, Protocol

import jax
import jax.numpy as jnp
import optax

from benchmarks.errors import UsageError

Number = float | jax.Array


class Descent(Protocol):
    """From gradients to steps, before the learning rate."""

    def transformation(self, momentum: Number | None = None) -> optax.GradientTransformation:
        """As optax has it; those with a momentum take another limit of it."""


@dataclass(frozen=True)
class Plain:
    """Gradient descent."""

    def transformation(self, momentum: Number | None = None) -> optax.GradientTransformation:
        """The gradient as it is."""
        del momentum
        return optax.identity()


@dataclass(frozen=True)
class Adaptive:
    """Adam (Kingma & Ba 2015), as optax has it."""

    def transformation(self, momentum: Number | None = None) -> optax.GradientTransformation:
        """With optax's own constants."""
        del momentum
        return optax.scale_by_adam()


@dataclass(frozen=True)
class ScheduledNesterov:
    r"""Nesterov momentum that grows with the number of updates (Sutskever et al. 2013, eq. 5).

    .. math::

        v_{t+1} &= \mu_t v_t - \epsilon \nabla f(\theta_t + \mu_t v_t), \quad
        \theta_{t+1} = \theta_t + v_{t+1} \\
        \mu_t &= \min(1 - 2^{-1 - \log_2(\lfloor t / 250 \rfloor + 1)}, \mu_{max})

    The weights of a trial are :math:`\theta_t + \mu_t v_t`, where the gradient is taken.

    Attributes:
        largest: :math:`\mu_{max}`, from 0 to below 1.
    """

    largest: float = 0.99

    def __post_init__(self):
        if not 0 <= self.largest < 1:
            raise UsageError(f"a momentum must be from 0 to below 1, not {self.largest:g}")

    def transformation(self, momentum: Number | None = None) -> optax.GradientTransformation:
        """With another largest momentum where it is given."""
        return scale_by_nesterov(self.largest if momentum is None else momentum)


class NesterovState(NamedTuple):
    """Of `scale_by_nesterov`.

    Attributes:
        velocity: minus v over the learning rate.
        updates: how many there were.
    """

    velocity: optax.Updates
    updates: jax.Array


def momentum_at(update: jax.Array, largest: Number) -> jax.Array:
    """Sutskever's momentum of an update, the first of them number 0."""
    return jnp.minimum(1 - 0.5 / (update // 250 + 1), largest)  # FIDELITY D3


def scale_by_nesterov(largest: Number) -> optax.GradientTransformation:
    """The steps of `ScheduledNesterov`.

    `optax.trace(nesterov=True)` is the same for a constant momentum. Here the velocity decays by
    the momentum of this update and looks ahead by that of the next one.
    """

    def init(params: optax.Params) -> NesterovState:
        return NesterovState(optax.tree.zeros_like(params), jnp.zeros((), jnp.int32))

    def update(gradient, state: NesterovState, params=None):
        del params
        now, then = (momentum_at(state.updates + i, largest) for i in range(2))
        velocity = jax.tree.map(lambda g, v: g + now * v, gradient, state.velocity)
        step = jax.tree.map(lambda g, v: g + then * v, gradient, velocity)
        return step, NesterovState(velocity, state.updates + 1)

    return optax.GradientTransformation(init, update)


@dataclass(frozen=True)
class _Guard:
    """What all have.

    Attributes:
        threshold: above 0.
    """

    threshold: float = 1.0

    def __post_init__(self):
        if not self.threshold > 0:
            name = type(self).__name__
            raise UsageError(f"the threshold of {name} must be above 0, not {self.threshold:g}")


@dataclass(frozen=True)
class NormClip(_Guard):
    r"""Clipping of the gradient's norm (Pascanu et al. 2013, algorithm 1).

    .. math::

        g \leftarrow g \, \theta / |g| \quad \text{if } |g| > \theta
    """

    def around(
        self, descent: optax.GradientTransformation, threshold: Number | None = None
    ) -> optax.GradientTransformation:
        """A descent whose gradients it guards, at another threshold where one is given."""
        largest = self.threshold if threshold is None else threshold
        return optax.chain(optax.clip_by_global_norm(largest), descent)


@dataclass(frozen=True)
class ElementClip(_Guard):
    r"""Clipping of each element of the gradient (Mikolov 2012).

    .. math::

        g_i \leftarrow \max(-\theta, \min(\theta, g_i))
    """

    def around(
        self, descent: optax.GradientTransformation, threshold: Number | None = None
    ) -> optax.GradientTransformation:
        """A descent whose gradients it guards, at another threshold where one is given."""
        largest = self.threshold if threshold is None else threshold
        return optax.chain(optax.clip(largest), descent)


@dataclass(frozen=True)
class SkipLarge(_Guard):
    r"""No update at all where the gradient's norm is :math:`\theta` or more, or no number.

    The descent does not see such a gradient: its velocity, say, stays what it is.
    """

    def around(
        self, descent: optax.GradientTransformation, threshold: Number | None = None
    ) -> optax.GradientTransformation:
        """A descent whose gradients it guards, at another threshold where one is given."""
        largest = self.threshold if threshold is None else threshold
        skip = functools.partial(optax.skip_large_updates, max_squared_norm=largest**2)
        return optax.MultiSteps(descent, 1, should_skip_update_fn=skip).gradient_transformation()


Guard = NormClip | ElementClip | SkipLarge
