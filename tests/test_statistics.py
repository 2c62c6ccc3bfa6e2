import math

import pandas as pd
import pytest

from benchmarks.statistics import median_sequences, restricted_mean_sequences, success_rate


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


def test_restricted_mean_counts_the_whole_budget_for_unsolved_trials():
    assert restricted_mean_sequences(rows(10, 20, None, None)) == (10 + 20 + 100 + 100) / 4
