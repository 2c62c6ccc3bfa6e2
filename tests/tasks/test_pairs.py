"""Adding and multiplication, of 1997 and of later papers."""

import functools
from collections import Counter

import numpy as np
import pytest

from tasks import adding, multiplication, variants
from tasks.pairs import lone_mark
from tests.support import oracles
from tests.support.drawing import close, draw

HS97 = [adding.HS97_100, multiplication.HS97_100]
N = 4096


@functools.cache
def shown(task):
    """For each of N sequences its pairs as plain tuples and its target at the end."""
    sequences = draw(task, N)
    return [
        ([tuple(pair) for pair in inputs[:length]], targets[length - 1][0])
        for inputs, targets, length in zip(
            sequences.inputs.tolist(), sequences.targets.tolist(), sequences.length, strict=True
        )
    ]


def places(pairs):
    """Positions of the marked pairs, counted from 0."""
    return tuple(i for i, (_, marker) in enumerate(pairs) if marker == 1.0)


@pytest.mark.parametrize("task", HS97, ids=str)
def test_1997_targets_follow_from_the_pairs(task):
    oracle = {
        adding.Adding: oracles.adding_target,
        multiplication.Multiplication: oracles.multiplication_target,
    }[type(task)]
    for pairs, target in shown(task):
        assert abs(oracle(pairs) - target) < 1e-6


@pytest.mark.parametrize("task", HS97, ids=str)
def test_1997_marks_and_ends(task):
    seen = Counter()
    for pairs, _ in shown(task):
        assert pairs[0][1] == pairs[-1][1] == -1.0
        assert {marker for _, marker in pairs[1:-1]} <= {0.0, 1.0}
        seen[places(pairs)] += 1
    law = Counter()
    for marks, p in oracles.hs97_marks(task.T).items():
        law[tuple(sorted(marks - {0}))] += p  # the first pair shows -1 even when it is drawn
    assert set(seen) <= set(law)
    assert max(place for marks in seen for place in marks) == task.T // 2 - 1
    for place in range(1, task.T // 2):
        p = float(sum(p for marks, p in law.items() if place in marks))
        assert close(sum(n for marks, n in seen.items() if place in marks) / N, p, N)
    lone = float(sum(p for marks, p in law.items() if len(marks) == 1))
    assert abs(lone - lone_mark(task.T)) < 1e-12
    assert close(sum(n for marks, n in seen.items() if len(marks) == 1) / N, lone, N)


@pytest.mark.parametrize("task", HS97, ids=str)
def test_1997_first_pair_contributes_nothing(task):
    alone = [(p, y) for p, y in shown(task) if len(places(p)) == 1]
    assert len(alone) > 300
    for pairs, target in alone:
        (value,) = oracles.marked_values(pairs)
        neutral = 0.5 + (0 + value) / 4 if isinstance(task, adding.Adding) else 1.0 * value
        assert abs(target - neutral) < 1e-6


def test_1997_lags():
    assert [t.lag for t in (adding.HS97_100, adding.HS97_500, adding.HS97_1000)] == [50, 250, 500]
    assert multiplication.HS97_100.lag == 50


@pytest.mark.parametrize(
    ("task", "low"),
    [(adding.HS97_100, -1), (multiplication.HS97_100, 0), (variants.AddingMS11(20), 0)],
    ids=str,
)
def test_values_are_uniform(task, low):
    s = draw(task)
    values = s.inputs[..., 0][np.arange(task.steps) < s.length[:, None]]
    assert values.min() >= low
    assert values.max() < 1
    counts = np.histogram(values, 20, (low, 1))[0]
    assert all(close(n / len(values), 1 / 20, len(values)) for n in counts)


LATER = {
    variants.AddingMS11(20): lambda u, v: (u + v) / 2,
    variants.AddingPascanu13(20): lambda u, v: (u + v) / 2,
    variants.MultiplicationMS11(20): lambda u, v: u * v,
    variants.MultiplicationPascanu13(20): lambda u, v: u * v,
    variants.AddingArjovsky16(10): lambda u, v: u + v,
    variants.AddingBai18(10): lambda u, v: u + v,
}


@pytest.mark.parametrize("task", LATER, ids=str)
def test_later_targets_follow_from_two_marked_pairs(task):
    for pairs, target in shown(task):
        assert {marker for _, marker in pairs} == {0.0, 1.0}
        assert abs(LATER[task](*oracles.marked_values(pairs)) - target) < 1e-6


def possible_places(task, length):
    """All pairs of places that a later paper allows, counted from 0."""
    if isinstance(task, variants.AddingArjovsky16):
        first, second = range(length // 2), range(length // 2, length)
    elif isinstance(task, variants.AddingBai18):
        first = second = range(length)
    else:
        first, second = range(length // 10), range(length // 10, length // 2)
    return {(i, j) for i in first for j in second if i < j}


@pytest.mark.parametrize("task", LATER, ids=str)
def test_later_marks_are_uniform_on_their_places(task):
    seen = {}
    for pairs, _ in shown(task):
        seen.setdefault(len(pairs), Counter())[places(pairs)] += 1
    for length, counter in seen.items():
        possible, n = possible_places(task, length), counter.total()
        assert set(counter) == possible
        assert all(close(counter[place] / n, 1 / len(possible), n) for place in possible)


def test_pascanu_counts_squared_errors():
    for task in (variants.AddingPascanu13(20), variants.MultiplicationPascanu13(20)):
        assert abs(task.tolerance**2 - 0.04) < 1e-12
