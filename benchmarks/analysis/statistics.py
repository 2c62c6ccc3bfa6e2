"""Statistics of trials, by scipy: intervals of success rates, censored sequences to success."""

import functools
from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
import pandas as pd
import scipy

from benchmarks.analysis import bootstrap

ROUNDING = 1e-9
"""By which a product of fractions may miss a share, far less than any trial's."""


class Rate(NamedTuple):
    """A success rate: `solved` of `trials`, with its 95 % Wilson interval."""

    solved: int
    trials: int
    low: float
    high: float


def success_rate(outcomes: pd.Series) -> Rate:
    """How many of these outcomes are "solved", with an interval."""
    return proportion(int((outcomes == "solved").sum()), len(outcomes))


@functools.cache
def proportion(solved: int, trials: int) -> Rate:
    """So many of so many, with an interval."""
    interval = scipy.stats.binomtest(solved, trials).proportion_ci(method="wilson")
    return Rate(solved, trials, float(interval.low), float(interval.high))


def median_sequences(rows: pd.DataFrame) -> float:
    """Median of sequences to success over all trials, or inf where it lies beyond the budget."""
    return sequences_until(rows, 0.5)


def sequences_until(rows: pd.DataFrame, share: float) -> float:
    """Sequences by which a share of all trials is solved (Kaplan-Meier).

    An unsolved trial is censored at the budget, a diverged one too: it will never succeed, so the
    time at which it fell says nothing.

    Args:
        rows: of one experiment.
        share: of its trials, 0 to 1.

    Returns:
        The number, or inf where it lies beyond the budget.
    """
    if not (rows["outcome"] == "solved").any():
        return float("inf")
    curve = scipy.stats.ecdf(_censored(rows)).sf
    reached = np.flatnonzero(curve.probabilities <= 1 - share + ROUNDING)
    return float(curve.quantiles[reached[0]]) if len(reached) else float("inf")


def _censored(rows: pd.DataFrame) -> "scipy.stats.CensoredData":
    solved = (rows["outcome"] == "solved").to_numpy()
    return scipy.stats.CensoredData(
        rows["sequences"].to_numpy(float, na_value=np.nan)[solved],
        right=rows["budget"].to_numpy(float)[~solved],  # FIDELITY S6
    )


class Curve(NamedTuple):
    """Fraction of trials solved by then (one minus Kaplan-Meier), a step at each of `sequences`."""

    sequences: np.ndarray
    solved: np.ndarray
    low: np.ndarray
    high: np.ndarray


def success_curve(rows: pd.DataFrame) -> Curve:
    """Kaplan-Meier curve of sequences to success, with a 95 % Wilson interval at each step.

    Trials of one experiment are censored at one budget only, behind every success. There the
    estimate is the plain fraction solved so far, and Wilson's interval applies; Greenwood's, which
    `ecdf` has, is undefined where no or every trial is solved, as is common here.
    """
    times = np.unique(rows["sequences"].dropna().to_numpy(float))
    if not len(times):
        return Curve(times, times, times, times)
    curve = scipy.stats.ecdf(_censored(rows)).sf
    needed = np.sort(cost(rows))
    solved = np.searchsorted(needed, times, side="right")
    rates = [proportion(int(count), len(needed)) for count in solved]
    low, high = (np.array([getattr(rate, end) for rate in rates]) for end in ("low", "high"))
    return Curve(times, 1 - curve.evaluate(times), low, high)


def restricted_mean_sequences(rows: pd.DataFrame) -> float:
    """Mean of sequences to success up to the budget; unsolved trials count with all of it."""
    return float(cost(rows).mean())


def cost(rows: pd.DataFrame) -> np.ndarray:
    """Sequences to success of each trial; the budget where it is unsolved."""
    return rows["sequences"].astype(float).fillna(rows["budget"].astype(float)).to_numpy()


def mean_interval(rows: pd.DataFrame) -> tuple[float, float]:
    """95 % interval of `restricted_mean_sequences`, by the bias-corrected bootstrap over trials.

    Returns:
        Both ends; the mean itself, twice, where all trials are alike.
    """
    needed = cost(rows)
    if len(set(needed)) == 1:
        return float(needed[0]), float(needed[0])
    return bootstrap.mean_interval(needed)


def fewer_solved(solved: int, trials: int, their_solved: int, their_trials: int) -> float:
    """One-sided p of Fisher's exact test that our success rate is below another one."""
    table = [[solved, trials - solved], [their_solved, their_trials - their_solved]]
    return float(scipy.stats.fisher_exact(table, alternative="less").pvalue)


class Estimate(NamedTuple):
    """A number with its 95 % interval."""

    value: float
    low: float
    high: float


def rate_difference(ours: Rate, theirs: Rate) -> Estimate:
    """Our success rate minus theirs, with Newcombe's interval.

    It squares and adds the distances to the ends of both Wilson intervals: method 10 of R. G.
    Newcombe, Interval estimation for the difference between independent proportions, Statistics in
    Medicine 17 (1998). It holds at rates of 0 and 1, and scipy has none of its own.
    """
    p, q = ours.solved / ours.trials, theirs.solved / theirs.trials
    below = np.hypot(p - ours.low, theirs.high - q)
    above = np.hypot(ours.high - p, q - theirs.low)
    return Estimate(p - q, float(p - q - below), float(p - q + above))


def mean_ratios(trials: Sequence[pd.DataFrame], pairs: Sequence[tuple[int, int]]) -> list[Estimate]:
    """Restricted means by each other, with intervals of the bias-corrected bootstrap.

    Both ends are the ratio itself where all trials of both sides are alike, or one has one only.

    Args:
        trials: rows of each experiment.
        pairs: numbers of the experiments above and below the fraction bar.
    """
    samples = [cost(rows) for rows in trials]
    varied = [len(set(sample)) > 1 for sample in samples]
    able = [(i, j) for i, j in pairs if varied[i] or varied[j]]
    able = [(i, j) for i, j in able if min(len(samples[i]), len(samples[j])) > 1]
    intervals = dict(zip(able, bootstrap.ratio_intervals(samples, able), strict=True))
    ratios = {(i, j): float(samples[i].mean() / samples[j].mean()) for i, j in pairs}
    return [
        Estimate(ratios[pair], *intervals.get(pair, (ratios[pair], ratios[pair]))) for pair in pairs
    ]


class LogRank(NamedTuple):
    """Log-rank test: positive where ours succeed earlier than theirs; its two-sided p."""

    statistic: float
    p: float


def log_rank(ours: pd.DataFrame, theirs: pd.DataFrame) -> LogRank:
    """Whether sequences to success differ; unsolved trials are censored.

    Where there is nothing to compare (no trial is solved, or every one at the same inspection), the
    statistic is 0 and p is 1.
    """
    both = pd.concat([ours, theirs])
    if both["sequences"].nunique() == 0 or len(set(cost(both))) == 1:
        return LogRank(0.0, 1.0)
    test = scipy.stats.logrank(_censored(ours), _censored(theirs))
    return LogRank(float(test.statistic), float(test.pvalue))


def learns_slower(ours: pd.DataFrame, theirs: pd.DataFrame) -> float:
    """One-sided p of the log-rank test that our trials need more sequences than theirs.

    The p value is that of the normal approximation. At small levels it errs on the safe side if
    there are more of their trials than of ours, and a little on the other if there are as many.
    """
    return float(scipy.stats.norm.cdf(log_rank(ours, theirs).statistic))


def holm(p: Sequence[float]) -> np.ndarray:
    """P values corrected by Holm: below alpha, the risk of any false alarm at all is at most alpha.

    S. Holm, A simple sequentially rejective multiple test procedure, Scandinavian Journal of
    Statistics 6 (1979); scipy has the Benjamini-Hochberg correction only.
    """
    values = np.asarray(p, float)
    order = np.argsort(values)
    stepped = np.maximum.accumulate(values[order] * np.arange(len(values), 0, -1))
    return np.minimum(stepped, 1)[np.argsort(order)]
