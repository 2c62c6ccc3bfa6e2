"""Which cell is better on a task? Every pair of cells, tested, and corrected for their number."""

from collections.abc import Sequence
from itertools import combinations

import numpy as np
import pandas as pd
import scipy

from benchmarks.analysis.measured import Known
from benchmarks.analysis.statistics import (
    Estimate,
    holm,
    log_rank,
    mean_ratios,
    rate_difference,
    success_rate,
)

ALPHA = 0.05
UNKNOWN = "cannot tell"
INCOMPLETE = "incomplete"

RULES = (
    "Better: succeeds after fewer training sequences, by the two-sided log-rank test (unsolved "
    "trials are censored at the budget), with p corrected by Holm for all pairs of this page: at "
    f"most {ALPHA:.0%} is the risk that any `better` here is due to chance alone. Else, and where "
    f"the means contradict the test, `{UNKNOWN}`. `{INCOMPLETE}`: trials of one of both are "
    "missing, and nothing is compared."
)

COLUMNS = (
    "Difference: success rate of the first cell minus that of the second, with Newcombe's 95 % "
    "interval. Ratio: mean sequences to success of the first by those of the second, unsolved "
    "trials counted with their budget, with a 95 % bootstrap interval (bias-corrected, over "
    "trials). p: log-rank; Holm: corrected for all pairs here, which decides; BH: by "
    "Benjamini-Hochberg, the share of false discoveries among pairs at least as clear."
)


def pairs(experiments: Sequence[Known], rows: pd.DataFrame) -> pd.DataFrame:
    """One line for each two cells that have rows of the same task.

    Columns: task (with its delay), first, second, verdict (the better cell, or `UNKNOWN` or
    `INCOMPLETE`), and for pairs without missing trials: trials, other_trials, solved,
    other_solved; difference, ratio, each with _low and _high; statistic, p, holm, bh.
    """
    by_digest = dict(list(rows.groupby("digest")))
    ran = [each for each in experiments if each.digest in by_digest]
    lines = pd.DataFrame(
        _compared(ran, [by_digest[each.digest] for each in ran]),
        columns=["task", "first", "second", *_FIGURES],
    )
    tested = lines["p"].notna()
    if tested.any():
        p = lines.loc[tested, "p"]
        lines.loc[tested, "holm"] = holm(p)
        lines.loc[tested, "bh"] = scipy.stats.false_discovery_control(p)
    return lines.assign(verdict=[_verdict(line) for line in lines.itertuples()])


_FIGURES = [
    *("trials", "other_trials", "solved", "other_solved"),
    *("difference", "difference_low", "difference_high"),
    *("ratio", "ratio_low", "ratio_high", "statistic", "p", "holm", "bh"),
]


def _compared(experiments: Sequence[Known], trials: Sequence[pd.DataFrame]) -> list[dict]:
    """The lines, without what is corrected; `trials` are the rows of each experiment."""
    whole = [len(rows) >= each.trials for each, rows in zip(experiments, trials, strict=True)]
    numbers = [
        (i, j)
        for (i, a), (j, b) in combinations(enumerate(experiments), 2)
        if (a.task, a.delay) == (b.task, b.delay)
    ]
    tested = [(i, j) for i, j in numbers if whole[i] and whole[j]]
    ratios = dict(zip(tested, mean_ratios(trials, tested), strict=True))
    return [
        {
            "task": f"{experiments[i].task}-{experiments[i].delay}",
            "first": experiments[i].cell,
            "second": experiments[j].cell,
        }
        | (_pair(trials[i], trials[j], ratios[i, j]) if (i, j) in ratios else {})
        for i, j in numbers
    ]


def _pair(ours: pd.DataFrame, theirs: pd.DataFrame, ratio: Estimate) -> dict:
    a, b = success_rate(ours["outcome"]), success_rate(theirs["outcome"])
    difference, test = rate_difference(a, b), log_rank(ours, theirs)
    return {
        "trials": a.trials,
        "other_trials": b.trials,
        "solved": a.solved,
        "other_solved": b.solved,
        "difference": difference.value,
        "difference_low": difference.low,
        "difference_high": difference.high,
        "ratio": ratio.value,
        "ratio_low": ratio.low,
        "ratio_high": ratio.high,
        "statistic": test.statistic,
        "p": test.p,
    }


def _verdict(line) -> str:
    if np.isnan(line.p):
        return INCOMPLETE
    if line.holm < ALPHA and line.statistic > 0 and line.ratio < 1:
        return line.first
    if line.holm < ALPHA and line.statistic < 0 and line.ratio > 1:
        return line.second
    return UNKNOWN


def better(lines: pd.DataFrame) -> dict[str, pd.DataFrame]:
    """For each task a matrix: whether the cell of the row is better than that of the column."""
    return {task: _matrix(block) for task, block in lines.groupby("task", sort=False)}


def _matrix(lines: pd.DataFrame) -> pd.DataFrame:
    cells = list(dict.fromkeys([*lines["first"], *lines["second"]]))
    entries = {}
    for line in lines.itertuples():
        for own, other in ((line.first, line.second), (line.second, line.first)):
            word = {own: "better", other: "worse"}.get(line.verdict, line.verdict)
            entries[own, other] = word
    return pd.DataFrame(
        [[entries.get((own, other), "") for other in cells] for own in cells],
        index=pd.Index(cells, name="cell"),
        columns=cells,
    )


def sentence(lines: pd.DataFrame) -> str:
    """What the pairs show, in a sentence."""
    tested = lines[lines["p"].notna()]
    if tested.empty:
        return "No two cells have all their trials on the same task yet."
    told = tested[~tested["verdict"].eq(UNKNOWN)]
    wins = told["verdict"].value_counts(sort=False)
    cells = dict.fromkeys([*tested["first"], *tested["second"]])
    scores = ", ".join(f"{cell} {wins.get(cell, 0)}" for cell in cells)
    return (
        f"In {len(told)} of {len(tested)} comparisons one cell is better; "
        f"number of comparisons won: {scores}."
    )


def readable(lines: pd.DataFrame) -> pd.DataFrame:
    """The lines as text, for people."""
    tested = lines[lines["p"].notna()]
    return pd.DataFrame(
        {
            "task": tested["task"],
            "first": tested["first"],
            "second": tested["second"],
            "better": tested["verdict"],
            "solved": [f"{r.solved:.0f}/{r.trials:.0f}" for r in tested.itertuples()],
            "of second": [
                f"{r.other_solved:.0f}/{r.other_trials:.0f}" for r in tested.itertuples()
            ],
            "difference": [_interval(r, "difference", "+.2f") for r in tested.itertuples()],
            "ratio": [_interval(r, "ratio", ".2f") for r in tested.itertuples()],
            "p": tested["p"].map("{:.2g}".format),
            "Holm": tested["holm"].map("{:.2g}".format),
            "BH": tested["bh"].map("{:.2g}".format),
        }
    )


def _interval(line, name: str, form: str) -> str:
    value, low, high = (getattr(line, name + end) for end in ("", "_low", "_high"))
    if low == high:
        return f"{value:{form}}"
    return f"{value:{form}} ({low:{form}} to {high:{form}})"
