"""The Python face of the benchmark, which the package `benchmarks` exports.

Every function raises `UsageError`, which says in one line what is wrong, on bad arguments.
"""

import contextlib
import functools
import math
import re
import tempfile
from collections import Counter
from collections.abc import Generator, Iterable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

import jax
import pandas as pd
from flax import nnx
from rich.console import Console

from benchmarks import suites
from benchmarks.analysis import pairwise, tables
from benchmarks.analysis.measured import Measured, measured
from benchmarks.errors import FailedError, UsageError
from benchmarks.learning import sampling
from benchmarks.learning.experiment import Experiment, Recipe, describe
from benchmarks.learning.lanes import BlockResult, Run
from benchmarks.running import failures, networks, one_trial, runner, search, store
from benchmarks.running.cell_file import CellFile, cell_from
from benchmarks.running.pool import Start, opened
from benchmarks.running.rules import NO_LABEL
from benchmarks.running.screen import PlainConsole
from benchmarks.running.store import MOST_TRIALS
from benchmarks.suites.common import RESULTS
from benchmarks.suites.replacing import Cell, fitting, with_cells
from tasks.sequence import Chance

if TYPE_CHECKING:
    from matplotlib.figure import Figure


def experiments(
    suite: str,
    pattern: str = "*",
    *,
    cell: Cell | str | None = None,
    rate: float | None = None,
    trials: int | None = None,
) -> list[Experiment]:
    """Experiments of a suite, or a cell of your own on the suite's tasks.

    Args:
        suite: its name, as `python -m benchmarks list` has it.
        pattern: which of them, by name: a shell pattern such as "adding-*".
        cell: a class called as `cell(n_in, n_hidden, rngs=...)`, any `flax.nnx.RNNCellBase`; or
            "FILE.py:CLASS". It takes the place of the suite's cells.
        rate: learning rate of all experiments; without, that of the suite, and of a cell of your
            own 0.01.
        trials: number of trials of each, at most 10000; without, that of the suite.
    """
    whole = suites.load(suite)
    found = _with_cell(whole, cell) if cell else list(whole.experiments)
    if rate is not None:
        found = [replace(each, rate=_positive("rate", rate)) for each in found]
    if trials is not None:
        found = [replace(each, trials=_whole("trials", trials, 1, MOST_TRIALS)) for each in found]
    return fitting(found, pattern, suite)


def run(
    what: str | Sequence[Experiment],
    pattern: str = "*",
    *,
    cell: Cell | str | None = None,
    rate: float | None = None,
    trials: int | None = None,
    configurations: int | None = None,
    seed: int = 0,
    out: Path | str | None = None,
    keep_weights: bool = False,
    cluster: str | None = None,
) -> pd.DataFrame:
    """Trains experiments on all cores, or a cluster, and returns a row for each of their trials.

    Progress goes to the standard output. Nothing is written unless `out` is given.

    Args:
        what: the name of a suite, of which `pattern`, `cell`, `rate` and `trials` choose as in
            `experiments`; or experiments, which are run as they are.
        pattern: which experiments of the suite.
        cell: a cell of your own in place of the suite's.
        rate: learning rate, in place of the suite's.
        trials: number of trials of each, in place of the suite's.
        configurations: how many configurations of rate, clipping and initial memory are tried first
            on each task, as `python -m benchmarks search` does; without, nothing is searched.
        seed: seed of the run.
        out: a folder. Each row is added to a file there as soon as its trial is finished, rows that
            are there already are not made again, and `load` reads the folder.
        keep_weights: whether to keep the trained networks there, too, for `load_network`.
        cluster: who trains: address of a Dask scheduler, "local" or "slurm" (docs/CLUSTER.md).

    Returns:
        Columns as in results/README.md, in the order of the experiments and their trials.
    """
    console, seed = _console(), _seed(seed)
    if keep_weights and out is None:
        raise UsageError("networks are kept in a folder: give out")
    with opened(cluster, console) as start:
        if isinstance(what, str):
            chosen = experiments(what, pattern, cell=cell, rate=rate, trials=trials)
            if not suites.load(what).trains:
                command = f"python -m benchmarks run {what}"
                raise UsageError(f"suite {what} trains nothing; see: {command}")
            if configurations is not None:
                if cell is None:  # one of your own has no rate in any suite
                    suites.load(what).require_searchable(own=False)
                others = experiments(what, cell=cell) if suites.load(what).staged else []
                count = _whole("configurations", configurations, 1, MOST_TRIALS)
                chosen = _searched(chosen, others, count, out, start)
        elif (pattern, cell, rate, trials, configurations) != ("*", None, None, None, None):
            raise UsageError(
                "pattern, cell, rate and trials choose experiments of a suite: name one"
            )
        elif not isinstance(what, Iterable):
            raise UsageError(f"what must be the name of a suite, or experiments, not {what}")
        else:
            chosen = list(what)
        _require_ready(chosen)
        if out is None:
            wanted = {each: [Run(each, i) for i in range(each.trials)] for each in chosen}
            coming = runner.trained(wanted, seed, console, start=start)
            return _ordered(store.frame(_rows(coming)), chosen)
        folder = Path(out)
        runner.run(chosen, seed, folder, console, True, keep_weights, start=start)
    rows = tables.current(chosen, store.read_suite(folder))
    sizes = {each.digest: each.trials for each in chosen}
    asked = (rows["seed"] == seed) & (rows["trial"] < rows["digest"].map(sizes))
    return _ordered(rows[asked], chosen)


def _require_ready(chosen: Sequence[Experiment]) -> None:
    """Refuses what could not be trained, or not be told apart.

    Raises:
        UsageError: one has no rate, or several have one name.
    """
    for each in chosen:
        if math.isnan(each.rate):
            raise UsageError(f"{each.name} has not been searched; give it a rate")
        _positive("rate", each.rate)
    twice = [name for name, count in Counter(each.name for each in chosen).items() if count > 1]
    if twice:
        raise UsageError(f"several experiments are called {twice[0]}; give them different cells")


def _rows(coming: Generator[BlockResult | runner.Failure, None, None]) -> list[dict]:
    """All rows that come.

    Raises:
        RuntimeError: an experiment has failed; the message ends with the worker's traceback.
    """
    rows = []
    with contextlib.closing(coming):  # else workers and handlers of signals outlive an error
        for each in coming:
            if isinstance(each, runner.Failure):
                raise RuntimeError(f"{each.why.reason}\n\n{each.why.traceback}")
            rows += each.rows
    return rows


def _searched(
    chosen: Sequence[Experiment],
    others: Sequence[Experiment],
    configurations: int,
    out: Path | str | None,
    start: Start,
) -> list[Experiment]:
    """The experiments at what a search finds best for them; its rows are kept where `out` is.

    Raises:
        FailedError: some could not be searched; the message names a file that tells more.
        RuntimeError: the same where nothing is kept; the message ends with the worker's traceback.
    """
    with tempfile.TemporaryDirectory() as scratch:
        folder = Path(out or scratch)
        try:
            search.search(chosen, configurations, folder, _console(), others, start)
        except FailedError as error:
            if out is not None:
                raise
            raise RuntimeError("\n\n".join(failures.texts(folder / "search"))) from error
        return search.settled(chosen, folder)


def load(what: str | Path) -> pd.DataFrame:
    """The committed rows of a suite, by its name, or the rows in a folder that `run` wrote."""
    if isinstance(what, Path):
        rows = store.read_suite(what)
        if rows.empty:
            raise UsageError(f"no rows in {what}")
        return rows
    suite = suites.load(what)
    return _ordered(store.read_suite(RESULTS / what, suite.columns), suite.experiments)


def table(rows: pd.DataFrame) -> pd.DataFrame:
    """Tasks down, cells across: solved trials, median sequences to success.

    What `at chance` and `diverged` mean is said by `python -m benchmarks table`. Of tasks that no
    suite has, nothing is called at chance.
    """
    wide = tables.matrix(tables.summary(_measured(rows), rows))
    return wide.map(lambda entry: entry.replace("\n", ", "))  # pandas would show it as it is


def summary(rows: pd.DataFrame) -> pd.DataFrame:
    """One line of numbers for each experiment.

    Columns: task (with its delay), cell, weights, rate, solved, trials, low, high (95 % interval of
    the success rate), median_sequences (inf beyond the budget), diverged, test_right, test_error,
    chance_right, chance_error, at_chance, seconds (of all trials), seeds.
    """
    return tables.summary(_measured(rows), rows).drop(columns="missing")


def pairs(rows: pd.DataFrame) -> pd.DataFrame:
    """Every two cells on every task: which is better, with p corrected for their number.

    Columns: task, first, second, verdict (the better cell, or `cannot tell`), trials, other_trials,
    solved, other_solved; difference of success rates and ratio of mean sequences, with 95 %
    intervals _low and _high; statistic, p (log-rank), holm, bh.
    """
    return pairwise.pairs(_measured(rows), rows)


def figure(rows: pd.DataFrame, kind: str = "success") -> "Figure":
    """A figure of rows.

    Args:
        rows: what to draw.
        kind: "success" (heat map of success rates), "curves" (solved trials against sequences),
            "delay" (success against the delay), or "cost" (success against seconds).
    """
    import matplotlib as mpl  # here: nothing else needs it

    from benchmarks.report import drawing, figures, sections

    panels = {
        "curves": lambda lines, looks: figures.curves(lines, rows, looks),
        "delay": figures.delays,
        "cost": figures.cost,
    }
    if kind not in ("success", *panels):
        raise UsageError(f"no figure {kind!r}; there are: {', '.join(['success', *panels])}")
    lines = sections.labelled(_measured(rows), rows)
    looks = drawing.looks(list(dict.fromkeys(lines["cell"])))
    with mpl.rc_context(drawing.STYLE):
        if kind == "success":
            drawn = figures.heat_map(lines)
        else:
            drawn = drawing.together(panels[kind](lines, looks), looks)
    # A notebook shows only the figures of pyplot by itself, which keeps all that it makes; of
    # others it asks for this method, which the class does not have.
    drawn._repr_png_ = lambda: drawing.rendered(drawn, ["png"])["png"]  # type: ignore[attr-defined]
    return drawn


class Trained(NamedTuple):
    """A trial at its end.

    Attributes:
        network: the trained network: `network(inputs [T, n_in], length)` gives the net inputs of
            the outputs, `[T, n_out]`; of a recurrent net, `network.cell` is the cell.
        row: its row, as `run` has it.
    """

    network: nnx.Module
    row: pd.Series


def train_one(experiment: Experiment, trial: int = 0, seed: int = 0) -> Trained:
    """Trains one trial of an experiment in this process: the same that `run` trains.

    Args:
        experiment: whose trial.
        trial: its number, from 0.
        seed: seed of the run.
    """
    _require_ready([experiment])
    number = _whole("trial", trial, 0, MOST_TRIALS - 1)
    found = one_trial.train(experiment, number, _seed(seed), _console())
    return Trained(*found)


def sample(
    network: nnx.Module,
    experiment: Experiment,
    count: int = 1000,
    *,
    temperature: float = 1.0,
    length: int = 50,
    seed: int = 0,
) -> pd.DataFrame:
    """Lets a trained network write strings, one symbol at a time, each of which is its next input.

    Args:
        network: as of `train_one` or `load_network`.
        experiment: that it was trained in, whose task asks for next symbols: suite `streams`, or
            the Reber grammar.
        count: how many strings, at most 10000.
        temperature: below 1 it keeps to what it thinks likely, above 1 it dares more; at least
            0.001.
        length: symbols at most of each.
        seed: of all that is random.

    Returns:
        Columns text (up to its end, or to the first symbol that may not come) and legal.
    """
    written = sampling.by_network(
        network,
        experiment.recipe,
        jax.random.key(_seed(seed)),
        _whole("count", count, 1, sampling.MOST),
        _whole("length", length, 2, sampling.MOST),
        _positive("temperature", temperature, sampling.COLDEST),
    )
    return pd.DataFrame({"text": written.texts, "legal": written.legal})


def load_network(
    row: pd.Series, out: Path | str, experiment: Experiment | None = None
) -> nnx.Module:
    """The trained network of a row that was made with `keep_weights`.

    Args:
        row: one row of what `run` or `load` returns.
        out: the folder that the row is in; `python -m benchmarks run SUITE --keep-weights --out
            DIR` makes it in `DIR/SUITE`.
        experiment: whose trial it is; needed only of tasks and cells that no suite has.

    Returns:
        As the `network` of `Trained`.
    """
    if experiment is not None and experiment.digest != row["digest"]:
        raise UsageError(f"the row is of another experiment than {experiment.name}")
    recipe = experiment.recipe if experiment else _recipe(row)
    task = recipe.task
    network = nnx.eval_shape(lambda: recipe.model.build(task.n_in, task.n_out, nnx.Rngs(0)))
    return networks.read(Path(out), row, network)


def _recipe(row: pd.Series) -> Recipe:
    """A recipe of any suite with the same task and model.

    Raises:
        UsageError: there is none.
    """
    wanted = row["task_fields"], row["model"]
    for name in suites.names():
        for each in suites.load(name).experiments:
            if (describe(each.recipe.task), describe(each.recipe.model)) == wanted:
                return each.recipe
    raise UsageError(f"no suite has the task and cell of {row['experiment']}; give the experiment")


def _with_cell(suite: suites.Suite, cell: Cell | str) -> list[Experiment]:
    """A cell of the user's own on each task, otherwise as the suite's own cells."""
    own = cell_from(cell) if isinstance(cell, str) else cell
    if not callable(own):
        raise UsageError(f"cell must be a class or FILE.py:CLASS, not {cell!r}")
    return with_cells(suite.experiments, {_label(own): own}, suite)


def _label(cell: Cell) -> str:
    """A cell's name in tables and of files: `MyCell`, or `MyCell(bias=5)` of a partial of it."""
    if isinstance(cell, CellFile):
        return cell.label
    if not isinstance(cell, functools.partial):
        return re.sub(NO_LABEL, "", getattr(cell, "__name__", repr(cell)))
    given = [*map(repr, cell.args), *(f"{name}={value!r}" for name, value in cell.keywords.items())]
    return re.sub(NO_LABEL, "", f"{_label(cell.func)}({','.join(given)})")


def _measured(rows: pd.DataFrame) -> list[Measured]:
    absent = [name for name in store.COLUMNS if name not in rows]
    if absent or rows.empty:
        raise UsageError(f"no rows of trained trials: {', '.join(absent[:3]) or 'none'}")
    return measured(rows, _chances())


@functools.cache
def _chances() -> dict[str, Chance]:
    """The floors of the tasks of all suites, by their descriptions."""
    tasks = {e.recipe.task for name in suites.names() for e in suites.load(name).experiments}
    return {describe(task): task.chance for task in tasks}


def _ordered(rows: pd.DataFrame, experiments: Sequence[Experiment]) -> pd.DataFrame:
    """Rows in the order of experiments and trials."""
    place = {each.digest: i for i, each in enumerate(experiments)}
    order = rows.assign(place=rows["digest"].map(place)).sort_values(["place", "seed", "trial"])
    return order.drop(columns="place").reset_index(drop=True)


def _console() -> Console:
    """Bars on a terminal, lines elsewhere: in a notebook, which calls itself one, too."""
    notebook = Console().is_jupyter
    return PlainConsole(force_jupyter=False, force_terminal=False if notebook else None)


def _positive(name: str, number: float, least: float = 0) -> float:
    try:
        found = float(number)
    except (TypeError, ValueError, OverflowError):
        found = math.nan
    if not 0 < found < math.inf:
        raise UsageError(f"{name} must be a positive number, not {number}")
    if found < least:
        raise UsageError(f"{name} must be at least {least}, not {number}")
    return found


def _whole(name: str, number: int, least: int, most: float = math.inf) -> int:
    try:
        whole = int(number) == number
    except (TypeError, ValueError, OverflowError):
        whole = False
    if not whole or number < least:
        raise UsageError(f"{name} must be a whole number from {least} on, not {number}")
    if number > most:
        raise UsageError(f"{name} must be at most {most}, not {number}")
    return int(number)


def _seed(seed: int) -> int:
    if _whole("seed", seed, 0) == search.SEED or seed >= 2**31:
        raise UsageError(f"seed must be below 2^31 and not {search.SEED}, that of the search")
    return int(seed)
