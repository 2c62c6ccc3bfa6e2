"""The commands `check` and `baseline`: fresh trials, the verdict on them, the files."""

import contextlib
import hashlib
import os
import tempfile
from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path

import pandas as pd
from rich.console import Console

from benchmarks.analysis import tables
from benchmarks.check import baseline, output, verdicts
from benchmarks.learning.experiment import Experiment
from benchmarks.learning.provenance import provenance
from benchmarks.running import files, runner, store
from benchmarks.running.cell_file import CellFile
from benchmarks.suites.common import RESULTS
from models.network import Recurrent

BASELINE = RESULTS / "baseline.csv"
BASELINE_SEED = 0
SEED = 1  # other trials than the baseline's
TIMES = 2  # a baseline has so many times the trials: its chance errors last until the next one


def run_check(
    suite: str,
    experiments: Sequence[Experiment],
    seed: int,
    path: Path,
    files: output.Files,
    console: Console,
) -> int:
    """Runs a suite, says what has changed against the baseline, and writes the reports.

    Returns:
        The exit status: 1 if an experiment has regressed, else 0.

    Raises:
        UsageError: there is no baseline that these trials could be compared with, or a report
            cannot be written; both before anything is run.
    """
    output.require_writable(files)
    base = baseline.load(path)
    experiments = [comparable(each, base.rows) for each in experiments]
    baseline.require_same(path, base, suite, seed, experiments)
    rows = trials(experiments, seed, console)
    report = output.Report(
        suite,
        verdicts.findings(experiments, rows, base.rows),
        tables.origin(rows),
        baseline.sentence(base),
    )
    output.show(report, console)
    output.save(report, files)
    return output.status(report)


def run_baseline(
    suite: str, experiments: Sequence[Experiment], seed: int, path: Path, console: Console
) -> None:
    """Runs a suite, and makes it what later checks compare with.

    Raises:
        UsageError: the baseline cannot be written; before anything is run.
    """
    files.require_file(path)
    experiments = [replace(comparable(each), trials=TIMES * each.trials) for each in experiments]
    made = baseline.made_from(suite, seed, trials(experiments, seed, console))
    baseline.save(path, made)
    console.print(f"{os.path.relpath(path)}: {baseline.sentence(made)}", highlight=False)


def comparable(experiment: Experiment, rows: pd.DataFrame | None = None) -> Experiment:
    """A user's cell is compared whatever its file says, and at the baseline's learning rate.

    The cells of this project are compared as they are: their definition is their name.
    """
    model = experiment.recipe.model
    if not (isinstance(model, Recurrent) and isinstance(model.cell, CellFile)):
        return experiment
    model = replace(model, cell=replace(model.cell, source=""))
    known = [] if rows is None else verdicts.of(experiment.name, rows)["rate"].tolist()
    return replace(
        experiment,
        recipe=replace(experiment.recipe, model=model),
        rate=known[0] if known else experiment.rate,
    )


def _from_file(experiment: Experiment) -> bool:
    model = experiment.recipe.model
    return isinstance(model, Recurrent) and isinstance(model.cell, CellFile)


def trials(experiments: Sequence[Experiment], seed: int, console: Console) -> pd.DataFrame:
    """Rows of all trials of these experiments, made by the code as it stands."""
    wanted = {each.name: each.trials for each in experiments}
    with _folder(experiments, console) as folder:
        runner.run(experiments, seed, folder, console)
        rows = tables.current(experiments, store.read_suite(folder))
        rows = rows[(rows["seed"] == seed) & (rows["trial"] < rows["experiment"].map(wanted))]
    return rows.sort_values(["experiment", "trial"])


@contextlib.contextmanager
def _folder(experiments: Sequence[Experiment], console: Console) -> Iterator[Path]:
    """Where trials may lie already: those of the same commit and versions, and no others.

    A digest does not change with the code, so rows of changed code would pass for new ones. Where
    the code has no name (`_unnamed`), nothing is kept.
    """
    if why := _unnamed(experiments):
        console.print(f"All trials are run anew, and none is kept: {why}.", highlight=False)
        with tempfile.TemporaryDirectory() as folder:
            yield Path(folder)
        return
    setting = repr(sorted(provenance().items())) + os.environ.get("JAX_PLATFORMS", "")
    setting = hashlib.sha256(setting.encode()).hexdigest()[:8]
    yield RESULTS / "local" / "check" / f"{provenance()['commit']}-{setting}"


def _unnamed(experiments: Sequence[Experiment]) -> str:
    """Why a commit does not tell what is run here; empty if it does."""
    if any(map(_from_file, experiments)):
        return "a cell from a file"
    if not provenance()["commit"]:
        return "not in a git checkout"
    return "there are uncommitted changes" if provenance()["dirty"] == "true" else ""
