"""What the figures of a report show, in a sentence each: pure functions of a suite's lines."""

import numpy as np
import pandas as pd

from benchmarks.analysis.streams import CONTEXTS
from benchmarks.analysis.tables import quantity

MOST = 0.95
"""The share of trials that a cell must solve to be called the cheapest."""


def success(lines: pd.DataFrame) -> str:
    """Which cells solve most and fewest trials, over the tasks that every cell has completed."""
    complete = (lines["trials"] > 0) & (lines["missing"] == 0)
    of_all = lines.groupby("task")["cell"].transform("nunique") == lines["cell"].nunique()
    whole = lines[of_all & complete.groupby(lines["task"]).transform("all")]
    if whole.empty:
        return "No task has all trials of every cell; over the same tasks they cannot be compared."
    cells = whole.groupby("cell", sort=False)[["solved", "trials"]].sum()
    rates, tasks = cells["solved"] / cells["trials"], whole["task"].nunique()
    over = f"Over the {_count(tasks, 'task')} that every cell has completed"
    if rates.nunique() == 1:
        return f"{over}, every cell solves {rates.iloc[0]:.0%} of its trials."
    return (
        f"{over}, the largest share of trials is solved by {_named(cells, rates.max())}, the "
        f"smallest by {_named(cells, rates.min())}."
    )


def _named(cells: pd.DataFrame, rate: float) -> str:
    best = cells[cells["solved"] / cells["trials"] == rate]
    return f"{_joined(best.index)} ({best['solved'].iloc[0]:.0f} of {best['trials'].iloc[0]})"


def delays(lines: pd.DataFrame) -> str:
    """The longest delay that each cell bridges in half of its trials."""
    done = lines[(lines["trials"] > 0) & (lines["missing"] == 0)]
    reached = done[done["solved"] >= done["trials"] / 2]
    texts = []
    for family in dict.fromkeys(done["family"]):
        longest = reached[reached["family"] == family].groupby("cell")["delay"].max()
        cells = dict.fromkeys(done.loc[done["family"] == family, "cell"])
        texts.append(f"{family}: " + ", ".join(f"{c} {longest.get(c, 'none')}" for c in cells))
    if not texts:
        return "No experiment has all its trials yet."
    return f"Longest delay at which half of the trials or more are solved: {'; '.join(texts)}."


def curves(lines: pd.DataFrame) -> str:
    """On how many tasks each cell reaches half of its trials first, ties included."""
    done = lines[(lines["trials"] > 0) & (lines["missing"] == 0)]
    halfway = done[np.isfinite(done["median_sequences"])]
    if halfway.empty:
        return "No cell has solved half of its trials on any task."
    medians, tasks = halfway["median_sequences"], halfway["task"]
    first = halfway[medians == medians.groupby(tasks).transform("min")]["cell"].value_counts()
    return (
        "Half of the trials are solved first, or at the same inspection as the first, by "
        f"{_tally(first, done)} of {_count(tasks.nunique(), 'task')}; the earliest median is "
        f"{quantity(medians.min())} sequences, the latest {quantity(medians.max())}."
    )


def learning(lines: pd.DataFrame) -> str:
    """On how many tasks the median of each cell is first better than half of chance.

    `halved` of a line: sequences at which its median share of wrong ones is first below half of
    that of the best constant output, inf if it never is.
    """
    done = lines[lines["missing"] == 0]
    if done.empty:
        return "No experiment has all its trials yet."
    below = "below half of that of the best constant output"
    reached = done[np.isfinite(done["halved"])]
    never = done.loc[~np.isfinite(done["halved"]), "cell"].value_counts()
    if reached.empty:
        return f"No cell's median share of wrong sequences falls {below} on any task."
    halved, tasks = reached["halved"], reached["task"]
    first = reached[halved == halved.groupby(tasks).transform("min")]["cell"].value_counts()
    text = (
        f"The median share of wrong sequences falls {below} first, or at the same point as the "
        f"first, with {_tally(first, done)} of {_count(tasks.nunique(), 'task')}"
    )
    return text + (f"; it never does with {_tally(never, done)}." if len(never) else ".")


def cost(lines: pd.DataFrame) -> str:
    """On how many tasks each cell is the cheapest of those that solve nearly all trials."""
    done = lines[(lines["trials"] > 0) & (lines["missing"] == 0)]
    good = done[done["solved"] >= MOST * done["trials"]]
    if good.empty:
        return f"No cell solves {MOST:.0%} of its trials on any task."
    cheapest = good.loc[_seconds(good).groupby(good["task"]).idxmin(), "cell"].value_counts()
    return (
        f"The cheapest of the cells that solve at least {MOST:.0%} of their trials is "
        f"{_tally(cheapest, done)} of {_count(good['task'].nunique(), 'task')}; a trial takes from "
        f"{_seconds(done).min():.2g} to {_seconds(done).max():.2g} seconds."
    )


def _seconds(lines: pd.DataFrame) -> pd.Series:
    return lines["seconds"] / lines["trials"]


def _tally(counts: pd.Series, lines: pd.DataFrame) -> str:
    """On how many tasks each cell, as in `gru on 3 and lstm on 2`."""
    cells = dict.fromkeys(lines["cell"])
    return _joined(f"{cell} on {counts[cell]}" for cell in cells if cell in counts)


def reach(lines: pd.DataFrame) -> str:
    """Which cells use most of the past of a stream; `lines` are of `analysis.streams.summary`."""
    most = lines["reach"].max()
    furthest = lines[lines["reach"] == most].groupby("task", sort=False)["cell"]
    symbols = f"more than {max(CONTEXTS)}" if np.isinf(most) else f"{most:.0f}"
    cells = _joined(f"{_joined(own)} on {task}" for task, own in furthest)
    return f"Most of the past, {symbols} symbols, is used by {cells}."


def furthest(lines: pd.DataFrame) -> str:
    """The complete row of the paper that is furthest from it, in a sentence; empty without any."""
    # A lower bound below the paper's mean says nothing of the distance.
    told = lines["ratio"].notna() & ~(lines["bounded"].astype(bool) & (lines["ratio"] < 1))
    done = lines[(lines["trials"] > 0) & (lines["missing"] == 0) & told]
    if done.empty:
        return ""
    line = done.loc[np.log(done["ratio"]).abs().idxmax()]
    bound = "at least " if line["bounded"] else ""
    name = f"{line['row']} {line['variant']}".strip()
    return (
        f"The mean that is furthest from the paper's is {bound}{line['ratio']:.2g} times it, in "
        f"row {name}."
    )


def _count(number: int, thing: str) -> str:
    return f"{number} {thing}" + ("" if number == 1 else "s")


def _joined(names) -> str:
    *first, last = map(str, names)
    return f"{', '.join(first)} and {last}" if first else last
