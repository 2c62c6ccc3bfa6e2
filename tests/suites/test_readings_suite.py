import io
import itertools

import numpy as np
import pandas as pd
import pytest
from rich.console import Console

from benchmarks import suites
from benchmarks.learning import learners
from benchmarks.learning.learners import Online
from benchmarks.learning.select import program
from benchmarks.suites import paper, readings
from benchmarks.suites.readings import CHOICES, ROWS
from models.lstm97.net import HalfReset97, Net97
from tests.support.made_up import rows

SUITE = suites.load("readings")
LITERAL = {each.row: each.experiment for each in paper.COMPARED}


def levels():
    """A row of +1 (not literal) and -1 for each reading."""
    return np.array([[1 if n in r else -1 for n in CHOICES] for r in readings.readings()])


def test_the_first_reading_is_the_literal_one_and_all_differ():
    found = readings.readings()
    assert found[0] == ()
    assert len(set(found)) == 16


def test_no_effect_is_mixed_up_with_one_of_another_choice_or_of_two():
    """Resolution IV: columns of one choice are orthogonal to all of one and of two."""
    table = levels()
    assert (table.sum(0) == 0).all()
    for one, *others in itertools.chain(
        itertools.permutations(range(6), 2), itertools.permutations(range(6), 3)
    ):
        assert table[:, one] @ table[:, others].prod(1) == 0


READ = [(each, each.experiment) for each in SUITE.compared]
LITERAL_OF = {each.experiment.digest: LITERAL[each.row].recipe for each in SUITE.compared}
PAPERS_MEAN = 74_000  # of row 7.1


def test_every_row_is_read_in_every_way_but_for_one_pair_of_choices():
    found = {(each.row, each.variant) for each, _ in READ}
    expected = {
        (row, "-".join(reading) or "literal")
        for row, reading in itertools.product(ROWS, readings.readings())
        if not ({"steps", "full"} <= set(reading) and row.startswith("1."))
    }
    assert found == expected
    assert len(READ) == len(expected)


def test_the_literal_reading_is_that_of_the_paper():
    own = {each.row: each.experiment for each, _ in READ if each.variant == "literal"}
    assert list(own) == list(ROWS)
    assert all(own[row].digest == LITERAL[row].digest for row in ROWS)


@pytest.mark.parametrize("choice", CHOICES)
def test_a_choice_changes_what_it_says_and_nothing_else(choice):
    for each, experiment in READ:
        old, new = LITERAL[each.row].recipe, experiment.recipe
        chosen = experiment.task.removeprefix(LITERAL[each.row].task).split("-")
        seen = {
            "plain": isinstance(new.learner, learners.PlainDelta),
            "half": isinstance(new.model, HalfReset97),
            "steps": new.learner.at_once,
            "full": isinstance(new.model, Net97) and not new.model.truncate,
            "small": new.model.init_range < old.model.init_range,
            "linear": isinstance(new.learner, learners.LinearOutput),
        }
        assert seen[choice] == (choice in chosen), each
        assert seen[choice] <= (choice in each.variant.split("-"))
    changed = {each.row for each, e in READ if choice in e.task.split("-")}
    assert (
        changed
        == {
            "plain": set(ROWS),
            "half": set(ROWS) - {"2.8", "2.9"},
            "steps": {row for row in ROWS if row[0] in "12"},
            "full": set(ROWS) - {"2.8", "2.9"},
            "small": set(ROWS),
            "linear": {row for row in ROWS if row[0] in "45678"},
        }[choice]
    )


def test_what_is_not_a_choice_is_as_in_the_paper():
    for each, experiment in READ:
        old, new = LITERAL[each.row], experiment
        for name in ("task", "criterion", "budget", "inspect_every", "milestone", "test_size"):
            assert getattr(new.recipe, name) == getattr(old.recipe, name)
        assert (new.rate, new.data_sets, new.trials) == (old.rate, old.data_sets, 10)


def test_weights_change_at_every_step_only_in_a_program_that_can():
    for _, experiment in READ:
        learner = experiment.recipe.learner
        assert isinstance(learner, Online)
        assert learner.forward or not learner.at_once
        assert program(experiment.recipe).weights == program(LITERAL_OF[experiment.digest]).weights


def test_the_table_fits_80_columns_and_counts_rows_that_agree():
    trials = [rows(e, *[PAPERS_MEAN] * 10) for _, e in READ if e.task.startswith("adding")]
    found = SUITE.shown(SUITE.experiments, pd.concat(trials))
    console = Console(file=io.StringIO(), width=80)
    console.print(found.table)
    lines = console.file.getvalue().splitlines()
    assert max(map(len, lines)) <= 80
    assert sum(" 1 " in line for line in lines) >= 16
    assert "What each choice changes" in found.page
