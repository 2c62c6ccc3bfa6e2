import math

import numpy as np
import pytest

from tasks import two_sequence
from tasks.two_sequence import TwoSequence3a, TwoSequence3b, TwoSequence3c
from tests.support.drawing import close, draw, judge

A, B, C = TwoSequence3a(100, 3), TwoSequence3b(100, 3), TwoSequence3c(100, 3)
EVERY = pytest.mark.parametrize("task", [A, B, C], ids=str)


def at_end(sequences):
    """Target at the end of each sequence."""
    return sequences.targets[np.arange(len(sequences.length)), sequences.length - 1, 0]


def assert_normal(values, mean, variance):
    """Mean, variance and tails within five standard deviations of a Gaussian's."""
    n = len(values)
    assert abs(values.mean() - mean) < 5 * math.sqrt(variance / n)
    assert abs(values.var() - variance) < 5 * variance * math.sqrt(2 / n)
    assert close(np.mean(abs(values - mean) > 2 * math.sqrt(variance)), 0.0455003, n)


@EVERY
def test_noise_has_variance_02(task):
    s = draw(task)
    step = np.arange(task.steps)
    assert_normal(s.inputs[..., 0][(step >= task.N) & (step < s.length[:, None])], 0, 0.2)


def test_3a_target_is_told_by_every_one_of_the_first_elements():
    s = draw(A)
    for inputs, target in zip(s.inputs[..., 0].tolist(), at_end(s), strict=True):
        assert inputs[:3] in ([1.0] * 3, [-1.0] * 3)
        assert target == {1.0: 1.0, -1.0: 0.0}[inputs[0]]
        assert abs(inputs[3]) != 1.0


def test_3b_first_elements_are_noisy():
    s = draw(B)
    for target, level in ((1.0, 1.0), (0.0, -1.0)):
        assert_normal(s.inputs[at_end(s) == target, :3].ravel(), level, 0.2)


def test_3b_some_sequences_cannot_be_told():
    s = draw(two_sequence.HS97_3B_100_1)
    misleading = (s.inputs[:, 0, 0] > 0) != (at_end(s) == 1.0)
    assert close(misleading.mean(), 0.5 * math.erfc(math.sqrt(5 / 2)), len(misleading))
    assert abs(0.5 * math.erfc(math.sqrt(5 / 2)) - 0.0127) < 5e-5  # the docstring's numbers
    assert abs(0.5 * math.erfc(math.sqrt(15 / 2)) - 5.4e-5) < 5e-7


def test_3c_targets_are_noisy_and_the_verdict_is_not():
    s = draw(C)
    first_class = s.inputs[:, 0, 0] == 1.0
    assert (abs(s.inputs[:, :3]) == 1.0).all()
    for members, clean in ((first_class, 0.2), (~first_class, 0.8)):
        assert_normal(at_end(s)[members], clean, 0.1)
    outputs = np.where(first_class, 0.25, 0.75)[:, None, None] * np.ones_like(s.targets)
    error, wrong = judge(C, outputs, s)
    np.testing.assert_allclose(error, 0.05, rtol=1e-5)
    assert not wrong.any()
    assert judge(C, 1 - outputs, s)[1].all()


@EVERY
def test_classes_are_balanced(task):
    assert close(np.mean(draw(task).inputs[:, :3].sum((1, 2)) > 0), 0.5, 4096)


def test_shorter_beginnings():
    s = draw(two_sequence.HS97_3C_100_1)
    assert (abs(s.inputs[:, 0]) == 1).all()
    assert (abs(s.inputs[:, 1]) != 1).all()
    assert [t.lag for t in (A, two_sequence.HS97_3A_100_1)] == [97, 99]
