import re
from collections import Counter

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tasks import temporal_order
from tasks.temporal_order import (
    TemporalOrder6a,
    TemporalOrder6b,
    TemporalOrderPascanu13,
    TemporalOrderPascanu13Three,
)
from tests.support import oracles
from tests.support.drawing import close, draw, judge, spelled

PLACES = {
    temporal_order.HS97_6A: [(10, 20), (50, 60)],
    temporal_order.HS97_6B: [(10, 20), (33, 43), (66, 76)],
}
EVERY = pytest.mark.parametrize("task", PLACES, ids=str)


def strings(task):
    s = draw(task)
    return [spelled(x[:n], "EBabcdXY") for x, n in zip(s.inputs, s.length, strict=True)]


@EVERY
def test_targets_follow_from_the_symbols(task):
    s = draw(task)
    names = oracles.ORDER_OUTPUTS[len(PLACES[task])]
    for string, targets, n in zip(strings(task), s.targets, s.length, strict=True):
        assert re.fullmatch("E[abcdXY]*B", string)
        name = spelled(targets[n - 1 : n], names)
        assert names.index(name) == oracles.order_output(string)


@EVERY
def test_relevant_symbols_lie_in_the_windows_of_the_paper(task):
    # Counted from 1, as the paper's own minimal lags show: 100 - 60 = 40, 100 - 76 = 24.
    found = [[i for i, c in enumerate(string, 1) if c in "XY"] for string in strings(task)]
    for places, (low, high) in zip(zip(*found, strict=True), PLACES[task], strict=True):
        counts = Counter(places)
        assert set(counts) == set(range(low, high + 1))
        assert all(close(n / 4096, 1 / 11, 4096) for n in counts.values())


@EVERY
def test_orders_and_distractors_are_uniform(task):
    orders = Counter("".join(c for c in string if c in "XY") for string in strings(task))
    assert len(orders) == 2 ** len(PLACES[task])
    assert all(close(n / 4096, 1 / len(orders), 4096) for n in orders.values())
    letters = Counter("".join(strings(task)))
    total = sum(letters[c] for c in "abcd")
    assert all(close(letters[c] / total, 1 / 4, total) for c in "abcd")
    # Neighbours come from the same random word: they must not depend on each other.
    two = Counter(string[i : i + 2] for string in strings(task) for i in range(22, 32))
    total = two.total()
    assert all(close(two[a + b] / total, 1 / 16, total) for a in "abcd" for b in "abcd")


@given(st.sampled_from([TemporalOrder6a, TemporalOrder6b]), st.integers(20, 5000))
def test_windows_have_room_for_every_length(cls, T):
    task = cls(T)
    ends = [1, *(place for window in task.places for place in window), T]
    assert ends == sorted(ends)
    assert all(high < low for high, low in zip(ends[::2], ends[1::2], strict=True))
    assert task.lag == T - ends[-2] >= 1


def test_lags_are_those_of_the_paper():
    assert (temporal_order.HS97_6A.lag, temporal_order.HS97_6B.lag) == (40, 24)


PASCANU = {
    TemporalOrderPascanu13(40, 20): ("AA AB BA BB", (1, 5)),
    TemporalOrderPascanu13Three(40, 20): ("AAA AAB ABA ABB BAA BAB BBA BBB", (1, 3, 6)),
}
BOTH = pytest.mark.parametrize("task", PASCANU, ids=str)


@BOTH
def test_pascanu_asks_for_the_order_of_its_symbols(task):
    orders, tenths = PASCANU[task]
    s = draw(task)
    strings = [spelled(x[:n], "ABcdef") for x, n in zip(s.inputs, s.length, strict=True)]
    assert {len(string) for string in strings} == set(range(20, 41))
    found, used = Counter(), [set() for _ in tenths]
    for string, targets, n in zip(strings, s.targets, s.length, strict=True):
        assert re.fullmatch("[A-Bc-f]*[c-f]", string)
        places = [i for i, c in enumerate(string) if c in "AB"]
        for i, (place, tenth) in enumerate(zip(places, tenths, strict=True)):
            assert place - n * tenth // 10 in range(n // 10)
            used[i].add((n, place))
        order = "".join(string[i] for i in places)
        assert targets[n - 1].tolist() == [order == each for each in orders.split()]
        found[order] += 1
    everywhere = sum(n // 10 for n in range(20, 41))
    assert all(len(each) == everywhere for each in used)
    count = len(orders.split())
    assert all(close(found[each] / 4096, 1 / count, 4096) for each in orders.split())
    letters = Counter("".join(strings))
    total = sum(letters[c] for c in "cdef")
    assert all(close(letters[c] / total, 1 / 4, total) for c in "cdef")


@BOTH
def test_pascanu_counts_the_most_active_output(task):
    s = draw(task)
    outputs = np.random.default_rng(0).normal(size=s.targets.shape).astype(np.float32)
    answers = outputs[np.arange(4096), s.length - 1].argmax(-1)
    wanted = s.targets[np.arange(4096), s.length - 1].argmax(-1)
    np.testing.assert_array_equal(judge(task, outputs, s)[1], answers != wanted)
    assert judge(task, np.full_like(outputs, 0.5), s)[1].all()
    assert judge(task, np.full_like(outputs, np.nan), s)[1].all()


@pytest.mark.parametrize("lengths", [(9, 9), (20, 30)])
def test_pascanu_refuses_lengths_without_room(lengths):
    with pytest.raises(ValueError, match="at least 10 and the longest no less"):
        TemporalOrderPascanu13(*lengths)


@pytest.mark.parametrize(("task", "last"), [*zip(PASCANU, (11, 13), strict=True)], ids=str)
def test_pascanu_lag(task, last):
    """Of the shortest sequence, 20 steps: its last place, and the question at step 19."""
    assert task.lag == 19 - last
