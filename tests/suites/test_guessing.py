import io
import math
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from rich.console import Console

from benchmarks import suites
from benchmarks.analysis import paper_rows
from benchmarks.analysis.paper_rows import comparison, readable
from benchmarks.learning.select import program
from tasks import two_sequence
from tests.support.drawing import draw
from tests.support.made_up import rows

SUITE = suites.load("guessing")
PAPER = paper_rows.reference()
LITERAL = [each for each in SUITE.compared if not each.variant]
VARIANTS = [each for each in SUITE.compared if each.variant]


@pytest.mark.parametrize("each", LITERAL, ids=lambda each: each.row)
def test_an_experiment_is_the_row_of_the_source(each):
    theirs, recipe = PAPER.loc[each.row], each.experiment.recipe
    assert program(recipe).weights == int(theirs["weights"])
    assert recipe.test_size == theirs["test_size"]
    for name in ("T", "N"):
        if pd.notna(theirs[name]):
            assert getattr(recipe.task, name) == theirs[name]
    if pd.notna(theirs["sequences"]):
        assert recipe.budget >= 5 * theirs["sequences"]


def test_figures_that_are_not_verified_are_not_shown():
    trials = pd.concat(rows(each.experiment, *[1000] * 40) for each in SUITE.compared)
    lines = comparison(SUITE.compared, trials)
    tomita = lines["task"].str.startswith("tomita")
    assert tomita.sum() == 6
    assert set(lines.loc[tomita, "verdict"]) == {"no figure"}
    assert "no figure" not in set(lines.loc[~tomita, "verdict"])
    text = readable(lines)
    assert set(text.loc[tomita, "paper"]) == set(text.loc[tomita, "ratio"]) == {""}
    assert np.isnan(lines.loc[tomita, "ratio"]).all()
    console = Console(file=io.StringIO(), width=80)
    console.print(paper_rows.terminal(lines, SUITE.title))
    assert "nan" not in console.file.getvalue()


def test_a_variant_changes_the_task_alone():
    literal = {each.row: each.experiment for each in LITERAL}
    for each in VARIANTS:
        recipe, of_row = each.experiment.recipe, literal[each.row].recipe
        assert recipe.task != of_row.task
        assert replace(recipe, task=of_row.task) == of_row
        assert recipe.task.steps == of_row.task.steps
    assert [each.row for each in VARIANTS] == ["G.1", "G.2", "G.3", "G.4", "G.3", "G.4"]


def test_noise_of_a_training_set_exceeds_its_signal_unless_it_is_quiet():
    loud, quiet = (
        draw(task, 100).inputs[:, 1:]
        for task in (two_sequence.GUESSING01_500_1, two_sequence.GUESSING01_500_1_QUIET)
    )
    assert 1.6 < loud.max() < 2.3  # as note G6 says: 4.2 standard deviations
    assert 0.7 < quiet.max() < 1.0
    assert 0.5 * math.erfc(1 / 0.2 / math.sqrt(2)) < 1e-6  # wrong signs if Table 5 were quiet
