import math
import re

import jax
import numpy as np
import pytest

from tasks import latch
from tasks.latch import LatchI, LatchII
from tests.support.drawing import close, draw, judge

ONE, TWO = LatchI(30), LatchII(30)
EACH = pytest.mark.parametrize("task", [ONE, TWO], ids=str)
LEVELS = {ONE: 0.8, TWO: 1.0}


def noise(task):
    """Inputs of the noise line, `[n, T]`."""
    return draw(task).inputs[..., -1]


def answer(task, inputs):
    """The target in plain Python."""
    if isinstance(task, LatchI):
        return {(1, 0): 0.8, (0, 1): -0.8}[tuple(inputs[0][:2])]
    return {1: 1.0, -1: -1.0}[inputs[0][0]]


@EACH
def test_targets_follow_from_the_first_step(task):
    s = draw(task)
    for inputs, targets, n in zip(s.inputs.tolist(), s.targets, s.length, strict=True):
        assert targets[n - 1, 0] == np.float32(answer(task, inputs))
    np.testing.assert_array_equal(s.scored, np.arange(task.steps) == s.length[:, None] - 1)
    assert (s.targets[~s.scored] == 0).all()


@EACH
def test_classes_are_balanced(task):
    assert close((draw(task).targets.sum((1, 2)) > 0).mean(), 0.5, 4096)


@pytest.mark.parametrize(
    ("task", "variance"),
    [(ONE, 0.2), (TWO, 0.2), (latch.LatchIQuiet(30), 0.04), (latch.LatchIIQuiet(30), 0.04)],
    ids=str,
)
def test_noise_is_gaussian(task, variance):
    step = np.arange(task.steps)
    values = noise(task)[(step > 0) & (step < draw(task).length[:, None])].astype(float)
    n = len(values)
    assert abs(values.mean()) < 5 * math.sqrt(variance / n)
    assert abs(values.var() - variance) < 5 * variance * math.sqrt(2 / n)
    for sds, share in ((1, 0.3173105), (2, 0.0455003), (3, 0.0026998)):
        assert close((abs(values) > sds * math.sqrt(variance)).mean(), share, n)


@pytest.mark.parametrize(("quiet", "loud"), [(latch.LatchIQuiet, ONE), (latch.LatchIIQuiet, TWO)])
def test_quiet_variants_differ_in_the_noise_alone(quiet, loud):
    theirs, ours = draw(loud), draw(quiet(30))
    np.testing.assert_array_equal(theirs.targets, ours.targets)
    np.testing.assert_array_equal(theirs.inputs[:, 0], ours.inputs[:, 0])
    scaled = theirs.inputs[:, 1:, -1] * np.float32(0.2 / math.sqrt(0.2))
    np.testing.assert_allclose(ours.inputs[:, 1:, -1], scaled, rtol=1e-6)


@EACH
def test_noise_does_not_tell_the_class(task):
    positive = draw(task).targets.sum((1, 2)) > 0
    values = noise(task)[:, 1:30].astype(float)
    for members in (positive, ~positive):
        here = values[members]
        assert abs(here.mean()) < 5 * math.sqrt(0.2 / here.size)
        assert (abs(here.mean(0)) < 5 * math.sqrt(0.2 / len(here))).all()


@EACH
def test_lengths_are_uniform_with_both_ends(task):
    s = draw(task)
    assert set(s.length) == {30, 31, 32, 33}
    assert all(close((s.length == n).mean(), 0.25, 4096) for n in range(30, 34))
    assert (s.inputs[np.arange(task.steps) >= s.length[:, None]] == 0).all()


def test_variant_one_shows_the_class_once_and_apart_from_the_noise():
    s = draw(ONE)
    assert (s.inputs[:, 0, 2] == 0).all()
    assert (s.inputs[:, 0, :2].sum(-1) == 1).all()
    assert set(s.inputs[..., :2].ravel()) == {0.0, 1.0}
    assert (s.inputs[:, 1:, :2] == 0).all()


def test_variants_are_the_same_sequences():
    one, two = draw(ONE), draw(TWO)
    np.testing.assert_array_equal(one.inputs[:, 1:, 2], two.inputs[:, 1:, 0])
    np.testing.assert_array_equal(one.inputs[:, 0, 0] - one.inputs[:, 0, 1], two.inputs[:, 0, 0])


@EACH
def test_the_first_step_is_relevant(task):
    relevant = np.asarray(jax.vmap(task.relevant)(draw(task)))
    assert relevant[:, 0].all()
    assert not relevant[:, 1:].any()
    assert task.lag == 29


def test_variant_one_is_judged_by_the_sign():
    s = draw(ONE)
    sign = np.sign(s.targets)
    for size, expected in ((0.01, False), (0.5, False), (1.0, False), (0.0, True), (-0.01, True)):
        error, wrong = judge(ONE, np.float32(size) * sign, s)
        assert (wrong == expected).all()
        np.testing.assert_allclose(error, abs(0.8 - size), rtol=1e-5)


def test_variant_two_is_judged_by_a_tolerance_of_a_tenth():
    s = draw(TWO)
    for share, expected in ((0.91, False), (1.09, False), (0.89, True), (1.11, True), (-1, True)):
        assert (judge(TWO, np.float32(share) * s.targets, s)[1] == expected).all()


def test_one_tanh_unit_cannot_meet_a_tolerance_of_a_tenth_in_variant_one():
    # The noise of the last step moves the net input by sqrt(0.2), and 0.7 to 0.9 is 0.6 of it wide.
    half_width = (math.atanh(0.9) - math.atanh(0.7)) / 2
    assert round(math.erf(half_width / math.sqrt(2 * 0.2)), 2) == 0.5


@EACH
@pytest.mark.parametrize("bad", [np.nan, np.inf, -np.inf])
def test_judge_rejects_what_is_not_finite(task, bad):
    s = draw(task)
    assert judge(task, np.full_like(s.targets, bad), s)[1].all()


@EACH
def test_chance_from_a_sweep_of_constants(task):
    s = draw(task)
    rights, errors = [], []
    for constant in np.linspace(-1.5, 1.5, 31):
        error, wrong = judge(task, np.full_like(s.targets, constant), s)
        rights.append(1 - wrong.mean())
        errors.append(error.mean())
    assert close(max(rights), task.chance.right, 2048)
    assert abs(min(errors) - task.chance.error) < 5 * LEVELS[task] / 64
    assert task.chance == (0.5, LEVELS[task])


@pytest.mark.parametrize("cls", [LatchI, LatchII])
def test_worked_example(cls):
    lines = re.findall(r"^ +(class 1|class 2|noise|input|target) +([-.\d ]+)$", cls.__doc__, re.M)
    rows = {name: [float(cell) for cell in cells.split()] for name, cells in lines}
    target = rows.pop("target")
    inputs = list(zip(*rows.values(), strict=True))
    assert [answer(cls(30), inputs)] == target
    assert len(inputs[0]) == cls.n_in


@pytest.mark.parametrize("cls", [LatchI, LatchII])
def test_impossible_fields_are_refused_in_one_line(cls):
    with pytest.raises(ValueError, match="T must be at least 2") as refusal:
        cls(1)
    assert "\n" not in str(refusal.value)


def test_sizes():
    one, two = latch.GUESSING01_I_500, latch.GUESSING01_II_500
    assert (one.n_in, one.n_out, one.steps, one.lag) == (3, 1, 550, 499)
    assert (two.n_in, two.n_out, two.steps, two.lag) == (1, 1, 550, 499)
