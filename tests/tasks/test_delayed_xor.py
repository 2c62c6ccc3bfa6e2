import re

import jax
import numpy as np
import pytest

from tasks.delayed_xor import XOR_100, DelayedXor
from tasks.temporal_order import TemporalOrder6a
from tests.support.drawing import close, draw, judge, spelled

N = 2 * 4096


def strings():
    s = draw(XOR_100, N)
    return [spelled(x[:n], "EBabcdXY") for x, n in zip(s.inputs, s.length, strict=True)]


def differ(string):
    """The target in plain Python, as the number of the output."""
    first, second = (symbol for symbol in string if symbol in "XY")
    return int(first != second)


def answers():
    s = draw(XOR_100, N)
    return s.targets[np.arange(N), s.length - 1]


def test_targets_tell_whether_the_symbols_differ():
    for string, target in zip(strings(), answers(), strict=True):
        assert target.tolist() == [1 - differ(string), differ(string)]


def test_the_sequences_are_those_of_6a():
    xor, ordered = draw(XOR_100), draw(TemporalOrder6a(100))
    np.testing.assert_array_equal(xor.inputs, ordered.inputs)
    np.testing.assert_array_equal(xor.scored, ordered.scored)
    np.testing.assert_array_equal(xor.length, ordered.length)
    for one in (jax.vmap(XOR_100.relevant)(xor), jax.vmap(TemporalOrder6a(100).relevant)(ordered)):
        np.testing.assert_array_equal(one, xor.inputs[..., 6:].sum(-1) == 1)


def test_one_symbol_alone_tells_nothing():
    firsts = np.asarray(
        [min(string.find("X") % 999, string.find("Y") % 999) for string in strings()]
    )
    assert firsts.max() < 25
    symbols = np.asarray([re.sub("[^XY]", "", string) for string in strings()])
    different = answers()[:, 1] == 1
    for place in (0, 1):
        for symbol in "XY":
            shown = np.asarray([both[place] == symbol for both in symbols])
            assert close(different[shown].mean(), 0.5, shown.sum())


def test_lag_and_widths():
    assert (XOR_100.n_in, XOR_100.n_out, XOR_100.lag, XOR_100.steps) == (8, 2, 40, 110)
    assert XOR_100.tolerance == 0.3


def test_chance_in_samples():
    s = draw(XOR_100)
    for constant, right in (([1, 0], 0.5), ([0, 1], 0.5), ([0.5, 0.5], 0.0)):
        error, wrong = judge(XOR_100, np.broadcast_to(np.float32(constant), s.targets.shape), s)
        assert close(1 - wrong.mean(), right, 4096)
        assert abs(error.mean() - XOR_100.chance.error) < 5 * 0.5 / 64
    assert XOR_100.chance == (0.5, 0.5)


def test_worked_example():
    rows = dict(re.findall(r"^ +(symbol|target) +(.+)$", DelayedXor.__doc__, re.M))
    string = rows["symbol"].replace(" ", "")
    assert len(string) == 20
    assert rows["target"].split(" = ")[1] == f"{1 - differ(string)} {differ(string)}"
    for (low, high), place in zip(
        DelayedXor(20).places, (i for i, c in enumerate(string, 1) if c in "XY"), strict=True
    ):
        assert low <= place <= high


def test_impossible_fields_are_refused_in_one_line():
    with pytest.raises(ValueError, match="T must be at least 20") as refusal:
        DelayedXor(19)
    assert "\n" not in str(refusal.value)
