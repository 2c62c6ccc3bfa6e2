"""What a user wants other than a suite has it: own cells, an own task, sizes, delays, a budget."""

from collections.abc import Iterable
from dataclasses import dataclass, replace

from benchmarks.errors import UsageError
from benchmarks.learning.experiment import Experiment
from benchmarks.running.cell_file import cells_from, require_trainable
from benchmarks.running.task_file import task_from
from benchmarks.suites import sizes
from benchmarks.suites.base import Suite
from benchmarks.suites.replacing import fitting, with_cells, with_delay, with_task
from models.network import Recurrent
from models.wrappers import Stack


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

    def applied(self, suite: Suite, pattern: str = "*") -> list[Experiment]:
        """The experiments of a suite as the user wants them, those whose name fits a pattern.

        Raises:
            UsageError: a cell, task or number does not fit, or no name does.
        """
        try:
            return self._applied(suite, pattern)
        except ValueError as error:  # of a recipe
            raise UsageError(str(error)) from error

    def _applied(self, suite: Suite, pattern: str) -> list[Experiment]:
        found = list(suite.experiments)
        if self.task:
            found = with_task(found, task_from(self.task))
        if self.cells:
            found = with_cells(found, {each.label: each for each in cells_from(self.cells)}, suite)
        if self.delays:
            found = [each for delay in self.delays for each in with_delay(found, delay)]
        found = fitting(found, pattern, suite.name)  # sizes and budgets are of these only
        if self.layers or self.hidden or self.weights:
            found = [replace(each, recipe=self._sized(each)) for each in found]
        if self.cells:
            _require_trainable(found)
        return [self._run(each) for each in found]

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


def _require_trainable(experiments: Iterable[Experiment]) -> None:
    """Refuses own cells that do not train at one of the sizes that they are to have."""
    first: dict[tuple[Recurrent, int, int], Experiment] = {}
    for each in experiments:
        model, task = each.recipe.model, each.recipe.task
        assert isinstance(model, Recurrent)  # no other takes an own cell
        first.setdefault((model, task.n_in, task.n_out), each)
    for (model, n_in, n_out), each in first.items():
        require_trainable(model, n_in, n_out, each.name)
