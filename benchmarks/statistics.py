"""Statistics of trials, by scipy: intervals of success rates, censored sequences to success."""

from typing import NamedTuple

import numpy as np
import pandas as pd
from scipy import stats


class Rate(NamedTuple):
    """A success rate: `solved` of `trials`, with its 95 % Wilson interval."""

    solved: int
    trials: int
    low: float
    high: float


def success_rate(outcomes: pd.Series) -> Rate:
    """How many of these outcomes are "solved", with an interval."""
    solved, trials = int((outcomes == "solved").sum()), len(outcomes)
    interval = stats.binomtest(solved, trials).proportion_ci(method="wilson")
    return Rate(solved, trials, float(interval.low), float(interval.high))


def median_sequences(rows: pd.DataFrame) -> float:
    """Median of sequences to success over all trials (Kaplan-Meier); unsolved ones are censored.

    An unsolved trial is censored at the budget, a diverged one too: it will never succeed, so the
    time at which it fell says nothing.

    Returns:
        The median, or inf where it lies beyond the budget.
    """
    solved = (rows["outcome"] == "solved").to_numpy()
    if not solved.any():
        return float("inf")
    sample = stats.CensoredData(
        rows["sequences"].to_numpy(float, na_value=np.nan)[solved],
        right=rows["budget"].to_numpy(float)[~solved],  # FIDELITY S6
    )
    curve = stats.ecdf(sample).sf
    reached = np.flatnonzero(curve.probabilities <= 0.5)
    return float(curve.quantiles[reached[0]]) if len(reached) else float("inf")


def restricted_mean_sequences(rows: pd.DataFrame) -> float:
    """Mean of sequences to success up to the budget; unsolved trials count with all of it."""
    return float(rows["sequences"].astype(float).fillna(rows["budget"].astype(float)).mean())


def mean_interval(rows: pd.DataFrame) -> tuple[float, float]:
    """95 % interval of `restricted_mean_sequences`, by the bias-corrected bootstrap over trials.

    Returns:
        Both ends; the mean itself, twice, where all trials are alike.
    """
    needed = rows["sequences"].astype(float).fillna(rows["budget"].astype(float)).to_numpy()
    if len(set(needed)) == 1:
        return float(needed[0]), float(needed[0])
    interval = stats.bootstrap((needed,), np.mean, n_resamples=9999, rng=0).confidence_interval
    return float(interval.low), float(interval.high)


def fewer_solved(solved: int, trials: int, their_solved: int, their_trials: int) -> float:
    """One-sided p of Fisher's exact test that our success rate is below another one."""
    table = [[solved, trials - solved], [their_solved, their_trials - their_solved]]
    return float(stats.fisher_exact(table, alternative="less").pvalue)
