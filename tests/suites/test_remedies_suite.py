import io
import math
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from flax import nnx
from rich.console import Console

from benchmarks import suites
from benchmarks.analysis import remedies as analysis
from benchmarks.cli.main import main
from benchmarks.learning import space
from benchmarks.learning.descents import Plain
from benchmarks.learning.learners import Adam
from benchmarks.running import search, store, trained_flow
from benchmarks.suites import base, compare, remedies, sizes
from benchmarks.suites.cells import EVERY
from benchmarks.suites.remedies import DELAYS, LINES, LONGEST, TRIALS
from tests.support.made_up import rows

SUITE = suites.load("remedies")


def test_every_line_is_run_on_every_task_at_every_delay():
    expected = {
        (name, T, line)
        for T in DELAYS
        for name, (_, shortest) in remedies.FAMILIES.items()
        for line in LINES
        if shortest <= T
    }
    found = {(e.task, e.delay, e.cell) for e in SUITE.experiments if e.delay < LONGEST}
    assert found == expected
    assert {each.trials for each in SUITE.experiments} == {TRIALS}


def test_the_longest_delay_is_run_where_the_one_before_was_solved(tmp_path, monkeypatch):
    line = dict.fromkeys(search.CHOSEN_COLUMNS, 1) | {"task": "adding", "delay": 200, "recipe": ""}
    choices = [line | {"cell": "gru", "solved": 1}, line | {"cell": "rnn", "solved": 0}]
    search.save(choices, tmp_path / "remedies")
    monkeypatch.setattr(remedies, "RESULTS", tmp_path)
    longest = [each for each in remedies._searched() if each.delay == LONGEST]
    assert [each.name for each in longest] == ["adding-500.gru"]
    assert math.isnan(longest[0].rate)  # it has not been searched itself
    known = [each for each in remedies._searched() if not math.isnan(each.rate)]
    assert [each.name for each in known] == ["adding-200.rnn", "adding-200.gru"]


def test_lines_name_those_that_lack_the_remedy():
    for name, line in LINES.items():
        if line.without is not None:
            assert LINES[line.without].source
            assert line.without != name
    assert [name for name, line in LINES.items() if line.without is None] == ["rnn", "rnn-descent"]


@pytest.mark.parametrize("name", ["rnn-leaky", "rnn-highway"])
def test_nets_that_start_orthogonally_are_beside_a_net_that_does(name):
    """Or what the start does would be called an effect of the remedy."""
    for line in (LINES[name], LINES[LINES[name].without]):
        cell = EVERY[line.cell](2, 8, rngs=nnx.Rngs(0))
        recurrent = cell.W_s if hasattr(cell, "W_s") else cell.W_hh
        for block in np.split(recurrent[...], recurrent.shape[1] // 8, axis=1):
            np.testing.assert_allclose(block @ block.T, np.eye(8), atol=1e-5)


def test_all_are_searched_alike():
    """The same rates for Adam and momentum, the same for plain descent; else what there is."""
    rates = {True: set(), False: set()}
    for name in LINES:
        each = remedies.experiment(remedies.points(100)[0], name)
        drawn = search.candidates((each,), 12, None).tried
        plain = isinstance(getattr(each.recipe.learner, "descent", None), Plain)
        rates[plain].add(tuple(one.rate for one in drawn))
        cell, learner = each.recipe.model.cell, each.recipe.learner
        expected = set(cell.settings)
        if isinstance(learner, Adam) or learner.guard:
            expected.add("clip")
        if "omega" in name or "stabiliser" in name or "nesterov" in name:
            expected.add("strength")
        assert {frozenset(one.settings.given()) for one in drawn} == {frozenset(expected)}
    assert [len(each) for each in rates.values()] == [1, 1]


def test_the_net_without_a_remedy_has_the_size_of_an_lstm_with_16_units():
    at_100 = [each for each in SUITE.experiments if each.delay == 100]
    target = {each.task: each.recipe for each in at_100 if each.cell == "lstm"}
    for each in at_100:
        task = each.recipe.task
        own, lstm = (
            sizes.weights(r.model.cell, r.model.hidden, task.n_in, task.n_out)
            for r in (each.recipe, target[each.task])
        )
        assert abs(own / lstm - 1) < 0.1


def test_tasks_are_those_of_compare_where_it_has_them():
    known = {point.name: point.task for point in compare.POINTS}
    found = {point.name: point.task for point in remedies.points(100)}
    assert {name: task for name, task in found.items() if name in known} == {
        name: known[name] for name in ("adding", "order-6a")
    }


def test_the_table_says_what_each_remedy_did():
    chosen = [each for each in SUITE.experiments if each.delay == 20 and each.task == "adding"]
    chosen = [replace(each, rate=0.01, trials=4) for each in chosen[:3]]
    needed = ([None] * 4, [100, 200, 300, 400], [100, None, None, None])
    found = pd.concat(
        [
            rows(each, *n, task=each.task, delay=each.delay, cell=each.cell)
            for each, n in zip(chosen, needed, strict=True)
        ]
    )
    shown = SUITE.shown(chosen, found)
    page = shown.page.partition("## What each remedy did")[2]
    assert "| rnn-norm-clip    | Pascanu et al. 2013" in page
    assert "4/4 (51% to 100%)" in page
    assert "\n* rnn-norm-clip: Solves 4 of 4 trials, more than without it (0 of 4)." in page
    assert "left before" not in page  # no gradient has been measured
    assert "rnn-skip" not in page


def test_the_table_says_how_an_error_flows_back(tmp_path):
    chosen = next(each for each in SUITE.experiments if each.name == "adding-20.rnn")
    chosen = replace(chosen, rate=0.01)
    labels = {name: getattr(chosen, name) for name in ("task", "delay", "cell", "digest")}
    lines = [
        {"experiment": chosen.name, "seed": 0, "networks": 3, "time": time, "distance": 20}
        | {"low": 0.1, "median": median, "high": 1.0}
        | labels
        for time, median in (("before", 0.25), ("after", 0.5))
    ]
    lines += [each | {"digest": "another", "median": 1e9} for each in lines]
    store.add(tmp_path / "flow" / "a.csv", lines, trained_flow.COLUMNS)
    found = rows(chosen, 100, task=chosen.task, delay=chosen.delay, cell=chosen.cell)
    shown = SUITE.shown([chosen], found, folders=[tmp_path])
    head, _, line = shown.page.partition("## What each remedy did")[2].splitlines()[2:5]
    names, entries = ([part.strip() for part in text.split("|")] for text in (head, line))
    assert dict(zip(names, entries, strict=True)) == {
        "": "",
        "remedy": "rnn",
        "source": LINES["rnn"].source,
        "solved": "1/1 (21% to 100%)",
        "left before": "0.25",
        "left after": "0.5",
    }
    assert "Of an error, 0.5 is left after training (0.25 before it)." in shown.page
    assert analysis.GRADIENT_RULES in shown.notes


def test_published_figures_of_its_remedies_stand_below(tmp_path, monkeypatch):
    chosen = next(each for each in SUITE.experiments if each.name == "adding-20.rnn")
    found = rows(chosen, 100, task=chosen.task, delay=chosen.delay, cell=chosen.cell)
    monkeypatch.setattr(base, "RESULTS", tmp_path)
    page = SUITE.shown([chosen], found).page.partition("## Published figures")[2]
    lines = [line for line in page.splitlines() if line.startswith("| ")]
    assert {line.split("|")[1].strip() for line in lines[1:]} == {
        "Pascanu et al. 2013",
        "Sutskever et al. 2013 (Table 5)",
    }
    assert all("| not run |" in line for line in lines[1:])
    (plain,) = (each for each in SUITE.anchors if each.name == "adding-ms11-80.rnn-0")
    own = rows(plain, *[None] * 4).assign(test_wrong=[30, 35, 45, 44])
    store.add(tmp_path / "anchors" / "trials" / "a.csv", own.to_dict("records"))
    shown = SUITE.shown([chosen], found)
    page = shown.page.partition("## Published figures")[2]
    assert sum("| agrees " in line for line in page.splitlines()) == 1
    console = Console(width=80, file=io.StringIO())
    console.print(shown.table)
    printed = console.file.getvalue()
    assert "Published figures beside ours" in printed
    assert "not run" not in printed  # what nobody has run stands on the page
    assert max(map(len, printed.splitlines())) <= 80


def test_misuse_is_one_line_and_status_2(tmp_path, capsys):
    assert main(["run", "remedies", "--layers", "2", "--out", str(tmp_path)]) == 2
    printed = capsys.readouterr()
    assert "Omega has no meaning for Stack" in printed.err
    assert printed.err.count("\n") == 1


def test_thresholds_and_strengths_are_within_the_space():
    for name, line in LINES.items():
        learner = line.learner(100)
        drawn = [each.settings for each in space.configurations([], 100, 24, learner=learner)]
        if name == "rnn-nesterov":
            assert all(0.9 <= each.strength < 1 for each in drawn)
        if name == "rnn-omega-clip":
            assert all(0.1 <= each.clip <= 10 and 0.1 <= each.strength <= 10 for each in drawn)
        if name in ("rnn", "rnn-window", "rnn-descent"):
            assert all(each.given() == {} for each in drawn)
