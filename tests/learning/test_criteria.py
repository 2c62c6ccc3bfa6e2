import functools
from collections import deque

import hypothesis.strategies as st
import jax
import jax.numpy as jnp
import numpy as np
import pytest
from hypothesis import given, settings

from benchmarks.learning.criteria import Inspection, Recent
from tasks.sequence import Verdict


def verdicts(errors, wrong):
    return Verdict(jnp.array(errors, jnp.float32), jnp.array(wrong, bool))


class Oracle:
    """The window rule with a plain deque."""

    def __init__(self, rule):
        self.rule, self.recent = rule, deque(maxlen=rule.window)

    def met(self):
        return (
            len(self.recent) == self.rule.window
            and sum(wrong for _, wrong in self.recent) <= self.rule.wrong_at_most
            and sum(error for error, _ in self.recent) / self.rule.window < self.rule.error_below
        )


@settings(deadline=None, max_examples=25)
@given(
    # A few shapes only, and the errors multiples of 1/16, so that sums are exact.
    rule=st.sampled_from([Recent(0, 0.25, 7), Recent(2, window=6), Recent(1, 0.5, 4)]),
    batch=st.sampled_from([1, 3, 4]),
    stream=st.lists(st.tuples(st.integers(0, 8), st.integers(0, 5)), min_size=24, max_size=24),
)
def test_recent_is_the_plain_window(rule, batch, stream):
    state, oracle = rule.init(), Oracle(rule)
    for start in range(0, len(stream), batch):
        part = [(error / 16, wrong == 0) for error, wrong in stream[start : start + batch]]
        state = rule.observe(state, verdicts(*zip(*part, strict=True)))
        oracle.recent.extend(part)
        assert bool(rule.met(state)) == oracle.met()
        level = rule.level(state, None)
        assert level.error == pytest.approx(np.mean([error for error, _ in oracle.recent]))
        assert level.wrong == pytest.approx(np.mean([wrong for _, wrong in oracle.recent]))


@pytest.mark.parametrize("batch", [1, 3])
@pytest.mark.parametrize("states", [0, None], ids=["states of their own", "one state"])
def test_recent_does_the_same_in_every_lane(batch, states):
    """Trials have not all seen as many sequences; the window wraps around."""
    rule, lanes, draw = Recent(0, 0.25, 7), 4, np.random.default_rng(0)

    def seen(sequences):
        given = verdicts(draw.uniform(size=sequences), draw.integers(2, size=sequences))
        return functools.reduce(rule.observe, [given] if sequences else [], rule.init())

    of_lanes = [seen(n) for n in (0, 2, 5, 7)] if states == 0 else [seen(6)] * lanes
    given = verdicts(draw.uniform(size=(lanes, batch)), draw.integers(2, size=(lanes, batch)))
    together = jax.vmap(rule.observe, (states, 0))(
        jax.tree.map(lambda *leaves: jnp.stack(leaves), *of_lanes) if states == 0 else of_lanes[0],
        given,
    )
    for lane, state in enumerate(of_lanes):
        alone = rule.observe(state, jax.tree.map(lambda leaf, lane=lane: leaf[lane], given))
        mine = jax.tree.map(lambda leaf, lane=lane: leaf[lane], together)
        jax.tree.map(np.testing.assert_array_equal, mine, alone)


def test_recent_is_not_met_before_the_window_is_full():
    rule = Recent(0, 1.0, window=5)
    state = rule.init()
    for _ in range(4):
        state = rule.observe(state, verdicts([0.0], [False]))
        assert not rule.met(state)
    assert rule.met(rule.observe(state, verdicts([0.0], [False])))


def test_recent_with_a_nan_error_is_not_met():
    rule = Recent(0, 1.0, window=2)
    state = rule.observe(rule.init(), verdicts([0.0, np.nan], [False, False]))
    assert not rule.met(state)


def test_recent_ignores_tests_and_inspection_ignores_training():
    recent, inspection = Recent(0, 1.0, window=2), Inspection(2)
    good, bad = verdicts([0.0, 0.0], [False, False]), verdicts([1.0, 1.0], [True, True])
    state = recent.observe(recent.init(), good)
    assert recent.met(recent.inspect(state, bad))
    state = inspection.inspect(inspection.init(), good)
    assert inspection.met(inspection.observe(state, bad))
    assert not inspection.met(inspection.observe(inspection.init(), good))


@pytest.mark.parametrize(
    ("wrong", "error", "met"),
    [(0, 0.0, True), (2, 0.0, True), (3, 0.0, False), (0, 0.5, False), (0, np.nan, False)],
)
def test_inspection(wrong, error, met):
    rule = Inspection(10, wrong_at_most=2, error_below=0.5)
    given = verdicts([error] * 10, [True] * wrong + [False] * (10 - wrong))
    assert bool(rule.met(rule.inspect(rule.init(), given))) == met


def test_only_the_latest_inspection_counts():
    rule = Inspection(1)
    state = rule.inspect(rule.init(), verdicts([0.0], [False]))
    assert not rule.met(rule.inspect(state, verdicts([0.0], [True])))


@pytest.mark.parametrize(
    ("fraction", "of", "wrong"), [(0.95, 512, 25), (1, 10, 0), (0.9, 10, 1), (0.95, 100, 5)]
)
def test_fraction_right(fraction, of, wrong):
    assert Inspection.fraction_right(fraction, of).wrong_at_most == wrong
