import io
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from rich.console import Console

from benchmarks import suites
from benchmarks.analysis import paper_rows
from benchmarks.analysis.paper_rows import comparison, readable
from benchmarks.learning.select import program
from models.rivals.chunker import StateChunkerNet
from models.rivals.shortcut import PlainDeltaShortcutNet
from tests.support.made_up import rows

SUITE = suites.load("rivals")
PAPER = paper_rows.reference()
LITERAL = [each for each in SUITE.compared if not each.variant]


def test_the_rows_are_those_of_the_other_methods_in_their_order():
    theirs = PAPER[PAPER["method"] != "lstm97"]
    mine = list(dict.fromkeys(each.row for each in SUITE.compared))
    assert mine == [row for row in theirs.index if row in mine]
    for each in SUITE.compared:
        assert each.experiment.cell == theirs.loc[each.row, "method"]


@pytest.mark.parametrize("row", sorted({each.row for each in LITERAL}))
def test_trials_budgets_and_rates_are_those_of_the_paper(row):
    experiments, theirs = [e.experiment for e in LITERAL if e.row == row], PAPER.loc[row]
    trials = theirs["trials"]
    if pd.isna(trials):
        trials = 30 if theirs["task"] == "reber" else 18
    assert sum(each.trials for each in experiments) == trials
    rates, said = [each.rate for each in experiments], str(theirs["learning_rate"])
    if said != "nan":
        assert min(rates) == float(said.split("-")[0])
        assert max(rates) == float(said.split("-")[-1])
    for each in experiments:
        solves = theirs["success_percent"] != 0
        if pd.isna(theirs["sequences"]):
            theirs = theirs.fillna({"sequences": 0})
        least = theirs["sequences"] * (5 if solves and theirs["table"] == "1" else 1)
        if row in ("2.5", "2.6"):
            least /= 5  # p = 100: what an hour holds (FIDELITY R4)
        assert each.recipe.budget >= least
        if theirs["method"] == "chunker":
            assert each.recipe.budget >= 20 * PAPER.loc["2.7", "sequences"]
            assert program(each.recipe).weights == int(theirs["weights"]) + 10404
        elif theirs["task"] == "lag-2a":
            assert each.recipe.task.p == theirs["p"]
            assert program(each.recipe).weights == int(theirs["weights"])


@pytest.mark.parametrize(
    ("variant", "numbers", "model"),
    [
        ("plain-delta", ["2.1", "2.2", "2.3"], PlainDeltaShortcutNet()),
        ("outputs", ["2.7"], StateChunkerNet()),
    ],
)
def test_a_variant_differs_in_its_net_only(variant, numbers, model):
    variants = [each for each in SUITE.compared if each.variant == variant]
    assert [each.row for each in variants] == numbers
    for each in variants:
        (literal,) = [e.experiment for e in LITERAL if e.row == each.row]
        recipe = replace(literal.recipe, model=model)
        assert each.experiment == replace(literal, task=each.experiment.task, recipe=recipe)
        assert each.of_solved


def test_rivals_that_fail_in_part_are_compared_by_their_solved_trials():
    each = SUITE.compared[[e.row for e in SUITE.compared].index("2.3")]
    few = replace(each.experiment, trials=4)
    trials = rows(few, 200_000, 300_000, None, None, budget=5_000_000)
    (line,) = comparison([each._replace(experiment=few)], trials).itertuples()
    assert (line.mean, line.bounded) == (250_000, False)
    assert line.ratio == pytest.approx(250 / 254)
    assert line.verdict == "agrees"


def test_a_changed_experiment_has_a_table_without_the_paper():
    each = SUITE.compared[0].experiment
    changed = replace(each, trials=2, recipe=replace(each.recipe, budget=500))
    shown = SUITE.shown([changed], rows(changed, 100, None))
    assert "paper" not in shown.lines
    assert shown.lines["solved"].tolist() == [1]


def test_without_a_solved_trial_there_is_no_mean():
    each = SUITE.compared[0]
    trials = rows(replace(each.experiment, trials=2), None, None)
    lines = comparison([each._replace(experiment=replace(each.experiment, trials=2))], trials)
    (line,) = lines.itertuples()
    assert np.isnan(line.mean)
    assert line.verdict == "fails"
    (text,) = readable(lines).itertuples()
    assert (text.mean, text.ratio, text.paper) == ("", "", "173k (?)")


def test_the_table_fits_80_columns_and_says_within_how_many_the_paper_fails():
    trials = pd.concat(rows(each.experiment, None, None) for each in SUITE.compared)
    console = Console(file=io.StringIO(), width=80)
    console.print(paper_rows.terminal(comparison(SUITE.compared, trials), SUITE.title))
    lines = console.file.getvalue().splitlines()
    assert max(map(len, lines)) <= 80
    assert not any("…" in line for line in lines)
    assert sum(">5M" in line for line in lines) >= 9
    assert any("lag-2a-1-100 bptt" in line for line in lines)


def test_a_failure_that_the_paper_says_without_a_number_is_shown():
    lines = comparison(SUITE.compared, rows(SUITE.experiments[0], 100))
    text = readable(lines).set_index("row")["paper"]
    assert text["2.10"] == "fails (0% of ?)"
    assert (text != "").all()
    console = Console(file=io.StringIO(), width=80)
    console.print(paper_rows.terminal(lines, SUITE.title))
    (line,) = (each for each in console.file.getvalue().splitlines() if each.startswith("2.10"))
    assert "fails" in line
    assert "without a number" in paper_rows.rules(SUITE.compared)
