import itertools

import numpy as np
import pandas as pd
import pytest

from benchmarks.analysis.ranking import SAMPLES, ranking
from tests.support.made_up import rows
from tests.support.tiny import EXPERIMENT

BUDGET = EXPERIMENT.recipe.budget


def made(trials):
    """Rows of trials by task and cell."""
    return pd.concat(
        rows(EXPERIMENT, *each, task=task, cell=cell) for (task, cell), each in trials.items()
    )


TRIALS = {
    ("a", "good"): [10, 20, 30],
    ("a", "bad"): [None, 300, None],
    ("a", "same"): [20, 20, 20],
    ("b", "good"): [50, 60, None],
    ("b", "bad"): [None, None, None],
    ("b", "same"): [40, 50, 60],
}


def test_ranks_are_means_over_tasks():
    found = ranking(made(TRIALS)).set_index("cell")
    assert found["rank"].to_dict() == {"good": 1.75, "bad": 3, "same": 1.25}
    assert found["solved"].to_dict() == pytest.approx({"good": 5 / 6, "bad": 1 / 6, "same": 1})
    assert list(found.index) == ["same", "good", "bad"]
    assert set(found["tasks"]) == {2}


def test_the_interval_is_that_of_all_resamples():
    """Two cells on two tasks, two trials each: every resample, listed."""
    trials = {
        ("a", "x"): [10, 40],
        ("a", "y"): [20, 30],
        ("b", "x"): [10, 12],
        ("b", "y"): [90, 99],
    }
    draws = {}
    for task in "ab":
        pairs = [list(itertools.product(trials[task, cell], repeat=2)) for cell in "xy"]
        draws[task] = [
            1 + (sum(x) > sum(y)) + 0.5 * (sum(x) == sum(y)) for x, y in itertools.product(*pairs)
        ]
    every = [
        np.mean(each)
        for t in itertools.product("ab", repeat=2)
        for each in itertools.product(*(draws[task] for task in t))
    ]
    found = ranking(made(trials)).set_index("cell")
    assert found.loc["x", "low"] == pytest.approx(np.quantile(every, 0.025), abs=0.26)
    assert found.loc["x", "high"] == pytest.approx(np.quantile(every, 0.975), abs=0.26)
    assert found.loc["x", "low"] < found.loc["x", "rank"] < found.loc["x", "high"]
    assert SAMPLES >= 1000


def test_what_lacks_a_task_is_not_ranked():
    some = {key: each for key, each in TRIALS.items() if key != ("b", "good")}
    assert ranking(made(some))["cell"].tolist() == ["same", "bad"]
    assert ranking(made(TRIALS).iloc[:0]).empty
