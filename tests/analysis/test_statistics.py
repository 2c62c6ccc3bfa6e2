import math

import pandas as pd
import pytest

from benchmarks.analysis.statistics import (
    holm,
    log_rank,
    mean_ratios,
    median_sequences,
    rate_difference,
    restricted_mean_sequences,
    sequences_until,
    success_curve,
    success_rate,
)


def outcomes(solved, trials):
    return pd.Series(["solved"] * solved + ["spent"] * (trials - solved))


def rows(*sequences, budget=100):
    """One trial for each number of sequences; None is an unsolved one."""
    return pd.DataFrame(
        {
            "outcome": ["spent" if n is None else "solved" for n in sequences],
            "sequences": pd.array(sequences, dtype="Int64"),
            "budget": budget,
        }
    )


@pytest.mark.parametrize(
    ("solved", "trials", "low", "high"),
    # Published values of the Wilson interval.
    [
        (5, 5, 0.566, 1),
        (10, 10, 0.722, 1),
        (20, 20, 0.839, 1),
        (30, 30, 0.886, 1),
        (3, 5, 0.231, 0.882),
    ],
)
def test_wilson_interval(solved, trials, low, high):
    rate = success_rate(outcomes(solved, trials))
    assert (rate.solved, rate.trials) == (solved, trials)
    assert (rate.low, rate.high) == pytest.approx((low, high), abs=6e-4)


@pytest.mark.parametrize("solved", [0, 1, 7, 20])
def test_wilson_interval_by_its_formula(solved):
    n, z, p = 20, 1.959964, solved / 20
    centre = (p + z * z / (2 * n)) / (1 + z * z / n)
    half = z / (1 + z * z / n) * math.sqrt(p * (1 - p) / n + z * z / (4 * n * n))
    rate = success_rate(outcomes(solved, n))
    assert (rate.low, rate.high) == pytest.approx((centre - half, centre + half), abs=1e-6)


def test_a_diverged_trial_is_not_solved():
    assert success_rate(pd.Series(["diverged", "solved"])).solved == 1


@pytest.mark.parametrize(
    ("sequences", "median"),
    [
        ((10, 20, 30), 20),
        ((10, 20, 30, 40), 20),  # the curve first reaches one half at the second
        ((10, 20, None), 20),
        ((10, 20, None, None), 20),
        ((10, None, None), math.inf),
        ((None, None), math.inf),
    ],
)
def test_median_takes_unsolved_trials_as_censored(sequences, median):
    assert median_sequences(rows(*sequences)) == median


@pytest.mark.parametrize("solved", range(1, 65))
def test_half_of_the_trials_are_enough_for_a_median(solved):
    """By counting: as many unsolved ones, one more, one less; ties of two."""
    sequences = [i // 2 + 1 for i in range(solved)]
    unsolved = [None] * solved
    assert median_sequences(rows(*sequences, *unsolved)) == sequences[-1]
    assert median_sequences(rows(*sequences, *unsolved, None)) == math.inf
    assert median_sequences(rows(*sequences, *unsolved[1:])) == sequences[-1]


@pytest.mark.parametrize("trials", range(1, 30))
@pytest.mark.parametrize("quarters", [1, 3])
def test_a_share_of_the_trials_is_reached_as_soon_as_so_many_are_solved(trials, quarters):
    enough = math.ceil(trials * quarters / 4)
    sequences = list(range(10, 10 + trials))
    assert sequences_until(rows(*sequences), quarters / 4) == sequences[enough - 1]
    few = sequences[: enough - 1] + [None] * (trials - enough + 1)
    assert sequences_until(rows(*few), quarters / 4) == math.inf


def test_restricted_mean_counts_the_whole_budget_for_unsolved_trials():
    assert restricted_mean_sequences(rows(10, 20, None, None)) == (10 + 20 + 100 + 100) / 4


def test_kaplan_meier_by_hand():
    curve = success_curve(rows(10, 20, 20, None, None))
    assert curve.sequences.tolist() == [10, 20]
    assert curve.solved == pytest.approx([1 / 5, 3 / 5])
    # Wilson's interval of 1/5 and 3/5, by its formula.
    assert curve.low == pytest.approx([0.0362, 0.2307], abs=1e-4)
    assert curve.high == pytest.approx([0.6245, 0.8824], abs=1e-4)


def test_kaplan_meier_where_all_or_none_succeed():
    assert success_curve(rows(10, 10)).solved.tolist() == [1]
    assert success_curve(rows(None, None)).sequences.tolist() == []


def weeks(text):
    """Weeks of remission as printed: `+` marks a patient still in remission, that is censored."""
    ends = text.split()
    return rows(
        *(None if end.endswith("+") else int(end) for end in ends),
        budget=[int(end.rstrip("+")) for end in ends],
    )


# E. Freireich et al. 1963, the textbook example of both: 6-MP and placebo in leukaemia.
TREATED = weeks("6 6 6 6+ 7 9+ 10 10+ 11+ 13 16 17+ 19+ 20+ 22 23 25+ 32+ 32+ 34+ 35+")
PLACEBO = weeks("1 1 2 2 3 4 4 5 5 8 8 8 8 11 11 12 12 15 17 22 23")


def test_kaplan_meier_of_the_textbook():
    published = {6: 0.857, 7: 0.807, 10: 0.753, 13: 0.690, 16: 0.627, 22: 0.538, 23: 0.448}
    curve = success_curve(TREATED)
    assert curve.sequences.tolist() == list(published)
    assert 1 - curve.solved == pytest.approx(list(published.values()), abs=6e-4)


def test_log_rank_of_the_textbook():
    test = log_rank(TREATED, PLACEBO)
    assert test.statistic**2 == pytest.approx(16.79, abs=0.005)  # published chi square
    assert test.p == pytest.approx(4.17e-5, rel=0.01)
    assert test.statistic < 0  # the events of the treated come later
    assert log_rank(PLACEBO, TREATED).statistic == pytest.approx(-test.statistic)


def test_log_rank_by_hand():
    # At 10: 1 of 4 at risk, expected 1/2 of ours, variance 1/4; at 20: 1 of 3, 1/3 and 2/9.
    ours, theirs = rows(10, None), rows(20, None)
    expected = (1 - (1 / 2 + 1 / 3)) / math.sqrt(1 / 4 + 2 / 9)
    assert log_rank(ours, theirs).statistic == pytest.approx(expected)


@pytest.mark.parametrize("sequences", [(None, None), (10, 10)])
def test_log_rank_where_nothing_can_be_compared(sequences):
    assert log_rank(rows(*sequences), rows(*sequences)) == (0, 1)


def rate(solved, trials):
    return success_rate(outcomes(solved, trials))


@pytest.mark.parametrize(
    ("ours", "theirs", "low", "high"),
    # Newcombe 1998, Table II, method 10.
    [
        ((56, 70), (48, 80), 0.0524, 0.3339),
        ((9, 10), (3, 10), 0.1705, 0.8090),
        ((6, 7), (2, 7), 0.0582, 0.8062),
        ((5, 56), (0, 29), -0.0381, 0.1926),
        ((0, 10), (0, 20), -0.1611, 0.2775),
        ((0, 10), (0, 10), -0.2775, 0.2775),
        ((10, 10), (0, 20), 0.6791, 1.0),
        ((10, 10), (0, 10), 0.6075, 1.0),
    ],
)
def test_difference_of_rates_as_published(ours, theirs, low, high):
    difference = rate_difference(rate(*ours), rate(*theirs))
    assert difference.value == pytest.approx(ours[0] / ours[1] - theirs[0] / theirs[1])
    assert (difference.low, difference.high) == pytest.approx((low, high), abs=6e-5)


def mean_ratio(ours, theirs):
    return mean_ratios([ours, theirs], [(0, 1)])[0]


def test_ratio_of_means():
    ratio = mean_ratio(rows(40, 40, None, None), rows(20, 30, 20, 30))
    assert ratio.value == pytest.approx(70 / 25)
    assert 40 / 30 <= ratio.low < ratio.value < ratio.high <= 100 / 20
    assert mean_ratio(rows(40, 40), rows(20, 20)) == (2, 2, 2)
    assert mean_ratio(rows(40, 40), rows(20, 20)) == mean_ratio(rows(40), rows(20))
    assert mean_ratio(rows(40), rows(20, 30)) == (1.6, 1.6, 1.6)


def test_the_interval_of_a_ratio_is_about_that_of_the_delta_method():
    ours, theirs = rows(*range(50, 90)), rows(*range(30, 70))
    ratio = mean_ratio(ours, theirs)
    error = ours["sequences"].std() / math.sqrt(40)
    half = 1.96 * ratio.value * math.hypot(error / 69.5, error / 49.5)
    assert (ratio.low, ratio.high) == pytest.approx(
        (ratio.value - half, ratio.value + half), rel=0.03
    )


def test_holm_by_hand():
    # Sorted .005 .01 .03 .04 by 4 3 2 1: .02 .03 .06 .04; the last cannot be below the third.
    assert holm([0.01, 0.04, 0.03, 0.005]) == pytest.approx([0.03, 0.06, 0.06, 0.02])
    assert holm([0.6, 0.7]) == pytest.approx([1, 1])
    assert holm([0.03]) == pytest.approx([0.03])
    assert holm([]).tolist() == []
