"""What a search has tried, configuration by configuration, and which settings decide."""

import importlib.util
import math
from typing import Any

import numpy as np
import pandas as pd

from benchmarks.analysis.statistics import cost
from benchmarks.learning import space

SETTINGS = ("rate", "clip", "threshold", "memory", "range", "scale", "strength", "momentum")
OF_CONFIGURATION = ["task", "delay", "cell", "learner", "budget", *SETTINGS]

IMPORTANCE = (
    "Importance: share of the variance, over the configurations of a cell on a task, of the "
    "logarithm of the mean of sequences to success (unsolved trials counted with the budget) that "
    "a setting alone or with others explains: fANOVA (Hutter, Hoos & Leyton-Brown 2014) of a "
    "random forest, by optuna. So few configurations give a rough figure. Clip: whether gradients "
    "are clipped at 1 or not at all; threshold: of a remedy against large gradients; range: "
    "whether all units start with one memory or with all from the shortest up to it; strength: of "
    "a penalty."
)
NO_IMPORTANCE = (
    "The importance of each setting is not shown: it needs optuna and scikit-learn "
    "(pip install '.[importance]')."
)


def configurations(rows: pd.DataFrame) -> pd.DataFrame:
    """How each configuration did, in the order in which it was tried.

    Args:
        rows: those of a search; at least one.

    Returns:
        Columns digest, task (with its delay), delay, cell, learner, budget, solved, trials,
        sequences (mean to success, unsolved trials counted with the budget) and `SETTINGS`, NaN
        where a line has no such setting: clip (1 or infinite), threshold (of a guard), memory (the
        longest, in steps), range (whether memories reach from the shortest to it), strength (of a
        penalty), momentum (what the largest one is below 1).
    """
    guarded, scheduled = (_searching(name, rows["learner"]) for name in ("threshold", "momentum"))
    rows = rows.assign(
        task=rows["task"] + "-" + rows["delay"].astype(str),
        clip=rows["clip"].mask(guarded),
        threshold=rows["clip"].where(guarded),
        strength=rows["strength"].mask(scheduled),
        momentum=1 - rows["strength"].where(scheduled),
        memory=rows["memory_high"],
        range=rows["memory_low"] < rows["memory_high"],
        solved=rows["outcome"] == "solved",
        sequences=cost(rows),
    )
    firsts = rows.drop_duplicates("digest").set_index("digest")[OF_CONFIGURATION]
    results = rows.groupby("digest", sort=False).agg(
        solved=("solved", "sum"), trials=("solved", "size"), sequences=("sequences", "mean")
    )
    return firsts.join(results).reset_index()


def _searching(name: str, learners: pd.Series) -> pd.Series:
    """Whether such a number is searched with each of these learners, at any delay."""
    return learners.map({each: name in space.bounds(1, each) for each in learners.unique()})


def summary(lines: pd.DataFrame) -> pd.DataFrame:
    """A line for each task and cell: how many configurations were tried, how many solved the task.

    Args:
        lines: `configurations`.
    """
    success = lines.assign(success=lines["solved"] > 0)
    by = success.groupby(["task", "cell"], sort=False)["success"]
    return by.agg(configurations="size", with_success="sum").reset_index()


def can_tell_importance() -> bool:
    """Whether the libraries that `importances` needs are installed."""
    return all(importlib.util.find_spec(name) for name in ("optuna", "sklearn"))


def importances(lines: pd.DataFrame) -> pd.DataFrame:
    """Importance of each setting, by task and cell; of those that were solved at all.

    Args:
        lines: `configurations`.

    Returns:
        Columns task, cell and `SETTINGS`, each from 0 to 1, NaN where a cell has no such setting.
    """
    found = []
    for (task, cell), own in lines.groupby(["task", "cell"], sort=False):
        if (own["solved"] > 0).any() and own["sequences"].nunique() > 1:
            found.append({"task": task, "cell": cell} | _importance(own))
    return pd.DataFrame(found, columns=["task", "cell", *SETTINGS])


def _importance(lines: pd.DataFrame) -> dict[str, float]:
    import optuna  # slow to load, and not everywhere

    optuna.logging.set_verbosity(optuna.logging.WARNING)
    space_of = _distributions(lines.iloc[0])
    study = optuna.create_study()
    for line in lines.to_dict("records"):
        settings = {name: _value(line, name) for name in space_of}
        cost = math.log(line["sequences"])
        study.add_trial(optuna.create_trial(params=settings, distributions=space_of, value=cost))
    judge = optuna.importance.FanovaImportanceEvaluator(seed=0)
    found = optuna.importance.get_param_importances(study, evaluator=judge)
    return {name: float(share) for name, share in found.items()}


def _value(line: dict, name: str) -> float | bool:
    if name == "clip":
        return math.isfinite(line["clip"])
    return bool(line["range"]) if name == "range" else line[name]


def _distributions(line: pd.Series) -> dict[str, Any]:
    """The space that a cell's configurations were drawn from, as optuna says it."""
    from optuna.distributions import CategoricalDistribution, FloatDistribution

    numbers = {
        name: FloatDistribution(ends.low, ends.high, log=True)
        for name, ends in space.bounds(line["delay"], line["learner"]).items()
        if not np.isnan(line[name])
    }
    switches = {"clip": "clip", "range": "memory"}  # each with what a line has if it has it
    kinds = [name for name, of in switches.items() if not np.isnan(line[of])]
    return numbers | {name: CategoricalDistribution([False, True]) for name in kinds}
