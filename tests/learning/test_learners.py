import jax.numpy as jnp
import numpy as np
import pytest

from benchmarks.learning.learners import Adam, Momentum, Nesterov
from tasks.adding import Adding

GRADIENTS = [np.array([3.0, 4.0]), np.array([0.3, -0.2]), np.array([-30.0, 1.0])]


def steps(learner):
    """What the optimiser makes of the gradients, in order."""
    optimizer = learner.optimizer()
    state = optimizer.init(jnp.zeros(2))
    for gradient in GRADIENTS:
        step, state = optimizer.update(jnp.asarray(gradient, jnp.float32), state)
        yield np.asarray(step)


def clipped(gradient, norm):
    return gradient * min(1, norm / np.linalg.norm(gradient))


@pytest.mark.parametrize("clip", [1.0, 100.0])
def test_adam_is_kingma_and_ba_after_clipping(clip):
    m = v = 0
    for t, (gradient, step) in enumerate(zip(GRADIENTS, steps(Adam(clip=clip)), strict=True), 1):
        g = clipped(gradient, clip)
        m, v = 0.9 * m + 0.1 * g, 0.999 * v + 0.001 * g**2
        expected = (m / (1 - 0.9**t)) / (np.sqrt(v / (1 - 0.999**t)) + 1e-8)
        np.testing.assert_allclose(step, expected, rtol=1e-4)


@pytest.mark.parametrize("momentum", [0.0, 0.9])
def test_momentum_is_the_heavy_ball_after_clipping(momentum):
    velocity = 0
    for gradient, step in zip(GRADIENTS, steps(Momentum(momentum=momentum)), strict=True):
        velocity = momentum * velocity + clipped(gradient, 1.0)
        np.testing.assert_allclose(step, velocity, rtol=1e-5)


def test_nesterov_takes_the_gradient_ahead():
    """On f(x) = (x - 1)^2 / 2: v' = m v - r f'(x + m v), x' = x + v', seen from x + m v."""
    m, rate, x, v = 0.9, 0.1, 3.0, 0.0
    optimizer = Nesterov(momentum=m, clip=100.0).optimizer()
    ahead = jnp.asarray([3.0])
    state = optimizer.init(ahead)
    for _ in range(5):
        step, state = optimizer.update(ahead - 1, state)
        ahead = ahead - rate * step
        v = m * v - rate * (x + m * v - 1)
        x = x + v
        np.testing.assert_allclose(ahead, [x + m * v], rtol=1e-5)


@pytest.mark.parametrize("learner", [Adam(), Momentum(), Nesterov()], ids=str)
def test_modern_learners_take_the_objective_of_the_task(learner):
    assert learner.objective(Adding(20)) is Adding(20).objective
