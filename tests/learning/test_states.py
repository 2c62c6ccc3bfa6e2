"""Trials that stop and go on are what they would have been, bit for bit."""

import pickle

import jax
import numpy as np
import pytest

from benchmarks.learning.criteria import Inspection, Recent
from benchmarks.learning.lanes import Lanes, Run, beginning
from benchmarks.learning.learners import Online, Stepwise
from benchmarks.learning.select import program
from benchmarks.learning.states import NONE, State, joined
from models.lstm97.lag_net import Growth, LagNet97
from models.lstm97.net import Net97
from tasks.lag import Lag2a
from tasks.reber import Reber
from tests.support.tiny import experiment
from tests.support.training import train

NEVER = Inspection(100, wrong_at_most=-1)
CASES = {
    "fresh": experiment(budget=240),
    "finite": experiment(task=Reber(), criterion=Inspection(512, 0), budget=160),
    "window": experiment(
        model=Net97(3, 2),
        learner=Online(),
        criterion=Recent(2, 0.4, window=50),
        milestone=Recent(10, window=50),
        budget=160,
        rate=0.5,
    ),
    "growing": experiment(
        task=Lag2a(4),
        model=LagNet97(growth=Growth(window=10)),
        learner=Stepwise(),
        criterion=NEVER,
        budget=32,
        rate=0.5,
    ),
}


def results(blocks):
    """Rows without their time, and points, by trial."""
    found = [result for block in blocks for result in block]
    rows = {row["trial"]: {**row, "seconds": 0} for each in found for row in each.rows}
    points = {}
    for point in (point for each in found for point in each.points):
        points.setdefault(point["trial"], []).append(point)
    return rows, points


@pytest.mark.parametrize("case", CASES)
def test_in_other_company_rows_and_curves_are_those_of_an_uninterrupted_run(case):
    tried = CASES[case]
    count = program(tried.recipe).cpu_lanes + 2  # some have to wait
    runs = [Run(tried, i) for i in range(count)]
    rows, points = results(train(0, runs))
    assert len(rows) == count
    lanes = Lanes(0, runs)
    before = [lanes.block() for _ in range(2)]
    state = pickle.loads(pickle.dumps(lanes.state()))
    for _ in range(2):
        lanes.block()  # what is done after the state was taken leaves it as it is
    left = [run for run in runs if run.index not in results(before)[0]][::-1]
    blocks = [before, train(0, left[::2], state.only({run.key for run in left[::2]}))]
    blocks.append(train(0, left[1::2], state))  # with states that it does not need
    again = [results(each) for each in blocks]
    assert {k: v for one in again for k, v in one[0].items()} == rows
    assert {k: v for one in again for k, v in one[1].items()} == points


def test_it_goes_on_and_does_not_begin_anew():
    runs = [Run(CASES["fresh"], i) for i in range(5)]
    lanes = Lanes(0, runs)
    lanes.block(), lanes.block()
    state = lanes.state()
    assert state.keys == [run.key for run in runs[:4]]
    assert state.seen.tolist() == [80] * 4
    assert (state.seconds > 0).all()
    (start,) = beginning(runs, state)
    assert (start.seen, start.rows) == (320, [])
    assert start.seconds == pytest.approx(state.seconds.sum())
    compiled = lanes.run.train._cache_size()
    later = Lanes(0, runs[::-1], state)
    assert [lane.index for lane in later.lanes] == [3, 2, 1, 0]
    assert later.trials.seen.tolist() == [80] * 4
    for i, lane in enumerate(later.lanes):
        for mine, saved in zip(jax.tree.leaves(later.trials), state.leaves, strict=True):
            np.testing.assert_array_equal(mine[i], saved[lane.index])
    later.block()
    assert lanes.run.train._cache_size() == compiled  # types are those of a fresh start


def test_a_state_that_waits_for_a_lane_is_not_lost():
    runs = [Run(CASES["fresh"], i) for i in range(8)]
    states = []
    for part in (runs[:4], runs[4:]):
        lanes = Lanes(0, part)
        lanes.block()
        states.append(lanes.state())
    state = Lanes(0, runs, joined(states)).state()
    assert sorted(state.keys) == sorted(run.key for run in runs)
    assert state.seen.tolist() == [40] * 8


def test_fewer_lanes_where_memory_is_short():
    lanes = Lanes(0, [Run(CASES["fresh"], i) for i in range(8)], halvings=1)
    assert len(lanes.lanes) == 2
    rows, _ = results(iter(lambda: lanes.block() if lanes.busy else None, None))
    assert sorted(rows) == list(range(8))


def made(keys, *seen):
    count = len(keys)
    leaf = np.arange(count)[:, None] + 10.0 * np.array(seen)[:, None]
    return State(keys, [leaf], np.array(seen), np.ones(count), [[{"seen": n}] for n in seen])


def test_of_a_trial_that_two_states_have_the_one_further_on_counts():
    both = joined([made([("a", 0), ("a", 1)], 5, 1), NONE, made([("a", 1), ("b", 1)], 3, 2)])
    assert dict(zip(both.keys, both.seen.tolist(), strict=True)) == {
        ("a", 0): 5,
        ("a", 1): 3,
        ("b", 1): 2,
    }
    assert sorted(both.leaves[0].ravel().tolist()) == [21.0, 30.0, 50.0]
    assert [each[0]["seen"] for each in both.points] == both.seen.tolist()
    assert joined([]) == joined([NONE]) == NONE
    with pytest.raises(ValueError, match="zip"):
        joined([made([("a", 0)], 1), with_twice_the_leaves(made([("b", 0)], 1))])


def with_twice_the_leaves(state):
    return state._replace(leaves=state.leaves * 2)


def test_only_some():
    some = made([("a", 0), ("a", 1), ("b", 0)], 1, 2, 3).only({("a", 1), ("b", 0), ("c", 0)})
    assert some.keys == [("a", 1), ("b", 0)]
    assert (some.seen.tolist(), some.points) == ([2, 3], [[{"seen": 2}], [{"seen": 3}]])
