import collections
import itertools
import re

import jax
import numpy as np
import pytest

from tasks.tomita import Tomita
from tests.support.drawing import close, draw, judge

TASKS = [Tomita(1, 7), Tomita(2, 7), Tomita(4, 7)]
EACH = pytest.mark.parametrize("task", TASKS, ids=str)
LANGUAGES = {1: re.compile("1*"), 2: re.compile("(10)*"), 4: re.compile("(1|01|001)*0?0?")}
N = 4096 * 2


def inside(task, string):
    """Whether a string is in the language, by a regular expression; of 4 also by its definition."""
    found = LANGUAGES[task.language].fullmatch(string) is not None
    assert task.language != 4 or found == ("000" not in string)
    return found


def strings(task, n=N):
    s = draw(task, n)
    for inputs, length in zip(s.inputs[..., 0].tolist(), s.length, strict=True):
        assert set(inputs[:length]) <= {1.0, -1.0}
        assert not any(inputs[length:])
        yield "".join("0" if x < 0 else "1" for x in inputs[:length])


@EACH
def test_targets_are_membership(task):
    s = draw(task, N)
    for string, targets, n in zip(strings(task), s.targets, s.length, strict=True):
        assert targets[n - 1, 0] == float(inside(task, string))


@EACH
def test_a_question_at_the_end_only(task):
    s = draw(task)
    np.testing.assert_array_equal(s.scored, np.arange(task.steps) == s.length[:, None] - 1)
    assert (s.targets[~s.scored] == 0).all()


@EACH
def test_all_strings_of_a_kind_and_a_length_are_equally_likely(task):
    every = [
        "".join(each)
        for length in range(1, task.longest + 1)
        for each in itertools.product("01", repeat=length)
    ]
    sizes = collections.Counter((inside(task, each), len(each)) for each in every)
    lengths = collections.Counter(kind for kind, _ in sizes)
    found = collections.Counter(strings(task))
    for each in every:
        kind, length = inside(task, each), len(each)
        expected = 0.5 / lengths[kind] / sizes[kind, length]
        assert close(found[each] / N, expected, N), each


def test_long_strings_are_drawn_too():
    task = Tomita(4, 60)
    s = draw(task, 500)
    assert s.length.max() > 55
    assert {inside(task, each) for each in strings(task, 500)} == {True, False}
    assert task.longer(2) == Tomita(4, 120)


def test_judge_and_chance():
    s = draw(TASKS[0])
    for off, expected in ((0.09, False), (-0.11, True)):
        error, wrong = judge(TASKS[0], s.targets + np.float32(off), s)
        assert (wrong == expected).all()
        np.testing.assert_allclose(error, abs(off), rtol=1e-5)
    for constant in (0.0, 1.0):
        _, wrong = judge(TASKS[0], np.full_like(s.targets, constant), s)
        assert close(1 - wrong.mean(), TASKS[0].chance.right, len(wrong))


def test_all_steps_are_relevant():
    s = draw(TASKS[1])
    relevant = np.asarray(jax.vmap(TASKS[1].relevant)(s))
    np.testing.assert_array_equal(relevant, s.inputs[..., 0] != 0)


def test_worked_example():
    rows = dict(re.findall(r"^ +(symbol|input|target) +([-.\d ]+)$", Tomita.__doc__, re.M))
    symbols = rows["symbol"].split()
    assert [float(x) for x in rows["input"].split()] == [1 if s == "1" else -1 for s in symbols]
    assert float(rows["target"]) == float(inside(Tomita(4), "".join(symbols)))


@pytest.mark.parametrize(
    ("fields", "message"),
    [((3,), "language must be 1, 2 or 4, not 3"), ((1, 2), "longest must be at least 3")],
)
def test_impossible_fields_are_refused_in_one_line(fields, message):
    with pytest.raises(ValueError, match=message) as refusal:
        Tomita(*fields)
    assert "\n" not in str(refusal.value)
