import functools
import io
import math
import shutil
import subprocess
import sys
from contextlib import redirect_stdout
from dataclasses import replace
from pathlib import Path

import jax
import jax.numpy as jnp
import numpy as np
import pandas as pd
import pytest
from matplotlib.figure import Figure
from rich.console import Console

import benchmarks
from benchmarks import suites
from benchmarks.analysis import pairwise, tables
from benchmarks.learning import space
from benchmarks.learning.lanes import BlockResult
from benchmarks.learning.program import TEST, setups, source
from benchmarks.python import api
from benchmarks.running.runner import Failure
from benchmarks.running.workers import Broken
from tests.cells.leaky import Leaky
from tests.support.tiny import EXPERIMENT

pytestmark = pytest.mark.usefixtures("one_worker")


def trained(rows):
    """What is the same whenever the same trials are trained."""
    return rows.drop(columns=["seconds", "commit", "dirty"]).reset_index(drop=True)


@pytest.fixture(scope="module")
def here(tmp_path_factory):
    """The folder that `rows` are made in."""
    return tmp_path_factory.mktemp("here")


@pytest.fixture(scope="module")
def rows(one_worker, here):
    """Two trials of the tiny experiment, in memory."""
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(here)
        return benchmarks.run([replace(EXPERIMENT, trials=2)])


@pytest.fixture(scope="module")
def kept(one_worker, tmp_path_factory):
    """A folder with three trials of it, and their rows."""
    folder = tmp_path_factory.mktemp("kept")
    return folder, benchmarks.run([replace(EXPERIMENT, trials=3)], out=folder)


@pytest.fixture(scope="module")
def quick():
    """The committed rows."""
    return benchmarks.load("quick")


def test_importing_the_package_imports_nothing_else():
    heavy = {"jax", "pandas", "benchmarks.python.api"}
    ask = f"import sys, benchmarks; print({heavy} & set(sys.modules))"
    done = subprocess.run(
        [sys.executable, "-c", ask], cwd=Path(__file__).parents[2], capture_output=True, text=True
    )
    assert done.stdout == "set()\n"


def test_all_that_it_offers_is_there():
    for name in benchmarks.__all__:
        assert getattr(benchmarks, name).__doc__, name
    assert set(benchmarks.__all__) <= set(dir(benchmarks))
    with pytest.raises(AttributeError, match="has no attribute 'nothing'"):
        _ = benchmarks.nothing


def test_rows_are_as_the_files_of_the_command_line(rows, kept):
    folder, kept = kept
    assert rows["trial"].tolist() == [0, 1]
    assert (rows["digest"] == EXPERIMENT.digest).all()
    assert trained(kept[:2]).equals(trained(rows))
    assert benchmarks.load(folder).equals(kept)
    assert {path.name for path in folder.iterdir()} == {"trials", "curves"}


def test_with_a_folder_what_is_there_is_not_trained_again(kept, tmp_path):
    folder, before = shutil.copytree(kept[0], tmp_path / "mine"), kept[1]
    experiment = replace(EXPERIMENT, trials=3)
    other = benchmarks.run([replace(EXPERIMENT, trials=2)], out=folder, seed=1)
    assert other["seed"].tolist() == [1, 1]
    with redirect_stdout(io.StringIO()) as told:
        assert benchmarks.run([experiment], out=str(folder)).equals(before)
        assert benchmarks.run([replace(experiment, trials=1)], out=folder).equals(before[:1])
    assert told.getvalue().strip() == ""


def test_nothing_is_written_without_a_folder(rows, here):
    assert len(rows) == 2
    assert list(here.iterdir()) == []


def test_the_network_of_train_one_makes_the_mistakes_of_its_row(rows):
    network, row = benchmarks.train_one(EXPERIMENT, trial=1)
    assert trained(row.to_frame().T.astype(rows.dtypes)).equals(trained(rows[1:]))
    task, size = EXPERIMENT.recipe.task, EXPERIMENT.recipe.test_size
    keys = setups(0, [1], [EXPERIMENT.rate]).key
    drawn = source(task).fresh(keys, TEST, jnp.zeros(1, jnp.int32), size)
    tests = jax.tree.map(lambda leaf: leaf[0], drawn)
    outputs = jax.nn.sigmoid(jax.vmap(network)(tests.inputs, tests.length))
    last = np.arange(size), np.asarray(tests.length) - 1
    error = np.abs(np.asarray(outputs)[last] - np.asarray(tests.targets)[last])
    assert error.mean() == pytest.approx(row["test_error"], abs=1e-5)
    assert (error.max(axis=1) > task.tolerance).sum() == pytest.approx(row["test_wrong"], abs=1)


def test_a_cell_takes_the_place_of_the_suites_own():
    found = benchmarks.experiments("tiny", cell=Leaky, trials=3)
    assert [each.name for each in found] == [
        f"{task}.Leaky" for task in ("reber-9", "two-sequence-20", "adding-20")
    ]
    assert {(each.rate, each.trials) for each in found} == {(0.01, 3)}
    (own,) = {each.recipe.model for each in found}
    assert own == replace(suites.load("tiny").experiments[0].recipe.model, cell=Leaky)


def test_the_rate_is_that_of_the_suite_or_of_the_caller():
    committed = {each.name: each.rate for each in suites.load("quick").experiments}
    assert {each.name: each.rate for each in benchmarks.experiments("quick")} == committed
    (one,) = benchmarks.experiments("quick", "adding-40.lstm", rate=0.5)
    assert (one.name, one.rate) == ("adding-40.lstm", 0.5)


def test_a_cell_of_a_file_is_that_of_the_command_line():
    file = Path(__file__).parents[1] / "cells" / "leaky.py"
    found = benchmarks.experiments("tiny", "adding-*", cell=f"{file}:Leaky")
    assert [each.cell for each in found] == ["Leaky"]


def test_arguments_of_a_partial_are_part_of_name_and_identity():
    cells = [functools.partial(Leaky, keep=0.5), functools.partial(Leaky, keep=0.25), Leaky]
    found = [benchmarks.experiments("tiny", "adding-*", cell=cell)[0] for cell in cells]
    assert [each.cell for each in found] == ["Leaky(keep=0.5)", "Leaky(keep=0.25)", "Leaky"]
    assert len({each.digest for each in found}) == 3
    again = benchmarks.experiments("tiny", "adding-*", cell=functools.partial(Leaky, keep=0.5))
    assert again[0].digest == found[0].digest


def test_two_classes_of_one_name_never_share_an_identity():
    def made(number):
        class Mine(Leaky):
            def factor(self):
                return number

        return Mine

    found = [benchmarks.experiments("tiny", "adding-*", cell=made(i))[0] for i in (1, 2, 1)]
    assert found[0].digest == found[2].digest != found[1].digest


def test_committed_rows_make_the_committed_table(quick):
    page = (Path(__file__).parents[2] / "results" / "quick" / "table.md").read_text()
    wide = benchmarks.table(quick).map(lambda entry: entry.replace(", ", "<br>"))
    lines = [line.split("|")[1:-1] for line in page.splitlines() if line.startswith("|")]
    shown = [[entry.strip() for entry in line[:-1]] for line in lines]  # without guesses
    expected = wide.reset_index()
    assert shown[0] == list(expected)
    assert shown[2 : 2 + len(expected)] == expected.to_numpy().tolist()
    lines = benchmarks.summary(quick)
    whole = tables.summary(suites.load("quick").experiments, quick).drop(columns="missing")
    pd.testing.assert_frame_equal(lines, whole)


def test_pairs_are_those_of_the_experiments(quick):
    whole = pairwise.pairs(suites.load("quick").experiments, quick)
    pd.testing.assert_frame_equal(benchmarks.pairs(quick), whole)


@pytest.mark.parametrize("kind", ["success", "curves", "delay", "cost"])
def test_figures_are_drawn_and_a_notebook_shows_them(quick, kind):
    figure = benchmarks.figure(quick, kind)
    assert isinstance(figure, Figure)
    assert figure._repr_png_().startswith(b"\x89PNG")


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: benchmarks.run("fast"), "no suite 'fast'"),
        (lambda: benchmarks.run("tiny", "addig-20.gru"), "did you mean adding-20.gru"),
        (lambda: benchmarks.run("tiny", rate=0), "rate must be a positive number, not 0"),
        (lambda: benchmarks.run("tiny", rate="fast"), "rate must be a positive number, not fast"),
        (lambda: benchmarks.run("tiny", rate=10**400), "rate must be a positive number"),
        (lambda: benchmarks.run("quick", configurations=10**30), "configurations must be at most"),
        (lambda: benchmarks.run(None), "what must be the name of a suite, or experiments"),
        (lambda: benchmarks.run(EXPERIMENT), "what must be the name of a suite, or experiments"),
        (lambda: benchmarks.train_one(EXPERIMENT, trial=10**12), "trial must be at most 9999"),
        (lambda: benchmarks.train_one(replace(EXPERIMENT, rate=-1)), "rate must be a positive"),
        (lambda: benchmarks.train_one(replace(EXPERIMENT, rate=math.nan)), "has not been searched"),
        (lambda: benchmarks.sample(None, EXPERIMENT, 10**15), "count must be at most 10000"),
        (lambda: benchmarks.sample(None, EXPERIMENT, temperature=1e-9), "must be at least 0.001"),
        (lambda: benchmarks.sample(None, EXPERIMENT, seed=2**70), "seed must be below 2"),
        (lambda: benchmarks.run("tiny", trials=float("nan")), "trials must be a whole number"),
        (lambda: benchmarks.run("tiny", trials=float("inf")), "trials must be a whole number"),
        (lambda: benchmarks.run("tiny", trials="many"), "trials must be a whole number"),
        (lambda: benchmarks.run("tiny", seed=None), "seed must be a whole number"),
        (lambda: benchmarks.run("paper", configurations=1), "nothing to search"),
        (lambda: benchmarks.run("smoke", configurations=1), "nothing to search but for a cell"),
        (
            lambda: benchmarks.run("guesses", "reber-9.*", cell=Leaky, configurations=1, trials=1),
            "guessing has no learning rate",
        ),
        # any suite's rate can be searched for a cell that is not in it
        (lambda: benchmarks.run("tiny", cell=Leaky, configurations=0), "configurations must be"),
        (lambda: benchmarks.run("tiny", trials=0), "trials must be a whole number from 1 on"),
        (lambda: benchmarks.run("tiny", trials=1.5), "trials must be a whole number"),
        (lambda: benchmarks.run("tiny", seed=-1), "seed must be a whole number"),
        (lambda: benchmarks.run("tiny", seed=271828), "that of the search"),
        (lambda: benchmarks.run("tiny", cell=3), "cell must be a class or FILE.py:CLASS"),
        (lambda: benchmarks.run("paper", cell=Leaky), "takes no other cell"),
        (lambda: benchmarks.run("gradient-flow"), "trains nothing"),
        (lambda: benchmarks.run([EXPERIMENT], rate=1), "choose experiments of a suite"),
        (lambda: benchmarks.run([EXPERIMENT] * 2), "several experiments are called"),
        (lambda: benchmarks.load("fast"), "no suite 'fast'"),
        (lambda: benchmarks.load(Path("nowhere")), "no rows in nowhere"),
        (lambda: benchmarks.table(pd.DataFrame()), "no rows of trained trials"),
        (lambda: benchmarks.table(benchmarks.load("gradient-flow")), "no rows of trained trials"),
        (lambda: benchmarks.figure(benchmarks.load("quick"), "pie"), "no figure 'pie'; there are"),
        (lambda: benchmarks.train_one(EXPERIMENT, trial=-1), "trial must be a whole number"),
        (lambda: benchmarks.run([EXPERIMENT], keep_weights=True), "networks are kept in a folder"),
    ],
)
def test_misuse_is_told_in_one_line(call, message):
    with pytest.raises(benchmarks.UsageError, match=message) as told:
        call()
    assert "\n" not in str(told.value)


def test_an_error_in_a_worker_is_raised_with_its_traceback():
    why = Broken("ValueError: odd", "Traceback ...", memory=False, died=False)
    coming = [BlockResult(EXPERIMENT, 9, 1.0, [{"trial": 0}], []), Failure(["a"], 1, why)]
    ended = []

    def trained(results):
        try:
            yield from results
        finally:
            ended.append(len(results))

    assert api._rows(trained(coming[:1])) == [{"trial": 0}]
    held = trained(coming)
    with pytest.raises(RuntimeError, match=r"^ValueError: odd\n\nTraceback \.\.\.$"):
        api._rows(held)
    assert ended == [1, 2]  # workers are stopped, although somebody still holds on to them


def test_in_a_notebook_progress_is_lines(monkeypatch):
    """Bars there would need ipywidgets, and warn at each step without."""
    monkeypatch.setattr("rich.console._is_jupyter", lambda: True)
    assert Console().is_jupyter
    console = api._console()
    assert not console.is_jupyter
    assert not console.is_terminal


@pytest.mark.slow
def test_a_search_chooses_for_a_cell_of_ones_own():
    name = "two-sequence-*"
    found = benchmarks.run("tiny", name, cell=Leaky, configurations=2, trials=1)
    tried = {each.rate for each in space.configurations([], 20, 2)}
    assert set(found["rate"]) < tried
    assert found["clip"].notna().all()
    assert found["seed"].tolist() == [0]
