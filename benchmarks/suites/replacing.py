"""A suite's experiments with other cells, tasks or delays, and those that a pattern names."""

import difflib
import fnmatch
import math
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import replace
from typing import Any

from flax import nnx

from benchmarks.errors import UsageError
from benchmarks.learning.experiment import Experiment, Recipe
from benchmarks.learning.learners import Learner
from benchmarks.learning.remedies import Remedied
from benchmarks.running import search
from benchmarks.suites import sizes
from benchmarks.suites.base import Suite
from benchmarks.suites.common import criterion
from models.network import Recurrent
from tasks.sequence import Task

DELAYS = ("T", "q")  # fields that a task's delay is named after

Cell = Callable[..., nnx.RNNCellBase]


def fitting(experiments: Sequence[Experiment], pattern: str, suite: str) -> list[Experiment]:
    """Those whose name fits a shell pattern.

    Raises:
        UsageError: none does.
    """
    found = [each for each in experiments if fnmatch.fnmatchcase(each.name, pattern)]
    if found:
        return found
    near = difflib.get_close_matches(pattern, [each.name for each in experiments], 1)
    guess = f" (did you mean {near[0]}?)" if near else ""
    raise UsageError(
        f"no experiment of {suite} is called {pattern!r}{guess}; "
        f"see: python -m benchmarks list {suite}"
    )


def with_cells(
    experiments: Iterable[Experiment], cells: Mapping[str, Cell], suite: Suite
) -> list[Experiment]:
    """Other cells on each task of some experiments of a suite, at the default rate and start.

    They have as many units as the cells there, or, where the suite matches weights, as many
    weights.

    Args:
        experiments: of the suite.
        cells: by their labels.
        suite: whose experiments they are.

    Raises:
        UsageError: no cell there can be replaced.
    """
    tasks = _first(experiments, lambda each: (each.task, each.delay))
    if not tasks:
        raise UsageError("the nets of this suite are those of the paper; it takes no other cell")
    placed = [
        replace(each, cell=label, recipe=_with_cell(each.recipe, model, cell, suite.matched))
        for each, model in tasks
        for label, cell in cells.items()
    ]
    return [search.at(each, search.DEFAULT) for each in placed]


def _with_cell(recipe: Recipe, model: Recurrent, cell: Cell, matched: bool) -> Recipe:
    hidden = model.hidden
    if matched:
        widths = recipe.task.n_in, recipe.task.n_out
        hidden = sizes.matched(cell, sizes.weights(model.cell, hidden, *widths), *widths)
    return replace(recipe, model=replace(model, cell=cell, hidden=hidden))


def with_task(experiments: Iterable[Experiment], task: Task) -> list[Experiment]:
    """Another task for each cell of some experiments, with the largest of their budgets.

    Raises:
        UsageError: no cell there takes another task.
    """
    found = list(experiments)
    cells = _first(found, lambda each: each.cell)
    if not cells:
        raise UsageError("the nets of this suite are those of the paper; it takes no other task")
    budget = max((each.recipe.budget for each in found), default=0)
    return [
        replace(
            each,
            task=type(task).__name__,
            delay=_delay(task),
            recipe=replace(each.recipe, task=task, criterion=criterion(task), budget=budget),
            lengths=(),
        )
        for each, _ in cells
    ]


def with_delay(experiments: Iterable[Experiment], delay: int) -> list[Experiment]:
    """Each task of some experiments at another delay, but for those that cannot have it.

    An experiment that is there at this delay stays as it is. Others have rate and settings of the
    longest delay below it that there is, or of the shortest.

    Raises:
        UsageError: none can.
    """
    changed, why = [], "their delays are fixed"
    for each in _nearest(experiments, delay):
        if each.delay == delay:
            changed.append(each)
            continue
        task: Any = each.recipe.task  # a dataclass, as all tasks are
        field = next((name for name in DELAYS if name in vars(task)), None)
        if field is None:
            continue
        try:
            longer = replace(task, **{field: delay})
        except ValueError as error:
            why = f"of {each.task}, {error}"
            continue
        learner = _with_window(each.recipe.learner, delay, each.delay)
        recipe = replace(each.recipe, task=longer, learner=learner)
        changed.append(replace(each, delay=delay, recipe=recipe))
    if not changed:
        raise UsageError(f"no task can have a delay of {delay}: {why}")
    return changed


def _nearest(experiments: Iterable[Experiment], delay: int) -> list[Experiment]:
    """Of each task and cell the experiment at the delay; else that at the longest one below.

    That at the shortest one where all are longer; experiments that have not been searched last.
    """
    found = list(experiments)
    order = sorted(found, key=lambda each: _distance(each, delay))
    nearest = {_kind(each): each for each, _ in _first(order, _kind)}
    return [nearest[_kind(each)] for each, _ in _first(found, _kind)]


def _kind(experiment: Experiment) -> tuple[str, str]:
    return experiment.task, experiment.cell


def _distance(experiment: Experiment, delay: int) -> tuple[bool, bool, bool, int]:
    own = experiment.delay
    return own != delay, math.isnan(experiment.rate), own > delay, abs(own - delay)


def _with_window(learner: Learner, delay: int, before: int) -> Learner:
    """A window of truncated backpropagation grows with the delay, of which it is a part."""
    if not isinstance(learner, Remedied) or learner.window is None:
        return learner
    return replace(learner, window=max(1, learner.window * delay // before))


def _first(
    experiments: Iterable[Experiment], key: Callable[[Experiment], object]
) -> list[tuple[Experiment, Recurrent]]:
    """The first experiment of each kind and its model, of those whose cell can be chosen."""
    found: dict[object, tuple[Experiment, Recurrent]] = {}
    for each in experiments:
        if isinstance(each.recipe.model, Recurrent):
            found.setdefault(key(each), (each, each.recipe.model))
    return list(found.values())


def _delay(task: Task) -> int:
    """What the own task calls T or q, else how many steps it has."""
    named = [getattr(task, name) for name in DELAYS if isinstance(getattr(task, name, None), int)]
    return named[0] if named else task.steps
