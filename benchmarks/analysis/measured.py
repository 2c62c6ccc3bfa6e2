"""Experiments as their rows tell of them, for tables of rows whose experiments nobody has."""

from collections import Counter
from collections.abc import Mapping
from typing import NamedTuple

import pandas as pd

from benchmarks.learning.experiment import Experiment
from tasks.sequence import Chance

UNKNOWN = Chance(right=float("nan"), error=float("inf"))
"""The floor of a task that nobody knows: no error is as large, so nothing is called at chance."""


class Measured(NamedTuple):
    """What tables and comparisons need of an experiment; attributes as `Experiment` has them.

    All of its trials are those that have rows: of what was not run, rows do not tell.
    """

    task: str
    delay: int
    cell: str
    rate: float
    trials: int
    digest: str
    chance: Chance


Known = Experiment | Measured
"""What tables and comparisons take."""


def measured(rows: pd.DataFrame, chances: Mapping[str, Chance]) -> list[Measured]:
    """The experiments that made the rows, in the order of their first rows.

    Different experiments of one name (a class before and after an edit, two rates) are told apart
    by numbers: `MyCell`, `MyCell (2)`.

    Args:
        rows: rows of trials.
        chances: floors by the descriptions of their tasks.
    """
    found: list[Measured] = []
    names: Counter[tuple[str, int, str]] = Counter()
    for digest, own in rows.groupby("digest", sort=False):
        first = own.iloc[0]
        name = (first["task"], int(first["delay"]), first["cell"])
        names[name] += 1
        task, delay, cell = name
        cell += f" ({names[name]})" * (names[name] > 1)
        chance = chances.get(first["task_fields"], UNKNOWN)
        found.append(Measured(task, delay, cell, float(first["rate"]), len(own), digest, chance))
    return found
