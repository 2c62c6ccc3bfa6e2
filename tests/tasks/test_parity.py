import itertools
import re

import jax
import numpy as np
import pytest

from tasks import parity
from tasks.parity import Parity
from tests.support.drawing import close, draw, judge

PLAIN, NOISY = Parity(20), Parity(20, 0.2)
EACH = pytest.mark.parametrize("task", [PLAIN, NOISY], ids=str)
N = 4 * 4096


def odd(line):
    """The target in plain Python: whether an odd number of elements is above zero."""
    ones = 0
    for element in line:
        ones += element > 0
    return float(ones % 2 == 1)


@EACH
def test_targets_count_the_ones(task):
    s = draw(task)
    for inputs, targets, n in zip(s.inputs[..., 0].tolist(), s.targets, s.length, strict=True):
        assert targets[n - 1, 0] == odd(inputs[:n])
        assert not any(inputs[n:])


@EACH
def test_a_question_at_the_end_only(task):
    s = draw(task)
    step = np.arange(task.steps)
    np.testing.assert_array_equal(s.scored, step == s.length[:, None] - 1)
    assert (s.targets[~s.scored] == 0).all()


@EACH
def test_lengths_are_uniform_with_both_ends(task):
    length = draw(task, N).length
    assert set(length) == {20, 21, 22}
    assert all(close((length == n).mean(), 1 / 3, N) for n in (20, 21, 22))


@EACH
def test_signs_are_even_and_independent(task):
    sign = draw(task).inputs[:, :20, 0] > 0
    assert close(sign.mean(), 0.5, sign.size)
    assert all(close(share, 0.5, 4096) for share in sign.mean(0))
    for distance in (1, 2, 16):
        alike = sign[:, distance:] == sign[:, :-distance]
        assert close(alike.mean(), 0.5, alike.size)


def test_without_noise_inputs_are_plus_and_minus_one():
    assert set(draw(PLAIN).inputs[:, :20].ravel()) == {1.0, -1.0}


def test_noise_is_uniform_and_independent_of_the_sign():
    inputs = draw(NOISY).inputs[:, :20, 0].astype(float)
    for members, level in ((inputs > 0, 1), (inputs < 0, -1)):
        share = (inputs[members] - level + 0.2) / 0.4
        assert share.min() >= -1e-6
        assert share.max() <= 1 + 1e-6
        for low in np.arange(10) / 10:
            inside = (share >= low) & (share < low + 0.1)
            assert close(inside.mean(), 0.1, share.size)


def test_noise_changes_no_sign_and_no_target():
    plain, noisy = draw(PLAIN), draw(NOISY)
    np.testing.assert_array_equal(np.sign(plain.inputs), np.sign(noisy.inputs))
    np.testing.assert_array_equal(plain.targets, noisy.targets)


def test_all_steps_are_relevant():
    s = draw(PLAIN)
    relevant = np.asarray(jax.vmap(PLAIN.relevant)(s))
    np.testing.assert_array_equal(relevant, s.inputs[..., 0] != 0)
    assert PLAIN.lag == 0


@EACH
def test_judge_has_a_tolerance_of_a_tenth(task):
    s = draw(task)
    for off, expected in ((0.09, False), (-0.09, False), (0.11, True), (-0.11, True)):
        error, wrong = judge(task, s.targets + np.float32(off), s)
        assert (wrong == expected).all()
        np.testing.assert_allclose(error, abs(off), rtol=1e-5)


def test_chance_by_enumeration():
    lines = list(itertools.product((1, -1), repeat=6))
    share = sum(map(odd, lines)) / len(lines)
    assert PLAIN.chance.right == max(share, 1 - share)
    assert PLAIN.chance.error == min(share, 1 - share)  # of the median of targets 0 and 1
    hidden = {line[:2] + line[3:]: 0.0 for line in lines}
    for line in lines:
        hidden[line[:2] + line[3:]] += odd(line) / 2
    assert set(hidden.values()) == {0.5}  # to know all elements but one tells nothing


@EACH
def test_chance_in_samples(task):
    s = draw(task)
    for constant, right in ((0.0, 0.5), (1.0, 0.5), (0.5, 0.0)):
        error, wrong = judge(task, np.full_like(s.targets, constant), s)
        assert close(1 - wrong.mean(), right, 4096)
        assert abs(error.mean() - 0.5) < 5 * 0.5 / 64


def test_worked_example():
    rows = re.findall(r"^ +(input|target) +([-.\d ]+)$", Parity.__doc__, re.M)
    plain, noisy, target = [[float(cell) for cell in cells.split()] for _, cells in rows]
    assert np.sign(plain).tolist() == np.sign(noisy).tolist()
    assert max(abs(a - b) for a, b in zip(plain, noisy, strict=True)) <= 0.2
    assert odd(plain) == odd(noisy) == target[0]


@pytest.mark.parametrize(
    ("fields", "message"),
    [
        ((0,), "T must be at least 1, not 0"),
        ((5, -0.1), "noise must be at least 0 and below 1, or signs are lost, not -0.1"),
        ((5, 1.0), "noise must be at least 0 and below 1"),
        ((5, float("nan")), "noise must be at least 0 and below 1"),
    ],
)
def test_impossible_fields_are_refused_in_one_line(fields, message):
    with pytest.raises(ValueError, match=message) as refusal:
        Parity(*fields)
    assert "\n" not in str(refusal.value)


def test_sizes():
    task = parity.GUESSING01_500_NOISY
    assert (task.n_in, task.n_out, task.steps, task.noise) == (1, 1, 550, 0.2)
    assert set(draw(Parity(1), 50).length) == {1}
