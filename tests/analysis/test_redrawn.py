"""Verdicts on trials drawn anew, against scipy and the rule as it is written."""

import numpy as np
import pytest
from scipy import stats

from benchmarks.analysis import bootstrap, paper_rows, redrawn
from benchmarks.analysis.paper_rows import Compared
from benchmarks.suites import paper
from tests.support.made_up import rows

ROW = "3.4"
MEAN = 38_000
(EXPERIMENT,) = (each.experiment for each in paper.COMPARED if each.row == ROW)
BUDGET = EXPERIMENT.recipe.budget  # five times that
TRIALS = EXPERIMENT.trials  # 20, as the paper's
FIRST = 100
"""Resamples that are looked at."""

SLOW = [4000 * each for each in range(12, 12 + TRIALS)]  # a mean of 86,000
FAST = [1000 * each for each in range(9, 9 + TRIALS)]  # of 18,500
UNSOLVED = [20_000 + each for each in range(TRIALS - 4)] + [None] * 4


def agrees(costs, solved):
    """The rule of `paper_rows.RULES` for a row of which the paper has solved all trials."""
    table = [[solved, TRIALS - solved], [TRIALS, 0]]
    if stats.fisher_exact(table, alternative="less").pvalue < 0.05:
        return False
    found = stats.bootstrap([costs], np.mean, n_resamples=bootstrap.REDRAWN, rng=0)
    return found.confidence_interval.low <= 2 * MEAN and found.confidence_interval.high >= MEAN / 2


def redrawn_of(needed):
    (found,) = redrawn.comparison([Compared(ROW, EXPERIMENT)], rows(EXPERIMENT, *needed))["redrawn"]
    return found


@pytest.mark.parametrize("needed", [SLOW, FAST, UNSOLVED], ids=["slow", "fast", "unsolved"])
def test_each_resample_has_the_verdict_of_its_own_trials(needed):
    costs = np.array([each or BUDGET for each in needed], float)
    drawn = bootstrap.redrawn(TRIALS, int(EXPERIMENT.digest, 16))[:FIRST]
    expected = [agrees(costs[own], int((costs[own] < BUDGET).sum())) for own in drawn]
    assert redrawn_of(needed)[:FIRST].tolist() == expected
    assert 0.1 < np.mean(expected) < 0.99


def test_one_experiment_under_two_readings_is_drawn_once():
    twice = [Compared(ROW, EXPERIMENT, variant) for variant in ("", "half")]
    first, second = redrawn.comparison(twice, rows(EXPERIMENT, *SLOW))["redrawn"]
    assert (first == second).all()


def test_nothing_is_drawn_where_trials_are_missing():
    compared = [Compared(ROW, EXPERIMENT)]
    few = rows(EXPERIMENT, *SLOW[:-1])
    lines = redrawn.comparison(compared, few)
    assert lines["redrawn"].tolist() == [None]
    assert lines.drop(columns="redrawn").equals(paper_rows.comparison(compared, few))
