"""The suite of the two readings that suite `readings` chooses."""

import pandas as pd
import pytest

from benchmarks import suites
from benchmarks.analysis import paper_rows
from benchmarks.analysis import readings as agreeing
from benchmarks.running import store
from benchmarks.suites import best_readings, paper, readings
from benchmarks.suites.common import RESULTS
from tests.support.made_up import rows

SUITE = suites.load("best-readings")
LITERAL = {each.row: each.experiment for each in paper.COMPARED}


def test_the_readings_are_those_that_the_rule_chooses_from_the_committed_rows():
    lines = paper_rows.comparison(readings.COMPARED, store.read_suite(RESULTS / "readings"))
    assert not lines["missing"].any()
    chosen = agreeing.agreement(lines)["reading"].head(2).tolist()
    assert ["-".join(each) for each in best_readings.BEST] == chosen


def test_all_rows_of_the_paper_are_read_with_its_numbers_of_trials():
    for reading in best_readings.BEST:
        own = [each for each in SUITE.compared if each.variant == "-".join(reading)]
        assert [each.row for each in own] == list(LITERAL)
        assert all(each.experiment.trials == LITERAL[each.row].trials for each in own)


def test_rows_of_the_screening_are_read_as_there():
    screened = {(each.row, each.variant): each.experiment.digest for each in readings.COMPARED}
    both = {(each.row, each.variant): each.experiment.digest for each in SUITE.compared}
    common = screened.keys() & both.keys()
    assert len(common) == 2 * len(readings.ROWS)
    assert all(screened[each] == both[each] for each in common)


@pytest.fixture
def one_agrees():
    """Rows of 7.2, which did not decide the choice: the paper's mean in every trial."""
    mean = paper_rows.reference().loc["7.2", "sequences"]
    own = {each.experiment for each in SUITE.compared if each.row == "7.2"}
    return pd.concat(rows(each, *[mean] * each.trials) for each in own)


def test_the_page_counts_rows_that_did_not_decide_apart(one_agrees):
    page = SUITE.shown(SUITE.experiments, one_agrees).page
    assert "the most of 18 rows" in page
    _, all_rows, others = page.split("## Rows that agree")
    for part in (all_rows, others):
        assert part.count("|      1 |  1 (1-1) |") == 2
