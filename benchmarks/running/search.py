"""The search for each cell's learning rate and start: as much of it for every cell, task and delay.

Every configuration (`space`) trains once with the full budget of the suite. The best few train
three more times, and the winner has the most solved trials; among equals the smaller mean of
sequences to success (unsolved trials counted with the budget), then the smaller median test error.
Its trials have a seed that reported trials do not use.

Where a suite has a task at several delays, the search at each starts from the shorter ones: half of
its configurations are the best of the delay before by their first trial, with initial time
constants that have grown as the delay has.
"""

import math
from collections.abc import Iterable, Mapping
from dataclasses import replace
from pathlib import Path
from typing import NamedTuple, TypeVar

import pandas as pd
from rich.console import Console

from benchmarks.analysis.settings import Searched
from benchmarks.analysis.statistics import restricted_mean_sequences
from benchmarks.errors import FailedError, UsageError
from benchmarks.learning import space
from benchmarks.learning.experiment import Experiment, Settings
from benchmarks.learning.learners import Guessing
from benchmarks.learning.space import Configuration
from benchmarks.running import files, runner, store
from benchmarks.running.pool import Start
from benchmarks.running.rows import missing, path_of
from benchmarks.running.schema import Columns
from benchmarks.running.workers import Workers
from models.network import Recurrent

# FIDELITY S5
SEED = 271828
FINALISTS = 3
MORE_TRIALS = 3  # of each finalist
CONFIGURATIONS = 16  # for a cell of one's own

DEFAULT = Configuration(0.01, Settings())  # of own cells that have not been searched
UNKNOWN = Configuration(math.nan, Settings())  # of a suite's cells before their search

BETTER = ["solved", "mean_sequences", "test_error"]
ASCENDING = [False, True, True]

KEY = ["task", "delay", "cell", "recipe"]

Key = tuple[str, int, str, str]  # KEY of a choice
Choice = TypeVar("Choice")
Stages = tuple[Experiment, ...]  # a cell on a task, from its shortest delay to the one searched

CHOSEN_COLUMNS = Columns(
    {
        "task": str,
        "delay": "int64",
        "cell": str,
        "recipe": str,
        "rate": "float64",
        "clip": "float64",
        "memory_low": "float64",
        "memory_high": "float64",
        "scale": "float64",
        "strength": "float64",
        "solved": "int64",
        "trials": "int64",
        "mean_sequences": "int64",
        "test_error": "float64",
        "configurations": "int64",
        "with_success": "int64",
    },
    key=KEY,
    added=("recipe", "strength"),
)
"""Columns of chosen.csv: whose, what, and the evidence for it.

`recipe` is the digest of what was searched, at whatever rate and settings: the same cell in
another size, or with another budget, has choices of its own, and keeps them when its source is
edited. It is blank where an older version has chosen, for whatever has that name. `solved`,
`trials`, `mean_sequences` and `test_error` are those of the winner, `with_success` is the number of
configurations, of all that were tried, that solved the task at least once.
"""


class Candidates(NamedTuple):
    """What a search tries for an experiment: it, at each of some configurations."""

    base: Experiment
    tried: list[Experiment]


def candidates(stages: Stages, count: int, folder: Path) -> Candidates:
    """The last of some stages at `count` configurations.

    The first trials of the stages before are in the suite's folder of results.
    """
    *earlier, base = stages
    old = _inherited(tuple(earlier), base.delay, count, folder) if earlier else []
    model = base.recipe.model
    names = getattr(model.cell, "settings", ()) if isinstance(model, Recurrent) else ()
    first = count + (len(earlier) - 1) * (count - count // 2) if earlier else 0
    learner = base.recipe.learner
    new = space.configurations(names, base.delay, count - len(old), first, learner)
    tried = [at(base, each) for each in (*old, *new)]
    return Candidates(base, [replace(untested(each), trials=1) for each in tried])


def _inherited(stages: Stages, delay: int, count: int, folder: Path) -> list[Configuration]:
    """The best half of what the last of the stages tried, for a longer delay."""
    before = candidates(stages, count, folder)
    best = _scores(before, folder, trials=1).index[: count // 2]
    return [
        Configuration(one.rate, space.longer(one.settings, delay / before.base.delay))
        for one in (before.tried[i] for i in best)
    ]


def stages(base: Experiment, others: Iterable[Experiment]) -> Stages:
    """Experiments with the same cell on the same task at shorter delays, then this one."""
    same = [each for each in others if (each.task, each.cell) == (base.task, base.cell)]
    shorter = sorted((each for each in same if each.delay < base.delay), key=lambda e: e.delay)
    return *shorter, base


def at(base: Experiment, configuration: Configuration) -> Experiment:
    """An experiment with other rate and settings."""
    return replace(base, rate=configuration.rate, settings=configuration.settings)


def search(
    bases: Iterable[Experiment],
    count: int,
    folder: Path,
    console: Console,
    others: Iterable[Experiment] = (),
    start: Start = Workers,
) -> None:
    """Runs what is missing of the search for these experiments, and writes what it has chosen.

    Args:
        bases: experiments whose rate and settings are wanted.
        count: number of configurations for each.
        folder: the suite's folder of results; rows go to `search/` in it, choices to `chosen.csv`.
        console: where to show how far it is.
        others: experiments among which those with shorter delays are, from which to start.
        start: starts the workers (`pool.opened`).

    Raises:
        UsageError: rows cannot be written, or a learner has no rate.
        FailedError: some experiments could not be searched; the others have been.
    """
    chosen(folder)  # refuses a foreign file before anything is trained
    bases, others = list(bases), list(others)
    if any(isinstance(each.recipe.learner, Guessing) for each in bases):
        raise UsageError("guessing has no learning rate; there is nothing to search")
    wanted, failed = [stages(each, others) for each in bases], []
    for depth in range(1, 1 + max(map(len, wanted))):
        there = dict.fromkeys(each[:depth] for each in wanted if len(each) >= depth)
        tried = [one for each in there for one in candidates(each, count, folder).tried]
        try:
            runner.run(tried, SEED, folder / "search", console, start=start)
        except FailedError as error:
            failed.append(str(error))
            wanted = [each for each in wanted if _trained(each[:depth], count, folder)]
    searched = [candidates(each, count, folder) for each in wanted]
    finals = [final for each in searched for final in _finals(each, folder)]
    try:
        runner.run(finals, SEED, folder / "search", console, start=start)
    except FailedError as error:
        failed.append(str(error))
        searched = [each for each in searched if not _missing(_finals(each, folder), folder)]
    choices = [choice(each, folder) for each in searched]
    save(choices, folder)
    for text in unsolved(choices):
        console.print(text, highlight=False, soft_wrap=True)
    if failed:
        raise FailedError("; ".join(failed))


def tried(experiments: Iterable[Experiment], folder: Path) -> pd.DataFrame:
    """The rows of the search for these experiments as they stand now.

    Args:
        experiments: of a suite, at whatever rate and settings.
        folder: the suite's folder of results.

    Raises:
        UsageError: a file there is not one of rows.
    """
    rows = store.read_suite(folder / "search")
    by_name = dict(iter(rows[rows["seed"] == SEED].groupby("experiment")))
    found = [_tried(each, by_name[each.name]) for each in experiments if each.name in by_name]
    return pd.concat(found or [store.frame([])], ignore_index=True)


def _tried(base: Experiment, rows: pd.DataFrame) -> pd.DataFrame:
    current = {
        line.digest
        for line in rows.drop_duplicates("digest").itertuples()
        if untested(at(base, Configuration(line.rate, _settings(line)))).digest == line.digest
    }
    return rows[rows["digest"].isin(current)]


def untested(experiment: Experiment) -> Experiment:
    """An experiment as the search runs it, without longer sequences at the end."""
    return replace(experiment, lengths=())


def unsolved(choices: Iterable[dict]) -> list[str]:
    """A sentence for each experiment that no configuration has solved."""
    return [
        f"{line['task']}-{line['delay']}.{line['cell']}: none of {line['configurations']} "
        "configurations has solved it; the choice has the smallest test error."
        for line in choices
        if not line["with_success"]
    ]


def _trained(stages: Stages, count: int, folder: Path) -> bool:
    """Whether every configuration of the last of some stages has its first trial."""
    return not _missing(candidates(stages, count, folder).tried, folder)


def _missing(experiments: Iterable[Experiment], folder: Path) -> bool:
    """Whether any trial of the search for these is still to be run."""
    return any(missing(each, SEED, folder / "search") for each in experiments)


def _finals(searched: Candidates, folder: Path) -> list[Experiment]:
    """The finalists with all of their trials."""
    return [replace(each, trials=1 + MORE_TRIALS) for each in finalists(searched, folder)]


def finalists(searched: Candidates, folder: Path) -> list[Experiment]:
    """The best few by their first trial."""
    return [searched.tried[i] for i in _final(searched, folder)]


def _final(searched: Candidates, folder: Path) -> pd.Index:
    """Numbers of the finalists."""
    return _scores(searched, folder, trials=1).index[:FINALISTS]


def choice(searched: Candidates, folder: Path) -> dict:
    """The line of chosen.csv."""
    scores = _scores(searched, folder, trials=1 + MORE_TRIALS)
    best = scores[scores.index.isin(_final(searched, folder))].iloc[0]
    winner = searched.tried[best.name]
    return {
        "task": winner.task,
        "delay": winner.delay,
        "cell": winner.cell,
        "recipe": winner.recipe_digest,
        "rate": winner.rate,
        **winner.settings.columns(),
        **best.to_dict(),
        "configurations": len(searched.tried),
        "with_success": int((scores["solved"] > 0).sum()),
    }


def _scores(searched: Candidates, folder: Path, trials: int) -> pd.DataFrame:
    """How configurations did in their first trials, the best first; the index is their number."""
    rows = store.read(path_of(searched.base, folder / "search"))
    rows = rows[(rows["seed"] == SEED) & (rows["trial"] < trials)]
    by_digest = dict(iter(rows.groupby("digest")))
    lines = [_score(by_digest[each.digest]) for each in searched.tried]
    return pd.DataFrame(lines).sort_values(BETTER, ascending=ASCENDING, kind="stable")


def _score(rows: pd.DataFrame) -> dict:
    return {
        "solved": int((rows["outcome"] == "solved").sum()),
        "trials": len(rows),
        "mean_sequences": round(restricted_mean_sequences(rows)),
        "test_error": round(rows["test_error"].median(), 6),
    }


def save(choices: store.Lines, folder: Path) -> None:
    """Writes what a suite's search has chosen; what it chose for others stays."""
    path = folder / "chosen.csv"
    new = store.frame(choices, CHOSEN_COLUMNS)
    with files.locked(path):
        old = store.read(path, CHOSEN_COLUMNS)
        table = pd.concat([old, new]) if len(old) else new
        table = table.drop_duplicates(KEY, keep="last").sort_values(KEY)
        files.write(path, table.to_csv(index=False, lineterminator="\n"))


def chosen(folder: Path) -> dict[Key, Configuration]:
    """What the search of a suite has chosen, by task, delay, cell and recipe.

    Nothing before it ran; without a recipe (empty) where an older version has chosen.

    Raises:
        UsageError: the file is there and is not one of choices.
    """
    return {key: each for key, (each, _) in _choices(folder).items()}


def _choices(folder: Path) -> dict[Key, tuple[Configuration, Searched]]:
    return {
        (line.task, line.delay, line.cell, line.recipe): (
            Configuration(line.rate, _settings(line)),
            Searched(line.with_success, line.configurations),
        )
        for line in store.read(folder / "chosen.csv", CHOSEN_COLUMNS).itertuples()
    }


def outcomes(experiments: Iterable[Experiment], folder: Path) -> dict[str, Searched]:
    """What came of the search of a suite there, by digest of the experiments that it has settled.

    Those at another rate or other settings than it has chosen are none of its.

    Raises:
        UsageError: the file of choices is there and is not one.
    """
    choices = _choices(folder)
    found = [(each, _of(each, choices)) for each in experiments]
    return {each.digest: own[1] for each, own in found if own and own[0] == _configuration(each)}


def settled(experiments: Iterable[Experiment], folder: Path) -> list[Experiment]:
    """Each at what the search of a suite has chosen for it there; as it is where it has not.

    Raises:
        UsageError: the file is there and is not one of choices.
    """
    choices = chosen(folder)
    if not choices:
        return list(experiments)
    return [at(each, _of(each, choices) or _configuration(each)) for each in experiments]


def unsettled(experiments: Iterable[Experiment], folder: Path) -> list[Experiment]:
    """Those for which the search of a suite has chosen nothing there."""
    listed = list(experiments)
    found = settled([at(each, UNKNOWN) for each in listed], folder)
    return [each for each, now in zip(listed, found, strict=True) if math.isnan(now.rate)]


def _configuration(experiment: Experiment) -> Configuration:
    """As it is."""
    return Configuration(experiment.rate, experiment.settings)


def _of(experiment: Experiment, choices: Mapping[Key, Choice]) -> Choice | None:
    """What is there for an experiment, by its recipe, or by its name alone."""
    name = experiment.task, experiment.delay, experiment.cell
    return choices.get((*name, experiment.recipe_digest), choices.get((*name, "")))


def solved(folder: Path) -> set[tuple[str, int, str]]:
    """Of which task, delay and cell the choice of a suite's search has solved a trial there.

    Raises:
        UsageError: the file of choices is there and is not one.
    """
    lines = store.read(folder / "chosen.csv", CHOSEN_COLUMNS)
    return {(line.task, line.delay, line.cell) for line in lines.itertuples() if line.solved}


def _settings(line) -> Settings:
    memory = None if pd.isna(line.memory_low) else (line.memory_low, line.memory_high)
    numbers = line.clip, line.scale, line.strength
    clip, scale, strength = (None if pd.isna(number) else number for number in numbers)
    return Settings(clip, memory, scale, strength)
