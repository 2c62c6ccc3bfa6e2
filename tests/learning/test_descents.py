import jax
import jax.numpy as jnp
import numpy as np
import pytest

from benchmarks.errors import UsageError
from benchmarks.learning.descents import (
    Adaptive,
    ElementClip,
    NormClip,
    Plain,
    ScheduledNesterov,
    SkipLarge,
    momentum_at,
)
from benchmarks.learning.penalties import NormStabiliser, Omega
from benchmarks.learning.remedies import Remedied

GRADIENTS = np.array([[3.0, 4.0], [0.3, -0.2], [-30.0, 1.0], [0.1, 0.7]])


def steps(learner, gradients=GRADIENTS, **chosen):
    """What the optimiser makes of the gradients, in order."""
    with jax.enable_x64(True):
        optimizer = learner.optimizer(**chosen)
        start = optimizer.init(jnp.zeros(2, np.float64))
        there = jax.lax.scan(lambda s, g: optimizer.update(g, s)[::-1], start, gradients)
        return np.asarray(there[1])


def by_norm(g, theta):
    return g * min(1, theta / np.linalg.norm(g))


def by_element(g, theta):
    return np.sign(g) * np.minimum(abs(g), theta)


def skipped(g, theta):
    return g if np.linalg.norm(g) < theta else 0 * g


@pytest.mark.parametrize(
    ("guard", "oracle"),
    [(NormClip, by_norm), (ElementClip, by_element), (SkipLarge, skipped)],
)
@pytest.mark.parametrize("theta", [0.5, 2.0, 10.0])
def test_guards_are_what_their_sources_say(guard, oracle, theta):
    expected = [oracle(g, theta) for g in GRADIENTS]
    for learner, chosen in (
        (Remedied(descent=Plain(), guard=guard(theta)), {}),
        (Remedied(descent=Plain(), guard=guard(77.0)), {"clip": theta}),
    ):
        np.testing.assert_allclose(steps(learner, **chosen), expected, rtol=1e-6)


def test_a_descent_does_not_see_what_is_skipped():
    small = GRADIENTS[[1, 3]]
    guarded = Remedied(descent=Adaptive(), guard=SkipLarge(2.0))
    found, alone = steps(guarded), steps(Remedied(descent=Adaptive()), small)
    np.testing.assert_array_equal(found[[0, 2]], 0)
    np.testing.assert_allclose(found[[1, 3]], alone, rtol=1e-6)


def test_gradients_that_are_no_numbers_are_skipped():
    bad = np.array([[np.nan, 1.0], [np.inf, 0.0], [0.5, 0.5]])
    found = steps(Remedied(descent=Plain(), guard=SkipLarge(2.0)), bad)
    np.testing.assert_array_equal(found, [[0, 0], [0, 0], [0.5, 0.5]])


def test_the_momentum_is_sutskevers_schedule():
    updates = np.array([0, 1, 249, 250, 251, 999, 1000, 5000, 10**6])
    expected = 1 - 2.0 ** (-1 - np.log2(np.floor(updates / 250) + 1))
    np.testing.assert_allclose(momentum_at(updates, 0.999), np.minimum(expected, 0.999), rtol=1e-6)
    assert momentum_at(jnp.array(0), 0.9) == 0.5


@pytest.mark.parametrize("largest", [0.0, 0.6, 0.99])
def test_nesterov_is_the_two_lines_of_the_paper(largest):
    """On f(x) = (x - 1)^2 / 2: theta and v of the paper, the weights of a trial ahead of theta."""
    rate, count, learner = 0.01, 600, Remedied(descent=ScheduledNesterov(0.5))
    theta, v, expected = 3.0, 0.0, []
    for t in range(count):
        mu, then = (min(1 - 2 ** (-1 - np.log2(n // 250 + 1)), largest) for n in (t, t + 1))
        v = mu * v - rate * (theta + mu * v - 1)
        theta = theta + v
        expected.append(theta + then * v)
    with jax.enable_x64(True):
        optimizer = learner.optimizer(strength=largest)

        def update(ahead, _):
            x, state = ahead
            step, state = optimizer.update(x - 1, state)
            return (x - rate * step, state), (x - rate * step)[0]

        x = jnp.array([3.0])
        found = jax.lax.scan(update, (x, optimizer.init(x)), None, count)[1]
    np.testing.assert_allclose(found, expected, rtol=1e-9)


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: NormClip(-1.0), "the threshold of NormClip must be above 0, not -1"),
        (lambda: ElementClip(0.0), "the threshold of ElementClip must be above 0, not 0"),
        (lambda: SkipLarge(float("nan")), "the threshold of SkipLarge must be above 0, not nan"),
        (lambda: Omega(-0.5), "the strength of Omega must be 0 or more, not -0.5"),
        (lambda: NormStabiliser(float("nan")), "the strength of NormStabiliser must be 0 or more"),
        (lambda: ScheduledNesterov(1.0), "a momentum must be from 0 to below 1, not 1"),
        (lambda: Remedied(window=0), "a window must be 1 step or more, not 0"),
        (lambda: Remedied(dropout=1.0), "a share to drop must be from 0 to below 1, not 1"),
    ],
)
def test_numbers_without_meaning(make, message):
    with pytest.raises(UsageError, match=message):
        make()
