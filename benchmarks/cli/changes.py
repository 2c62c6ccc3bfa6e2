"""What a user wants other than a suite has it: own cells, an own task, sizes, delays, a budget."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace

from benchmarks.errors import UsageError
from benchmarks.learning.experiment import Experiment
from benchmarks.running.cell_file import CellFile, cells_from
from benchmarks.running.task_file import task_from
from benchmarks.suites import sizes
from benchmarks.suites.common import criterion
from models.network import Recurrent
from models.wrappers import Stack
from tasks.sequence import Task

DELAYS = ("T", "q")  # fields that a task's delay is named after


@dataclass(frozen=True)
class Changes:
    """Changes to the experiments of a suite; what is None or empty stays as it is.

    Attributes:
        cells: own cells, in place of the suite's; see `running.cell_file.cells_from`.
        task: an own task, in place of the suite's; see `running.task_file.task_from`.
        hidden: number of hidden units.
        weights: number of weights, to which the hidden size is fitted.
        layers: number of layers.
        delays: delays, in place of the suite's.
        budget: training sequences.
        rate: learning rate; nothing is searched.
        trials: number of trials.
    """

    cells: tuple[str, ...] = ()
    task: str | None = None
    hidden: int | None = None
    weights: int | None = None
    layers: int | None = None
    delays: tuple[int, ...] = ()
    budget: int | None = None
    rate: float | None = None
    trials: int | None = None

    @property
    def to_search(self) -> bool:
        """Whether what comes out has to be searched for rate and start."""
        return self.rate is None and (bool(self.cells) or self.task is not None)

    @property
    def whole(self) -> bool:
        """Whether the suite stays as it is, but for the number of trials."""
        return self == Changes(trials=self.trials)

    def applied(self, experiments: Iterable[Experiment]) -> list[Experiment]:
        """The experiments as the user wants them.

        Raises:
            UsageError: a cell, task or number does not fit.
        """
        found = list(experiments)
        if self.task:
            found = with_task(found, self.task)
        if self.cells:
            found = with_cells(found, cells_from(self.cells))
        if self.delays:
            found = [each for delay in self.delays for each in with_delay(found, delay)]
        if self.layers or self.hidden or self.weights:
            found = [replace(each, recipe=self._sized(each)) for each in found]
        try:
            return [self._run(each) for each in found]
        except ValueError as error:  # of a recipe
            raise UsageError(str(error)) from error

    def _sized(self, experiment: Experiment):
        recipe = experiment.recipe
        model, task = recipe.model, recipe.task
        if not isinstance(model, Recurrent):
            raise UsageError(f"the size of {experiment.name} is part of what it reproduces")
        if self.layers:
            model = replace(model, cell=Stack(model.cell, self.layers))
        hidden = self.hidden or model.hidden
        if self.weights:
            hidden = sizes.matched(model.cell, self.weights, task.n_in, task.n_out)
        return replace(recipe, model=replace(model, hidden=hidden))

    def _run(self, experiment: Experiment) -> Experiment:
        budget = self.budget or experiment.recipe.budget
        return replace(
            experiment,
            recipe=replace(experiment.recipe, budget=budget),
            rate=self.rate or experiment.rate,
            trials=self.trials or experiment.trials,
        )


def with_cells(experiments: Iterable[Experiment], cells: Iterable[CellFile]) -> list[Experiment]:
    """Own cells on each task of some experiments, otherwise as the cells there.

    Raises:
        UsageError: no cell there can be replaced.
    """
    tasks = _first(experiments, lambda each: (each.task, each.delay))
    if not tasks:
        raise UsageError("the nets of this suite are those of the paper; it takes no other cell")
    return [
        replace(
            each,
            cell=cell.label,
            recipe=replace(each.recipe, model=replace(each.recipe.model, cell=cell)),
        )
        for each in tasks
        for cell in cells
    ]


def with_task(experiments: Iterable[Experiment], spec: str) -> list[Experiment]:
    """An own task for each cell of some experiments, with the largest of their budgets."""
    task, found = task_from(spec), list(experiments)
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
        for each in cells
    ]


def with_delay(experiments: Iterable[Experiment], delay: int) -> list[Experiment]:
    """Each task of some experiments at another delay, but for those that cannot have it.

    Raises:
        UsageError: none can.
    """
    changed, why = [], "their delays are fixed"
    for each in _first(experiments, lambda each: (each.task, each.cell)):
        task = each.recipe.task
        field = next((name for name in DELAYS if name in getattr(task, "__dict__", {})), None)
        if field is None:
            continue
        try:
            longer = replace(task, **{field: delay})
        except ValueError as error:
            why = f"of {each.task}, {error}"
            continue
        recipe = replace(each.recipe, task=longer)
        changed.append(replace(each, delay=delay, recipe=recipe))
    if not changed:
        raise UsageError(f"no task can have a delay of {delay}: {why}")
    return changed


def _first(experiments: Iterable[Experiment], key: Callable[[Experiment], object]):
    """The first experiment of each kind, of those whose cell can be chosen."""
    modern = [each for each in experiments if isinstance(each.recipe.model, Recurrent)]
    return list({key(each): each for each in modern[::-1]}.values())[::-1]


def _delay(task: Task) -> int:
    """What the own task calls T or q, else how many steps it has."""
    named = [getattr(task, name) for name in DELAYS if isinstance(getattr(task, name, None), int)]
    return named[0] if named else task.steps
