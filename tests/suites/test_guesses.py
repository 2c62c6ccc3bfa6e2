import io
from dataclasses import replace

import pandas as pd
import pytest
from rich.console import Console

from benchmarks import suites
from benchmarks.learning.select import program
from benchmarks.running import store
from benchmarks.suites import guessed
from tests.support.made_up import rows

SUITE = suites.load("guesses")
OTHERS = ("quick", "compare", "lags", "remedies", "paper")


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """Made-up guesses on every task: of each, half of the trials find a net, but not of adding."""
    each_of = [
        rows(each, *([None] * 10 if each.task.startswith("adding") else [900] * 5 + [None] * 5))
        for each in SUITE.experiments
    ]
    found = pd.concat(each_of).assign(learner="Guessing()")
    results = tmp_path_factory.mktemp("results")
    (results / guessed.SUITE / "trials").mkdir(parents=True)
    store.add(results / guessed.SUITE / "trials" / "all.csv", found.to_dict("records"))
    return results


@pytest.fixture
def committed(monkeypatch, folder):
    monkeypatch.setattr(guessed, "RESULTS", folder)


@pytest.mark.parametrize("name", OTHERS)
def test_guesses_are_made_for_every_task_of_a_success_table(name):
    own = {each.recipe.task for each in SUITE.experiments}
    assert {each.recipe.task for each in suites.load(name).experiments} <= own


def test_experiments_differ_in_their_tasks_only():
    names = [each.name for each in SUITE.experiments]
    assert len(set(names)) == len(names) == len({each.digest for each in SUITE.experiments})
    for each in SUITE.experiments:
        recipe = each.recipe
        assert 1024 <= recipe.budget <= 1024 * 1000
        work = recipe.budget / 1024 * recipe.task.steps * recipe.task.n_in
        assert work <= 1e6 or recipe.budget == 1024
    assert program(SUITE.experiments[0].recipe).weights == 7 * 4 + 4 * 4 + 4 + (4 + 1) * 7


def test_budgets_follow_the_cost_of_a_guess():
    budgets = {each.name: each.recipe.budget for each in SUITE.experiments}
    assert budgets["adding-100.guessing"] == 1_024_000
    assert budgets["lag-2c-p1000-1000.guessing"] == 1024
    assert budgets["adding-1000.guessing"] == 1024 * (1_000_000 // (1100 * 2))


@pytest.mark.parametrize("name", OTHERS)
def test_success_tables_have_a_column(name, committed):
    suite = suites.load(name)
    cells = list(dict.fromkeys(each.cell for each in suite.experiments))[:2]
    chosen = [each for each in suite.experiments if each.cell in cells]
    made_up = pd.concat(rows(each, *[100] * each.trials) for each in chosen)
    shown = suite.shown(chosen, made_up)
    console = Console(file=io.StringIO(), width=80)
    console.print(shown.table)
    assert "guessing" in shown.page
    assert ">1.02M" in shown.page
    assert any("suite `guesses`" in note for note in shown.notes)
    assert ("guessed" if name == "paper" else "guessing") in console.file.getvalue()


def test_a_column_says_what_was_found(committed):
    chosen = [each for each in suites.load("compare").experiments if each.cell == "lstm"]
    found = guessed.beside(chosen)
    assert found["adding-100"] == "0/10\n>1.02M"
    assert found["two-sequence-100"].startswith("5/10\n")
    assert set(found) == {f"{each.task}-{each.delay}" for each in chosen}
    assert guessed.beside(SUITE.experiments) == {}


def test_tasks_for_which_nobody_has_guessed_have_none(committed):
    (chosen,) = [each for each in suites.load("quick").experiments if each.name == "adding-40.gru"]
    task = replace(chosen.recipe.task, T=41)
    other = replace(chosen, delay=41, recipe=replace(chosen.recipe, task=task))
    assert set(guessed.beside([chosen, other])) == {"adding-40"}
    assert guessed.beside([other]) == {}


@pytest.mark.parametrize("name", ["readings", "best-readings"])
def test_readings_have_a_column_on_their_pages(name, committed):
    suite = suites.load(name)
    shown = suite.shown(suite.experiments, rows(suite.experiments[0], 100))
    lines = shown.lines.set_index(["row", "variant"])
    assert lines.loc[("7.1", "half-full-small"), "guessing"] == "0/10, >1.02M"
    assert "suite `guesses`" in shown.page


def test_a_variant_of_another_suite_finds_the_guesses_on_its_task(committed):
    variants = suites.load("fidelity")
    made_up = rows(variants.experiments[0], 100)
    lines = variants.shown(variants.experiments, made_up).lines.set_index("task")
    assert lines.loc["adding-factor-2-100", "guessing"] == "0/10, >1.02M"
    assert lines.loc["lag-2a-stepwise-100", "guessing"].startswith("5/10, ")
    assert lines.loc["reber-3x2-01-fewer-tests-9", "guessing"] == ""
