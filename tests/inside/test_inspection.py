import io

import jax
import numpy as np
import pandas as pd
import pytest
from rich.console import Console

from benchmarks import suites
from benchmarks.cli.main import main
from benchmarks.inside import inspection, panels
from benchmarks.inside.weights import Weights
from benchmarks.learning.flow import Passage
from benchmarks.learning.lanes import Run
from benchmarks.report import drawing
from benchmarks.running import flow_study, store
from benchmarks.suites.common import RESULTS
from models.network import Recurrent
from tasks.adding import Adding
from tests.cells.leaky import Leaky
from tests.support import drawing as samples
from tests.support.tiny import EXPERIMENT, experiment
from tests.support.training import train

FLOW = suites.load("gradient-flow")


@pytest.fixture(scope="module")
def trial():
    return inspection.train(EXPERIMENT, 0, Console(file=io.StringIO()))


def test_the_trial_is_the_one_that_a_run_trains(trial):
    runs = [Run(EXPERIMENT, i) for i in (0, 1)]
    rows = [row for block in train(0, runs) for result in block for row in result.rows]
    (theirs,) = (row for row in rows if row["trial"] == 0)
    assert {**trial.row, "seconds": 0} == {**theirs, "seconds": 0}


def test_the_weights_are_looked_at_from_the_start_to_the_end(trial):
    every = EXPERIMENT.recipe.inspect_every * EXPERIMENT.recipe.learner.batch
    assert trial.seen == list(range(0, trial.row["seen"] + 1, every))
    assert len(trial.weights) == len(trial.seen) > 1
    for params, look in ((trial.before, trial.weights[0]), (trial.after, trial.weights[-1])):
        matrix = np.asarray(params["cell"]["W_hh"][...])
        largest = np.abs(np.linalg.eigvals(matrix)).max()
        assert look.radii["W_hh"] == pytest.approx(largest)
    assert trial.weights[0].norms != trial.weights[-1].norms


class Forgetful(Leaky):
    """Lets no error back."""

    def __call__(self, carry, x):
        return super().__call__(jax.lax.stop_gradient(carry), x)


def test_where_no_error_flows_back_there_is_no_figure_of_it(tmp_path):
    tried = experiment(model=Recurrent(Forgetful, 4), budget=40)
    console = Console(file=io.StringIO(), width=300)
    inspection.draw(tried, 0, tmp_path / "made", "what was typed", console)
    names = {f"{name}.{kind}" for name in ("gates", "weights") for kind in ("png", "pdf")}
    assert {path.name for path in (tmp_path / "made").iterdir()} == names | {f"{tried.name}.html"}
    assert "No error flows back through its states" in console.file.getvalue()


def test_a_cell_from_anywhere_is_drawn_without_gates(tmp_path):
    tried = experiment(model=Recurrent(Leaky, 4), budget=40)
    console = Console(file=io.StringIO(), width=300)
    inspection.draw(tried, 0, tmp_path / "made", "what was typed", console)
    names = {f"{name}.{kind}" for name in ("flow", "gates", "weights") for kind in ("png", "pdf")}
    names |= {f"{tried.name}.html"}
    assert {path.name for path in (tmp_path / "made").iterdir()} == names
    assert all(name in console.file.getvalue() for name in names)
    page = (tmp_path / "made" / f"{tried.name}.html").read_text()
    for name in ("flow", "gates", "weights"):
        assert f'<section id="{name}">' in page
    assert "<code>what was typed</code>" in page
    assert f"<dt>rate</dt><dd>{tried.rate}</dd>" in page


def test_the_relevant_steps_are_marked():
    sequence = jax.tree.map(lambda leaf: leaf[5], samples.draw(Adding(20), 10))
    states = {"h": np.zeros((int(sequence.length), 4))}
    gates = {"z": np.full((int(sequence.length), 4), 0.5)}
    relevant = np.asarray(sequence.inputs[:, 1] == 1)
    figure = panels.gates(sequence, relevant, Passage(states, gates))
    images = [axis for axis in figure.axes if axis.images and axis.get_ylabel()]
    assert [axis.get_ylabel() for axis in images] == ["inputs", "gate z", "state h"]
    for axis in images:
        marks = [line.get_xdata()[0] - 1 for line in axis.lines if len(line.get_xdata())]
        assert marks == np.flatnonzero(relevant).tolist()


def test_figures_hold_what_they_are_given():
    falling = 0.5 ** np.arange(5.0)[None]
    drawn = panels.flow(
        {"before training": {"s": falling}, "after training": {"s": falling, "u": 2 * falling}}
    )
    assert list(drawn) == ["state s", "state u"]
    (s,), (u,) = (drawing.alone(draw).axes for draw in drawn.values())
    assert s.get_yscale() == u.get_yscale() == "log"
    assert s.get_ylim() == u.get_ylim()
    assert (len(s.lines), len(u.lines)) == (2, 1)
    np.testing.assert_array_equal(u.lines[0].get_ydata(), 2 * falling[0])
    looks = [Weights({"W": norm}, {"W": norm / 2}) for norm in (1.0, 3.0)]
    drawn = panels.weights([0, 100], looks, drawing.looks(["W"]))
    (norms,), (radii,) = (drawing.alone(draw).axes for draw in drawn.values())
    assert list(norms.lines[0].get_ydata()) == [1, 3]
    assert [0.5, 1.5] in [list(line.get_ydata()) for line in radii.lines]


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (
            ["quick", "adding-41.lstm"],
            "is called 'adding-41.lstm' (did you mean adding-40.lstm?); see:",
        ),
        (["quick", "adding-*"], "is the name of 6 experiments of quick"),
        (["fast", "adding-40.lstm"], "no suite 'fast'"),
        ([], "required: EXPERIMENT"),
        (["quick"], "no experiment 'quick' in any suite"),
        (["reber-9.lstm"], "is an experiment of compare, quick, smoke, tiny; name the suite:"),
        (["paper", "lag-2a-100.lstm97"], "LagNetwork97 is no recurrent cell"),
        (["quick", "adding-40.lstm", "--seed", "-1"], "--seed: must be a whole number"),
    ],
)
def test_misuse_is_one_line_and_status_2(arguments, message, tmp_path, capsys):
    assert main(["inspect", *arguments, "--out", str(tmp_path)]) == 2
    printed = capsys.readouterr()
    assert message in printed.err
    assert printed.err.count("\n") == 1
    assert printed.out == ""
    assert list(tmp_path.iterdir()) == []


def test_inspect_says_how_its_figures_were_made(tmp_path, monkeypatch, capsys):
    called = []
    monkeypatch.setattr(inspection, "draw", lambda *arguments: called.append(arguments))
    assert main(["inspect", "tiny", "adding-20.r*", "--seed", "3", "--out", str(tmp_path)]) == 0
    ((tried, seed, folder, command, _),) = called
    assert (tried.name, seed) == ("adding-20.rnn", 3)
    assert folder == tmp_path / "tiny" / "inspect" / "adding-20.rnn"
    assert command == f"python -m benchmarks inspect tiny adding-20.rnn --seed 3 --out {tmp_path}"
    assert f"Made by: {command}\n" in capsys.readouterr().out


def test_inspect_finds_the_suite_of_an_experiment(tmp_path, monkeypatch, capsys):
    called = []
    monkeypatch.setattr(inspection, "draw", lambda *arguments: called.append(arguments))
    assert main(["inspect", "adding-40.gru", "--out", str(tmp_path)]) == 0
    assert called[0][0].name == "adding-40.gru"
    assert "benchmarks inspect quick adding-40.gru" in capsys.readouterr().out


def made_up(*ratios):
    """Rows of one experiment of the suite, one for each ratio."""
    each = FLOW.experiments[0]
    filled = {name: "x" if kind is str else 0 for name, kind in flow_study.COLUMNS.items()}
    known = {"digest": each.digest, "delay": each.delay, "cell": each.cell, "dirty": "false"}
    rows = [filled | known | {"near": 2.0, "far": 2 * r, "trial": i} for i, r in enumerate(ratios)]
    return each, pd.DataFrame(rows).astype(flow_study.COLUMNS)


def test_lines_are_quartiles_over_networks():
    each, rows = made_up(0.1, 0.2, 0.3, 0.4, 0.5)
    (line,) = flow_study.summary([each], rows).itertuples()
    assert (line.low, line.median, line.high) == pytest.approx((0.2, 0.3, 0.4))
    assert line.step ** (each.delay - 1) == pytest.approx(0.3)
    assert (line.trials, line.missing) == (5, 95)
    lines = flow_study.summary(FLOW.experiments[:2], rows)
    wide = flow_study.matrix(lines)
    assert wide.loc["rnn", "T = 10"] == "0.30\n0.20 to 0.40"
    assert wide.loc["lstm", "T = 10"] == "not run"
    assert "195 initial networks" in flow_study.missing(lines)
    assert "after 9 steps, in the median: rnn 0.30." in flow_study.finding(lines)


@pytest.mark.parametrize(
    ("number", "text"), [(1, "1.00"), (0.0123, "0.01"), (2.1e-14, "2e-14"), (3e-5, "3e-5")]
)
def test_ratios_are_short(number, text):
    assert flow_study.ratio(number) == text


def test_the_suite_runs_what_is_missing_and_reports(tmp_path, capsys):
    arguments = ["gradient-flow", "two-sequence-10.lstm97", "--out", str(tmp_path)]
    for trials in (2, 3, 3):
        assert main(["run", *arguments, "--trials", str(trials)]) == 0
    printed = capsys.readouterr().out
    assert "lstm97: 2 initial networks" in printed
    assert printed.count("lstm97: 1 initial networks") == 1
    rows = store.read_suite(tmp_path / "gradient-flow", flow_study.COLUMNS)
    assert rows["trial"].tolist() == [0, 1, 2]
    assert rows["near"].equals(rows["far"])  # the error carousel
    assert rows["near"].nunique() == 3
    assert main(["report", "gradient-flow", "--out", str(tmp_path)]) == 0
    folder = tmp_path / "gradient-flow" / "report"
    assert {path.name for path in folder.iterdir()} == {
        "gradient-flow.html",
        "flow.png",
        "flow.pdf",
    }
    page = (folder / "gradient-flow.html").read_text()
    assert "Not asked for: 3997 of the suite&#39;s 4000 trials" in page
    assert "Not complete" not in page


def test_the_committed_page_is_made_from_the_committed_rows():
    folder = RESULTS / "gradient-flow"
    rows = store.read_suite(folder, flow_study.COLUMNS)
    assert set(rows["dirty"]) == {"false"}
    lines = flow_study.summary(FLOW.experiments, rows)
    page = flow_study.page("gradient-flow", FLOW.title, lines, rows)
    assert (folder / "table.md").read_text() == page
    assert flow_study.missing(lines) == ""
