"""Learning curves: which points of a trial are kept, and their quartiles over trials; pure."""

from typing import NamedTuple

import numpy as np
import pandas as pd

POINTS = 25
"""At most so many points of a trial are kept, and the one at which it stops."""


def kept(inspections: int) -> frozenset[int]:
    """Numbers of the inspections that a curve keeps, of a trial that has so many at most.

    They grow by a constant factor, as the logarithmic axis wants them, from the first to the last.

    Args:
        inspections: number of inspections in a trial's budget, from 1 on.
    """
    return frozenset(round(inspections ** (i / (POINTS - 1))) for i in range(POINTS))


class Quartiles(NamedTuple):
    """Quartiles over trials of the share of wrong sequences, `[point]` each.

    Attributes:
        sequences: training sequences, increasing; the last is the budget.
        low, median, high: quartiles of the share, 0 to 1.
    """

    sequences: np.ndarray
    low: np.ndarray
    median: np.ndarray
    high: np.ndarray


def quartiles(points: pd.DataFrame, budget: int) -> Quartiles:
    """Quartiles at every number of sequences at which any of these trials has a point.

    Between its points, and from its last one to the budget, a trial keeps its latest value. The
    quartiles begin where every trial has one.

    Args:
        points: points of trials of one experiment, of all that is to be summarised.
        budget: training sequences of a trial that is not solved.
    """
    trials = points.pivot(index="sequences", columns=["seed", "trial"], values="wrong")
    trials = trials.reindex(trials.index.union([budget])).ffill().dropna()
    low, median, high = np.quantile(trials.to_numpy(), [0.25, 0.5, 0.75], axis=1)
    return Quartiles(trials.index.to_numpy(float), low, median, high)


def first_below(sequences: np.ndarray, shares: np.ndarray, level: float) -> float:
    """Training sequences at which shares, `[point]`, are first below a level; inf if never."""
    below = np.flatnonzero(shares < level)
    return float(sequences[below[0]]) if len(below) else float("inf")
