import itertools

import numpy as np
import pandas as pd
import pytest

from benchmarks.analysis.profile import profile
from tests.support.made_up import rows
from tests.support.tiny import EXPERIMENT

BUDGET = EXPERIMENT.recipe.budget


def made(trials):
    return pd.concat(
        rows(EXPERIMENT, *each, task=task, cell=cell) for (task, cell), each in trials.items()
    )


TRIALS = {
    ("a", "x"): [10, 40],
    ("a", "y"): [20, None],
    ("b", "x"): [30, 30],
    ("b", "y"): [None, None],
    ("b", "z"): [10, 10],
}


def test_the_profile_is_the_mean_over_tasks_of_what_is_solved_by_then():
    found = profile(made(TRIALS))
    curves = {cell: own.set_index("sequences")["solved"] for cell, own in found.groupby("cell")}
    assert set(curves) == {"x", "y"}  # z has no trial on a
    assert curves["x"].to_dict() == {10: 0.25, 20: 0.25, 30: 0.75, 40: 1, BUDGET: 1}
    assert curves["y"].to_dict() == {10: 0, 20: 0.25, 30: 0.25, 40: 0.25, BUDGET: 0.25}


def test_a_line_ends_where_a_trial_is_censored():
    short = made({("a", "x"): [10, None], ("a", "y"): [30, 30]})
    long = made({("b", "x"): [500, 500], ("b", "y"): [500, 700]}).assign(budget=900)
    ends = profile(pd.concat([short, long])).groupby("cell")["sequences"].max()
    assert ends.to_dict() == {"x": BUDGET, "y": 900}


def test_the_interval_is_that_of_all_resamples():
    trials = {task: TRIALS[task, "x"] for task in "ab"}
    at = 20
    shares = {
        task: [np.mean([n <= at for n in drawn]) for drawn in itertools.product(own, repeat=2)]
        for task, own in trials.items()
    }
    every = [
        np.mean(each)
        for drawn in itertools.product("ab", repeat=2)
        for each in itertools.product(*(shares[task] for task in drawn))
    ]
    (line,) = profile(made(TRIALS)).query("cell == 'x' and sequences == 20").to_dict("records")
    assert line["low"] == pytest.approx(np.quantile(every, 0.025), abs=0.01)
    assert line["high"] == pytest.approx(np.quantile(every, 0.975), abs=0.26)


def test_without_rows_there_is_no_profile():
    assert profile(made(TRIALS).iloc[:0]).empty
