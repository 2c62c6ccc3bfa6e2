"""The documented chance numbers, recomputed from samples without any formula."""

import numpy as np
import pytest

from tasks import adding, lag, multiplication, reber, temporal_order, two_sequence, variants
from tests.support.drawing import close, draw, judge

N = 4 * 4096
NUMBERS = [
    adding.HS97_100,
    multiplication.HS97_100,
    two_sequence.HS97_3A_100_3,
    two_sequence.HS97_3B_100_3,
    variants.AddingMS11(20),
    variants.AddingPascanu13(20),
    variants.MultiplicationMS11(20),
    variants.MultiplicationPascanu13(20),
    variants.AddingArjovsky16(10),
    variants.AddingBai18(10),
]
ONE_HOT = [
    lag.Lag2a(4),
    lag.Lag2b(4),
    lag.Lag2bEndError(4),
    lag.Lag2c(5, 3),
    temporal_order.HS97_6A,
    temporal_order.HS97_6B,
    temporal_order.TemporalOrderPascanu13(30, 20),
    temporal_order.TemporalOrderPascanu13Three(30, 20),
    reber.Reber(20),
]


@pytest.mark.parametrize("task", NUMBERS, ids=str)
def test_one_number_at_the_end(task):
    s = draw(task, N)
    target = np.sort(s.targets[s.scored][:, 0].astype(float))
    # The best constant has the most targets in a window of twice the tolerance behind it.
    inside = np.searchsorted(target, target + 2 * task.tolerance) - np.arange(N)
    assert close(task.chance.right, inside.max() / N, N / 2)  # the maximum is biased upwards
    deviation = abs(target - np.median(target))
    assert abs(task.chance.error - deviation.mean()) < 5 * deviation.std() / N**0.5 + 1e-6
    lowest = inside.argmax()
    best = (target[lowest] + target[lowest + inside[lowest] - 1]) / 2
    _, wrong = judge(task, np.full((4096, task.steps, 1), best), draw(task))
    assert close(1 - wrong.mean(), task.chance.right, 4096)


@pytest.mark.parametrize("task", ONE_HOT, ids=str)
def test_one_hot(task):
    s = draw(task)
    shape = (4096, task.steps, task.n_out)
    rights = [1 - judge(task, np.broadcast_to(c, shape), s)[1].mean() for c in np.eye(task.n_out)]
    assert close(max(rights), task.chance.right, 2048)
    assert close(judge(task, np.full(shape, 0.5), s)[1].mean(), 1, 4096)
    # Of a 0/1 target the median is 0 unless it is 1 more than half of the time.
    share = (s.targets * s.scored[..., None]).sum(1) / s.scored.sum(1)[:, None]
    assert (share.mean(0) < 0.51).all()
    error, _ = judge(task, np.zeros(shape), s)
    assert abs(error.mean() - task.chance.error) < 1e-6


def test_3c_is_measured_against_targets_without_noise():
    task = two_sequence.HS97_3C_100_3
    s = draw(task)
    shape = (4096, task.steps, 1)
    for constant, right, error in ((0.2, 0.5, 0.3), (0.8, 0.5, 0.3), (0.5, 0.0, 0.3)):
        errors, wrong = judge(task, np.full(shape, constant), s)
        assert close(1 - wrong.mean(), right, 4096)
        assert abs(errors.mean() - error) < 5 * 0.3 / 64
    assert task.chance == (0.5, pytest.approx(0.3))


def test_numbers_in_the_docstrings():
    table = {
        adding.HS97_100: (0.1544, 0.1617),
        adding.HS97_500: (0.1543, 0.1623),
        adding.HS97_1000: (0.1543, 0.1624),
        multiplication.HS97_100: (0.2581, 0.1938),
        variants.ADDING_MS11_80: (0.1536, 0.1667),
        variants.ADDING_PASCANU13_200: (0.64, 0.1667),
        variants.MULTIPLICATION_MS11_80: (0.2821, 0.1741),
        variants.MULTIPLICATION_PASCANU13_200: (0.7665, 0.1741),
        variants.ADDING_TALLEC18_750: (0.0784, 0.3333),
        variants.ADDING_BAI18_600: (0.0784, 0.3333),
    }
    for task, (right, error) in table.items():
        assert round(task.chance.right, 4) == right
        assert round(task.chance.error, 4) == error


def test_medians_and_mean_squared_error_in_the_docstrings():
    assert abs(np.median(draw(multiplication.HS97_100, N).targets.sum((1, 2))) - 0.2107) < 0.01
    target = draw(variants.AddingBai18(10), N).targets.sum((1, 2))
    assert abs(np.mean((target - 1) ** 2) - 1 / 6) < 5 * 0.15 / N**0.5
