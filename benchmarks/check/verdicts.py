"""Verdicts of the regression check: pure functions of two sets of trials.

Two tests look at every experiment: Fisher's exact test on the number of solved trials, and the
log-rank test on sequences to success. Fisher's is exact whatever the true rate is, its smallest
detectable drop can be stated, and the log-rank test makes up for the little power that it gives
away against Barnard's and Boschloo's. The smaller p counts, doubled; then Holm corrects for the
number of experiments. A whole check with nothing to be found raises an alarm with probability
`LEVEL` at most.
"""

import bisect
from collections.abc import Sequence
from typing import NamedTuple, Protocol

import pandas as pd
import scipy

from benchmarks.analysis.statistics import (
    Rate,
    fewer_solved,
    holm,
    learns_slower,
    median_sequences,
    success_rate,
)

LEVEL = 0.01
POWER = 0.9  # with which the smallest visible drop is seen

REGRESSED, IMPROVED, SAME, TOO_FEW, NEW, GONE = (
    "regressed",
    "improved",
    "same",
    "too few trials",
    "new",
    "gone",
)


class Named(Protocol):
    """An experiment, of which a verdict needs the name alone."""

    @property
    def name(self) -> str:
        """Unique among those that are compared."""


class Side(NamedTuple):
    """Trials of one experiment: success rate with interval, median of sequences to success."""

    rate: Rate
    median: float


class Finding(NamedTuple):
    """The verdict on one experiment.

    Attributes:
        name: of the experiment.
        verdict: one of the six above.
        ours: the trials now; None if the experiment is gone.
        theirs: the baseline's; None if the experiment is new.
        p: probability of a change as large without any, corrected for the number of experiments:
            a change for the better where the verdict is that, else for the worse. None where
            nothing was compared.
        visible: smallest drop of the success rate that is seen nine times in ten; None where not
            even a rate of 0 would be.
    """

    name: str
    verdict: str
    ours: Side | None = None
    theirs: Side | None = None
    p: float | None = None
    visible: float | None = None


def findings(
    experiments: Sequence[Named], ours: pd.DataFrame, theirs: pd.DataFrame
) -> list[Finding]:
    """Verdicts on all experiments, those that are gone from the suite last.

    Args:
        experiments: the suite as it stands.
        ours: rows with experiment, outcome, sequences and budget.
        theirs: those of the baseline.
    """
    names = [each.name for each in experiments]
    known = set(theirs["experiment"])
    pairs = {name: (of(name, ours), of(name, theirs)) for name in names if name in known}
    worse, better = corrected(pairs.values())
    judged = iter(zip(worse, better, strict=True))
    return [
        *(
            judge(name, *pairs[name], *next(judged), len(pairs))
            if name in pairs
            else Finding(name, NEW, ours=side(of(name, ours)))
            for name in names
        ),
        *(
            Finding(name, GONE, theirs=side(of(name, theirs)))
            for name in dict.fromkeys(theirs["experiment"])
            if name not in names
        ),
    ]


def of(name: str, rows: pd.DataFrame) -> pd.DataFrame:
    """The rows of one experiment."""
    return rows[rows["experiment"] == name]


def side(rows: pd.DataFrame) -> Side:
    """What a verdict says about the trials of one side."""
    return Side(success_rate(rows["outcome"]), median_sequences(rows))


def corrected(pairs) -> tuple[list[float], list[float]]:
    """Corrected p of a change for the worse and for the better in each pair (ours, theirs)."""
    pairs = list(pairs)
    return (
        holm([p_worse(ours, theirs) for ours, theirs in pairs]).tolist(),
        holm([p_worse(theirs, ours) for ours, theirs in pairs]).tolist(),
    )


def p_worse(ours: pd.DataFrame, theirs: pd.DataFrame) -> float:
    """P value that ours solve fewer trials, or need more sequences; corrected for being two."""
    solved, their_solved = (int((rows["outcome"] == "solved").sum()) for rows in (ours, theirs))
    fewer = fewer_solved(solved, len(ours), their_solved, len(theirs))
    return min(1.0, 2 * min(fewer, learns_slower(ours, theirs)))


def judge(
    name: str, ours: pd.DataFrame, theirs: pd.DataFrame, worse: float, better: float, tests: int
) -> Finding:
    """The verdict on an experiment with corrected p values, one of so many that were compared."""
    before = side(theirs)
    finding = Finding(name, SAME, side(ours), before, worse)
    visible = visible_drop(len(ours), before.rate, tests)
    if worse <= LEVEL:
        return finding._replace(verdict=REGRESSED, visible=visible)
    if better <= LEVEL:
        return finding._replace(verdict=IMPROVED, p=better, visible=visible)
    return finding._replace(verdict=SAME if visible is not None else TOO_FEW, visible=visible)


def visible_drop(trials: int, theirs: Rate, tests: int) -> float | None:
    """Smallest drop of the rate that the count alone shows with probability `POWER`.

    Takes the strictest level of Holm's steps, and the baseline's rate for the true one.

    Returns:
        The drop, or None if not even no success at all would be significant.
    """
    level = LEVEL / (2 * tests)
    most = -1 + bisect.bisect_right(
        range(trials + 1),
        level,
        key=lambda solved: fewer_solved(solved, trials, theirs.solved, theirs.trials),
    )
    if most < 0:
        return None
    rate = float(scipy.stats.beta.isf(POWER, most + 1, trials - most))
    return theirs.solved / theirs.trials - rate
