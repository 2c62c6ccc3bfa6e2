"""The decision of the regression check, against statistics by hand."""

import math
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from benchmarks.analysis.statistics import fewer_solved, holm, learns_slower, proportion
from benchmarks.check import verdicts
from tests.support.made_up import rows
from tests.support.tiny import EXPERIMENT

LSTM, GRU = replace(EXPERIMENT, cell="lstm"), replace(EXPERIMENT, cell="gru")
BUDGET = EXPERIMENT.recipe.budget


def trials(experiment, solved, unsolved, first=100):
    """Solved trials evenly over 50 numbers of sequences, from `first` on."""
    return rows(experiment, *(first + 50 * i // solved for i in range(solved)), *[None] * unsolved)


def named_verdicts(experiments, ours, theirs):
    return {each.name: each.verdict for each in verdicts.findings(experiments, ours, theirs)}


@pytest.mark.parametrize(
    ("solved", "trials", "their_solved", "their_trials"),
    [(3, 10, 9, 10), (60, 64, 126, 128), (0, 5, 5, 5), (10, 10, 4, 10), (41, 64, 127, 128)],
)
def test_count_test_is_the_tail_of_the_hypergeometric_distribution(
    solved, trials, their_solved, their_trials
):
    total, draws = solved + their_solved, trials + their_trials
    ways = [
        math.comb(total, k) * math.comb(draws - total, trials - k)
        for k in range(max(0, trials - (draws - total)), min(total, trials) + 1)
    ]
    start = max(0, trials - (draws - total))
    tail = sum(ways[: solved - start + 1]) / math.comb(draws, trials)
    assert fewer_solved(solved, trials, their_solved, their_trials) == pytest.approx(tail)


def log_rank_z(ours, theirs):
    """Log-rank statistic of lists with None for what never happened, step by step."""
    difference = variance = 0.0
    for time in sorted({t for t in ours + theirs if t is not None}):
        mine = sum(t is None or t >= time for t in ours)
        both = mine + sum(t is None or t >= time for t in theirs)
        events = (ours + theirs).count(time)
        difference += ours.count(time) - events * mine / both
        if both > 1:
            share = mine / both
            variance += events * share * (1 - share) * (both - events) / (both - 1)
    return difference / math.sqrt(variance)


@pytest.mark.parametrize(
    ("ours", "theirs"),
    [
        ([60, 70, 80, 90, None], [10, 20, 30, 40, 50]),
        ([10, 20, 30], [10, 20, 20, 30, None]),
        ([10, 10, None, None], [5, 10, 10, 15]),
        ([5, 6, 7], [50, 60, None]),
    ],
)
def test_rank_test_by_hand(ours, theirs):
    z = log_rank_z(ours, theirs)
    p = learns_slower(rows(LSTM, *ours), rows(LSTM, *theirs))
    assert p == pytest.approx(0.5 * math.erfc(-z / math.sqrt(2)))


def test_rank_test_takes_diverged_trials_as_unsolved():
    theirs = rows(LSTM, 10, 20, 30)
    diverged = pd.concat([rows(LSTM, 40), rows(LSTM, None, outcome="diverged")])
    assert learns_slower(diverged, theirs) == learns_slower(rows(LSTM, 40, None), theirs)


@pytest.mark.parametrize(
    ("ours", "theirs"), [([None] * 3, [None] * 4), ([50] * 3, [50] * 4), ([50], [None])]
)
def test_rank_test_without_anything_to_rank(ours, theirs):
    assert learns_slower(rows(LSTM, *ours), rows(LSTM, *theirs)) >= 0.1


@pytest.mark.parametrize(
    ("p", "corrected"),
    [
        ([0.01], [0.01]),
        ([0.01, 0.04, 0.03], [0.03, 0.06, 0.06]),  # 3 x .01, 2 x .03, then not below it
        ([0.5, 0.9], [1.0, 1.0]),
        ([0.2, 0.001, 0.2], [0.4, 0.003, 0.4]),
        ([], []),
    ],
)
def test_holm_by_hand(p, corrected):
    assert holm(p) == pytest.approx(corrected)


@pytest.mark.parametrize(
    ("ours", "theirs", "verdict"),
    [
        ((60, 4), (120, 8), "same"),
        ((30, 34), (120, 8), "regressed"),
        ((63, 1), (60, 68), "improved"),
        ((64, 0, 180), (128, 0, 100), "regressed"),  # as many, but later
        ((64, 0, 20), (128, 0, 100), "improved"),
        ((1, 63), (3, 125), "too few trials"),
        ((0, 64), (0, 128), "too few trials"),
        ((2, 0), (2, 0), "too few trials"),
    ],
)
def test_verdicts(ours, theirs, verdict):
    (found,) = verdicts.findings([LSTM], trials(LSTM, *ours), trials(LSTM, *theirs))
    assert found.verdict == verdict
    assert found.ours.rate == proportion(ours[0], sum(ours[:2]))
    assert found.theirs.rate == proportion(theirs[0], sum(theirs[:2]))
    assert (found.p <= verdicts.LEVEL) == (verdict in ("regressed", "improved"))
    assert (found.visible is None) == (verdict == "too few trials")


def test_new_and_gone():
    ours = pd.concat([trials(LSTM, 60, 4), trials(GRU, 60, 4)])
    theirs = pd.concat([trials(LSTM, 120, 8), trials(EXPERIMENT, 120, 8)])
    found = verdicts.findings([LSTM, GRU], ours, theirs)
    assert [(each.name, each.verdict) for each in found] == [
        (LSTM.name, "same"),
        (GRU.name, "new"),
        (EXPERIMENT.name, "gone"),
    ]
    assert (found[1].theirs, found[1].p, found[2].ours, found[2].p) == (None,) * 4


def test_a_p_value_is_corrected_for_tests_and_experiments():
    ours, theirs = trials(LSTM, 50, 14), trials(LSTM, 120, 8)
    alone = verdicts.findings([LSTM], ours, theirs)[0].p
    assert alone == 2 * min(fewer_solved(50, 64, 120, 128), learns_slower(ours, theirs))
    both = verdicts.findings(
        [LSTM, GRU],
        pd.concat([ours, trials(GRU, 60, 4)]),
        pd.concat([theirs, trials(GRU, 120, 8)]),
    )
    assert both[0].p == pytest.approx(2 * alone)


@pytest.mark.parametrize("tests", [1, 24])
@pytest.mark.parametrize("theirs", [128, 120, 64])
def test_the_visible_drop_is_seen_nine_times_in_ten(theirs, tests):
    base = proportion(theirs, 128)
    rate = theirs / 128 - verdicts.visible_drop(64, base, tests)
    seen = sum(
        math.comb(64, k) * rate**k * (1 - rate) ** (64 - k)
        for k in range(65)
        if 2 * tests * fewer_solved(k, 64, theirs, 128) <= verdicts.LEVEL
    )
    assert seen == pytest.approx(0.9, abs=1e-6)


def drawn(random, count, rate, median):
    """Trials with exponential numbers of sequences, most of them within the budget."""
    needed = 20 * np.ceil(random.exponential(median / math.log(2), count) / 20)
    solved = (random.random(count) < rate) & (needed <= BUDGET)
    return pd.DataFrame(
        {
            "outcome": np.where(solved, "solved", "spent"),
            "sequences": pd.array(np.where(solved, needed, np.nan), "Int64"),
            "budget": BUDGET,
        }
    )


def test_hardly_any_false_alarms():
    """100 checks of six experiments, from nearly hopeless to nearly certain ones."""
    random = np.random.default_rng(0)
    kinds = [(rate, median) for rate in (0.1, 0.5, 1.0) for median in (40, 150)]
    alarms = 0
    for _ in range(100):
        pairs = [(drawn(random, 64, *kind), drawn(random, 128, *kind)) for kind in kinds]
        alarms += min(holm([verdicts.p_worse(*pair) for pair in pairs])) <= verdicts.LEVEL
    assert alarms <= 3


@pytest.mark.parametrize(
    ("rate", "median"),
    [(0.6, 40), (0.95, 160), (0.0, 40)],
    ids=["fewer solved", "four times slower", "collapse"],
)
def test_a_large_change_in_one_of_many_experiments_is_caught(rate, median):
    random = np.random.default_rng(1)
    for _ in range(10):
        ours, theirs = drawn(random, 64, rate, median), drawn(random, 128, 0.95, 40)
        assert min(holm([verdicts.p_worse(ours, theirs)] + [1.0] * 23)) <= verdicts.LEVEL
