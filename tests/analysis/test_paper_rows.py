import io
from dataclasses import replace

import jax
import jax.numpy as jnp
import numpy as np
import pandas as pd
import pytest
from rich.console import Console

from benchmarks import suites
from benchmarks.analysis import paper_rows
from benchmarks.analysis.paper_rows import Compared, comparison, readable, verdict
from benchmarks.learning.program import RUNNING, setups
from benchmarks.learning.select import program
from benchmarks.running import store
from benchmarks.suites.common import RESULTS
from tests.support.drawing import QUICKLY_COMPILED
from tests.support.made_up import rows

SUITE, STUDY = suites.load("paper"), suites.load("fidelity")
PAPER = paper_rows.reference()
ROWS = PAPER[PAPER["method"] == "lstm97"]
BY_ROW = {each.row: each.experiment for each in SUITE.compared}


def test_all_rows_of_this_method_are_there_in_their_order():
    assert list(BY_ROW) == list(ROWS.index)
    assert len(BY_ROW) == len(SUITE.experiments) == 31


@pytest.mark.parametrize("row", BY_ROW)
def test_an_experiment_is_the_row_of_the_paper(row):
    experiment, theirs = BY_ROW[row], ROWS.loc[row]
    recipe, task = experiment.recipe, experiment.recipe.task
    assert experiment.rate == float(theirs["learning_rate"])
    assert experiment.trials >= theirs["trials"]
    assert recipe.budget >= 5 * theirs["sequences"]
    assert recipe.test_size == theirs["test_size"]
    assert program(recipe).weights == int(theirs["weights"])
    for name in ("T", "p", "q", "N"):
        if pd.notna(theirs[name]):
            assert getattr(task, name) == theirs[name]
    if theirs["hidden"] != "1x1":
        assert f"{recipe.model.blocks}x{recipe.model.size}" == theirs["hidden"]
    if pd.notna(theirs["n_seq"]):
        assert recipe.criterion.wrong_at_most == theirs["n_seq"] - 1
    if pd.notna(theirs["sequences_st1"]):
        assert recipe.milestone.inspection == 256


@pytest.mark.parametrize(
    ("row", "tolerance", "rule"),
    [
        # Table 11 and the text of each experiment.
        ("1.5", float("nan"), "Inspection(inspection=512, wrong_at_most=0, error_below=inf)"),
        ("2.8", 0.25, "Inspection(inspection=10000, wrong_at_most=0, error_below=inf)"),
        ("2.9", 0.25, "Inspection(inspection=10000, wrong_at_most=0, error_below=inf)"),
        ("3.1", 0.2, "Inspection(inspection=10000, wrong_at_most=0, error_below=inf)"),
        ("4.1", 0.2, "Inspection(inspection=256, wrong_at_most=0, error_below=0.01)"),
        ("5.1", 0.2, "Inspection(inspection=256, wrong_at_most=5, error_below=0.04)"),
        ("6.1", 0.1, "Inspection(inspection=256, wrong_at_most=0, error_below=0.015)"),
        ("7.1", 0.04, "Recent(wrong_at_most=0, error_below=0.01, window=2000)"),
        ("8.1", 0.04, "Recent(wrong_at_most=139, error_below=inf, window=2000)"),
        ("8.2", 0.04, "Recent(wrong_at_most=12, error_below=inf, window=2000)"),
        ("9.1", 0.3, "Recent(wrong_at_most=0, error_below=0.1, window=2000)"),
    ],
)
def test_the_stopping_rules_are_those_of_the_paper(row, tolerance, rule):
    recipe = BY_ROW[row].recipe
    assert recipe.task.tolerance == pytest.approx(tolerance, nan_ok=True)
    assert str(recipe.criterion) == rule


def test_both_points_of_multiplication_are_recorded_in_one_run():
    assert BY_ROW["8.2"].recipe.milestone == BY_ROW["8.1"].recipe.criterion


def first_of_each_table():
    """Rows of the paper; of a table's, all but the first are tested with the slow ones."""
    tables = set()
    for each in SUITE.compared:
        table = each.row.partition(".")[0]
        yield pytest.param(each, id=each.row, marks=[pytest.mark.slow] * (table in tables))
        tables.add(table)


@pytest.mark.parametrize("each", list(first_of_each_table()))
def test_an_experiment_runs(each, monkeypatch):
    """Some hundred sequences of a few trials change their weights and leave them finite."""
    recipe = replace(each.experiment.recipe, budget=100, inspect_every=100)
    if recipe.task.steps < 300:  # to optimise would take longer than to train
        jit = jax.jit
        monkeypatch.setattr(
            jax, "jit", lambda f, **k: jit(f, **k | {"compiler_options": QUICKLY_COMPILED})
        )
    run = program(recipe)
    lanes, updates = run.lanes(2), run.updates_per_call()
    setup = setups(0, range(lanes), [each.experiment.rate] * lanes, each.experiment.data_sets)
    before = run.start(setup)
    sets = run.source.sets(setup.sets_key) if run.source.finite else None
    after = jax.tree.map(jnp.copy, before)
    for _ in range(100 // updates):
        sequences = run.source.training(setup.key, after.seen, updates, sets)
        after = run.train(setup, after, sequences)
    assert after.seen.tolist() == [100] * lanes
    assert (after.outcome == RUNNING).all()
    changed = np.zeros(lanes, bool)
    for old, new in zip(*(jax.tree.leaves(t.params) for t in (before, after)), strict=True):
        assert np.isfinite(new).all()
        changed |= (old != new).reshape(lanes, -1).any(1)
    assert changed.all()


def difference(a, b, path=""):
    """Where two descriptions differ, as paths of dataclass fields; of another kind with a name."""
    fields = getattr(a, "__dataclass_fields__", {})
    if not fields or fields.keys() != getattr(b, "__dataclass_fields__", {}).keys():
        return set() if a == b else {path}
    found = set() if type(a) is type(b) else {f"{path}:{type(b).__name__}"}
    return found.union(*(difference(getattr(a, f), getattr(b, f), f"{path}.{f}") for f in fields))


ONE_CHANGE = {
    "stepwise": {".recipe.learner:Stepwise", ".recipe.learner.forward"},
    "plain-delta": {".recipe.learner:PlainDelta"},
    "factor-2": {".rate"},
    "linear-output": {".recipe.learner:LinearOutput"},
    "full-gradient": {".recipe.model.truncate", ".recipe.learner.forward"},
    "output-bias": {".recipe.model.bias"},
    "fewer-tests": {".recipe.task.n_test", ".recipe.criterion.inspection"},
    "from-start": {".recipe.model.growth.window", ".recipe.model.growth.decrease"},
    "small-weights": {".recipe.model.init_range"},
    "smaller-weights": {".recipe.model.init_range"},
    "rate-01": {".rate"},
    "half-rate": {".rate"},
    "error-only": {".recipe.criterion.wrong_at_most"},
    "weaker-gates": {".recipe.model.input_gate_bias"},
    "output-gates": {".recipe.model.output_gate_bias"},
    "gate-biases": {".recipe.model.input_gate_bias"},
    "input-gates": {".recipe.model.input_gate_bias"},
    "centred-g": {".recipe.model:CentredLagNet97"},
    "end-error": {".recipe.task:Lag2bEndError"},
    "identity-h": {".recipe.model:IdentityH97"},
    "all-legal": {".recipe.task:ReberAllLegal"},
    "shortcuts": {".recipe.model:Shortcuts97"},
    "half-reset": {".recipe.model:HalfReset97"},
    "in-order": {
        *(".recipe.task:ReberInOrder", ".recipe.task:Lag2aInTurn"),
        ".recipe.criterion.inspection",  # of two sequences, not of 10,000 that are one of them
    },
}
SHORTCUTS_BIAS = {".recipe.model:Shortcuts97", ".recipe.model.bias"}
SEVERAL = {
    "end-error-centred-g": {".recipe.task:Lag2bEndError", ".recipe.model:CentredLagNet97"},
    "stepwise-plain-delta-bias": {".recipe.learner:StepwisePlainDelta", ".recipe.model.bias"},
    "simulator": {".recipe.model:Simulator97", ".recipe.model.bias"},
    "shortcuts-bias": SHORTCUTS_BIAS,
    "full-shortcuts": {".recipe.model:Shortcuts97"} | ONE_CHANGE["full-gradient"],
    "full-shortcuts-bias": SHORTCUTS_BIAS | ONE_CHANGE["full-gradient"],
    "stepwise-shortcuts-bias": SHORTCUTS_BIAS | ONE_CHANGE["stepwise"],
    "stepwise-calibrated": SHORTCUTS_BIAS
    | ONE_CHANGE["stepwise"]
    | {f".recipe.model.{name}" for name in ("blocks", "input_gate_bias", "output_gate_bias")},
}


@pytest.mark.parametrize("each", STUDY.compared, ids=lambda each: f"{each.row} {each.variant}")
def test_a_variant_changes_what_it_says_only(each):
    found = difference(BY_ROW[each.row], each.experiment) - {".task"}
    assert found
    assert found <= (ONE_CHANGE | SEVERAL)[each.variant]
    text = (RESULTS.parent / "docs" / "FIDELITY.md").read_text()
    assert f"| `{each.variant}` |" in text


LINE = {
    "paper_success": np.nan,
    "paper_trials": 20,
    "trials": 20,
    "missing": 0,
    "solved": 20,
    "high": 1.0,
    "ratio_low": 0.8,
    "ratio_high": 1.2,
}


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ({}, "agrees"),
        ({"ratio_low": 1.9, "ratio_high": 5}, "agrees"),
        ({"ratio_low": 2.1, "ratio_high": 5}, "slower"),
        ({"ratio_low": 0.1, "ratio_high": 0.4}, "faster"),
        ({"ratio_low": 0.1, "ratio_high": 0.6}, "agrees"),
        ({"solved": 0, "ratio_low": 9, "ratio_high": 9}, "fails"),
        # Fisher's exact test: 16 of 20 against 20 of 20 has p = 0.053, 15 of 20 has 0.024.
        ({"solved": 16}, "agrees"),
        ({"solved": 15}, "fails"),
        ({"solved": 15, "paper_success": 0.8}, "agrees"),
        ({"missing": 1}, "incomplete"),
        # The paper solves none: against 0 of 20, 5 of 20 have p = 0.024, 4 of 20 0.053.
        ({"paper_success": 0.0, "solved": 0, "ratio_low": 0.1, "ratio_high": 0.1}, "agrees"),
        ({"paper_success": 0.0, "solved": 4}, "agrees"),
        ({"paper_success": 0.0, "solved": 5}, "faster"),
        # Quoted by the paper, without a number of trials.
        ({"paper_trials": np.nan, "solved": 0}, "fails"),
        ({"paper_trials": np.nan, "solved": 1}, "agrees"),
        ({"paper_trials": np.nan, "solved": 1, "ratio_low": 3, "ratio_high": 3}, "slower"),
        ({"paper_trials": np.nan, "paper_success": 0.5, "solved": 1, "high": 0.236}, "fails"),
        ({"paper_trials": np.nan, "paper_success": 0.2, "solved": 1, "high": 0.236}, "agrees"),
        ({"paper_trials": np.nan, "paper_success": 0.0, "solved": 0}, "agrees"),
        ({"paper_trials": np.nan, "paper_success": 0.0, "solved": 1}, "faster"),
    ],
)
def test_verdict(changes, expected):
    assert verdict(LINE | changes) == expected


def test_a_line_puts_our_figures_beside_the_papers():
    experiment = replace(BY_ROW["4.1"], trials=4)
    compared = [Compared("4.1", experiment)]
    lines = comparison(compared, rows(experiment, 100, 300, 200, None, budget=1000, test_wrong=2))
    (line,) = lines.itertuples()
    assert (line.paper_sequences, line.paper_st1, line.paper_wrong) == (39850, 27380, 0.000195)
    assert (line.solved, line.trials, line.missing, line.bounded) == (3, 4, 0, True)
    assert line.mean == (100 + 300 + 200 + 1000) / 4
    assert (line.first, line.last, line.median, line.st1) == (100, 300, 200, 100)
    assert line.wrong == 0.02
    assert line.ratio == pytest.approx(400 / 39850)
    assert line.ratio_low < line.ratio < line.ratio_high
    assert line.verdict == "faster"
    (text,) = readable(lines).itertuples()
    assert text.solved == "3/4"
    assert text.mean == ">400"
    assert text.range == "100-300"


def test_the_bootstrap_covers_the_mean_as_often_as_it_says():
    draw = np.random.default_rng(0)
    experiment, hits = replace(BY_ROW["7.1"], trials=20), 0
    for _ in range(60):
        needed = (1000 * draw.gamma(4.0, 0.25, size=20)).round().astype(int)
        trials = rows(experiment, *needed.tolist())
        (line,) = comparison([Compared("7.1", experiment)], trials).itertuples()
        hits += line.ratio_low * 74000 <= 1000 <= line.ratio_high * 74000
    assert 50 <= hits <= 60


def test_a_row_that_has_not_run_is_said_to_lack():
    lines = comparison(SUITE.compared, rows(BY_ROW["7.1"], 100))
    assert lines.set_index("row").loc["7.2", "trials"] == 0
    assert "not run" in set(readable(lines)["solved"])
    assert "1 of 31 rows have been run" in paper_rows.verdicts(lines)
    told = paper_rows.missing(lines)
    assert told.endswith("not been run, of rows 1.5, 1.6, 1.7, 1.8, 1.9, 2.8 and 25 more.")


@pytest.mark.parametrize("suite", [SUITE, STUDY], ids=["paper", "fidelity"])
def test_the_table_fits_80_columns(suite):
    trials = pd.concat(rows(each.experiment, 10**6, 2 * 10**6) for each in suite.compared)
    console = Console(file=io.StringIO(), width=80)
    console.print(paper_rows.terminal(comparison(suite.compared, trials), suite.title))
    lines = console.file.getvalue().splitlines()
    assert max(map(len, lines)) <= 80
    assert not any("…" in line for line in lines)
    body = [line for line in lines if line[:1].isdigit()]
    assert len(body) == len(suite.compared)


@pytest.mark.parametrize(("name", "rows", "complete"), [("paper", 31, 31), ("fidelity", 96, 96)])
def test_so_many_rows_have_been_run(name, rows, complete):
    compared = suites.load(name).compared
    lines = paper_rows.comparison(compared, store.read_suite(RESULTS / name))
    assert len(lines) == rows
    ran = lines[lines["missing"] == 0]
    assert len(ran) == complete
    assert (ran["trials"] >= ran["paper_trials"]).all()
    assert (paper_rows.missing(lines) == "") == (rows == complete)


@pytest.mark.parametrize("name", ["paper", "fidelity", "rivals", "readings", "best-readings"])
def test_the_committed_page_is_made_from_the_committed_rows(name):
    folder, suite = RESULTS / name, suites.load(name)
    committed = store.read_suite(folder)
    page = suite.shown(suite.experiments, committed).page
    assert (folder / "table.md").read_text() == page
    assert set(committed["dirty"]) == {"false"}


def test_a_bound_of_the_paper_is_read_as_a_number():
    assert PAPER.loc["2.4", "sequences"] == 5_000_000
