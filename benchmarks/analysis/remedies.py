"""What each remedy did to success and to the gradient: pure functions of rows."""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
import pandas as pd

from benchmarks.analysis import settings
from benchmarks.analysis.statistics import Rate, proportion

COMPARED_AT = 100  # steps: at the longest delay up to this one the gradients are told

RULES = (
    "What each remedy did: solved trials over all tasks and delays that both lines have, with 95 % "
    "Wilson intervals; more or fewer where the intervals do not meet, and the single tasks where "
    "those of that task do not. Each line has the settings of its own search. "
    "Numbers of remedies that the search has chosen: `clip` is the threshold of whatever guard the "
    "line has, `strength` the weight of its penalty, `momentum` its largest one."
)
GRADIENT_RULES = (
    f"`left` is what a way back of the whole delay (the longest one up to {COMPARED_AT}) leaves "
    "of an error: medians over networks, and the geometric mean over tasks."
)


COLUMNS = [
    "remedy",
    "source",
    "solved",
    "without",
    "tried",
    "left before",
    "left after",
    "effect",
]


class Remedy(NamedTuple):
    """A line of the table.

    Attributes:
        line: what tables call it.
        source: who proposed it.
        without: the line that lacks this remedy and is else the same; None of such a line itself.
    """

    line: str
    source: str
    without: str | None


def effects(
    remedies: Sequence[Remedy], lines: pd.DataFrame, flow: pd.DataFrame | None = None
) -> pd.DataFrame:
    """A row for each remedy with any trial.

    Args:
        remedies: in the order of the table.
        lines: of `tables.summary`.
        flow: rows of `running.trained_flow`, as far as there are any.

    Returns:
        Columns, as text: remedy, source, solved, without, tried (of the search), left before, left
        after, and effect, a sentence.
    """
    ran = lines[lines["trials"] > 0]
    there = [each for each in remedies if each.line in set(ran["cell"])]
    found = pd.DataFrame([_effect(each, ran, flow) for each in there], columns=COLUMNS)
    tried = settings.by_cell(ran)
    return found.assign(tried=[tried.get(line, "") for line in found["remedy"]])


def table(told: pd.DataFrame) -> pd.DataFrame:
    """What of `effects` stands in a table: not the sentences, nor a column without any entry."""
    return told.loc[:, (told != "").any()].drop(columns="effect", errors="ignore")


def short(told: pd.DataFrame) -> pd.DataFrame:
    """As `table`, for a terminal: without sources, and with one interval only."""
    found = table(told.assign(without=told["without"].str.partition(" ")[0]))
    narrow = {"left before": "left\nbefore", "left after": "left\nafter"}
    return found.drop(columns="source", errors="ignore").rename(columns=narrow)


def sentences(told: pd.DataFrame) -> str:
    """The sentences of `effects`, as a list in Markdown."""
    return "\n".join(f"* {line.remedy}: {line.effect}" for line in told.itertuples())


def _effect(remedy: Remedy, ran: pd.DataFrame, flow: pd.DataFrame | None) -> dict[str, str]:
    own, other = _rates(remedy, ran)
    apart = _apart(remedy, ran)
    left = _left(remedy, flow)
    before, after = left[0]
    parts = [_of_success(own, other), apart, _of_gradient(*left)]
    return {
        "remedy": remedy.line,
        "source": remedy.source,
        "solved": _solved(own),
        "without": _solved(other) if other else "",
        "left before": _ratio(before),
        "left after": _ratio(after),
        "effect": " ".join(filter(None, parts)),
    }


def _rates(remedy: Remedy, ran: pd.DataFrame) -> tuple[Rate, Rate | None]:
    """Success with and without it, on what both have run."""
    own, other = (ran[ran["cell"] == line] for line in (remedy.line, remedy.without))
    shared = set(own["task"]) & set(other["task"])
    if not shared:
        return proportion(int(own["solved"].sum()), int(own["trials"].sum())), None
    both = [each[each["task"].isin(shared)] for each in (own, other)]
    with_it, without = (proportion(int(e["solved"].sum()), int(e["trials"].sum())) for e in both)
    return with_it, without


def _apart(remedy: Remedy, ran: pd.DataFrame) -> str:
    """The tasks that a difference comes from, as far as a single one can tell."""
    own, other = (
        {line.task: proportion(int(line.solved), int(line.trials)) for line in lines.itertuples()}
        for lines in (ran[ran["cell"] == line] for line in (remedy.line, remedy.without))
    )
    found: dict[str, list[str]] = {"More": [], "Fewer": []}
    for task, with_it in own.items():
        if task not in other:
            continue
        told = f"{task} ({with_it.solved} of {with_it.trials}, without it {other[task].solved})"
        found["More"] += [told] * (with_it.low > other[task].high)
        found["Fewer"] += [told] * (with_it.high < other[task].low)
    return " ".join(f"{word}: {', '.join(tasks)}." for word, tasks in found.items() if tasks)


def _solved(rate: Rate) -> str:
    return f"{rate.solved}/{rate.trials} ({rate.low:.0%} to {rate.high:.0%})"


def _left(remedy: Remedy, flow: pd.DataFrame | None) -> list[tuple[float, float]]:
    """What the longest way back leaves of an error, before and after training; else nan.

    Of the remedy, and without it: at the longest delay of each task that both have.
    """
    if flow is None:
        return [(np.nan, np.nan)] * 2
    whole = flow[(flow["distance"] == flow["delay"]) & (flow["delay"] <= COMPARED_AT)]
    own, other = (whole[whole["cell"] == line] for line in (remedy.line, remedy.without))
    shared = own.merge(other[["task", "delay"]].drop_duplicates())
    if shared.empty:
        return [_medians(own), (np.nan, np.nan)]
    longest = shared.groupby("task", as_index=False)["delay"].max()
    return [_medians(each.merge(longest)) for each in (own, other)]


def _medians(flow: pd.DataFrame) -> tuple[float, float]:
    """Before and after training, at the longest delay of each task."""
    own = flow[flow["delay"] == flow.groupby("task")["delay"].transform("max")]
    medians = {time: each["median"].to_numpy() for time, each in own.groupby("time")}
    return _mean(medians.get("before")), _mean(medians.get("after"))


def _mean(numbers: np.ndarray | None) -> float:
    """The geometric mean; 0 of anything with a 0."""
    if numbers is None or not len(numbers):
        return np.nan
    with np.errstate(divide="ignore"):
        return float(np.exp(np.mean(np.log(numbers))))


def _ratio(number: float) -> str:
    """A ratio, short: 0.73, 2.1e-14; empty where there is none."""
    return "" if np.isnan(number) else f"{number:.2g}"


def _of_success(own: Rate, other: Rate | None) -> str:
    share = f"Solves {own.solved} of {own.trials} trials"
    if other is None:
        return f"{share}."
    more, fewer = own.low > other.high, own.high < other.low
    word = "more than" if more else "fewer than" if fewer else "not clearly other than"
    return f"{share}, {word} without it ({other.solved} of {other.trials})."


def _of_gradient(own: tuple[float, float], other: tuple[float, float]) -> str:
    if np.isnan(own).any():
        return ""
    text = f"Of an error, {_ratio(own[1])} is left after training ({_ratio(own[0])} before it)"
    return f"{text}, without it {_ratio(other[1])}." if not np.isnan(other[1]) else f"{text}."
