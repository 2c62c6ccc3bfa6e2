import math

import pandas as pd
import pytest

from benchmarks.analysis import settings, tables
from benchmarks.learning.descents import Plain
from benchmarks.learning.remedies import Remedied
from tests.support.made_up import rows
from tests.support.tiny import experiment

SETTINGS = {
    "memory 400": {"memory_low": 400.0, "memory_high": 400.0},
    "memory 2-31.6": {"memory_low": 2.0, "memory_high": 31.62},
    "scale 0.9": {"scale": 0.9},
    "": {},
}


@pytest.mark.parametrize("start", SETTINGS)
@pytest.mark.parametrize(("rate", "shown"), [(0.003, "0.003"), (0.09, "0.09*"), (4e-4, "0.0004*")])
def test_what_was_chosen_stands_in_the_long_table(start, rate, shown):
    tried = experiment(rate=rate)
    made = rows(
        tried, 100, 200, None, clip=math.inf, model="R(cell=x, hidden=7)", **SETTINGS[start]
    )
    made.loc[:1, "longer_2"] = [1.0, 0.5]
    (line,) = tables.long(tables.summary([tried], made)).to_dict("records")
    assert line["start"] == start
    assert line["rate"] == shown
    assert line["clip"] == "none"
    assert line["units"] == "7"
    assert (line["x2"], line["x5"]) == ("75%", "")


@pytest.mark.parametrize(("rate", "shown"), [(0.0012, "0.0012*"), (0.09, "0.09"), (0.9, "0.9*")])
def test_the_ends_are_those_of_the_learner(rate, shown):
    tried = experiment(rate=rate)
    made = rows(tried, 100, clip=1.0, learner=repr(Remedied(descent=Plain())))
    (line,) = tables.long(tables.summary([tried], made)).to_dict("records")
    assert line["rate"] == shown


def test_rates_that_nobody_searched_are_at_no_end():
    tried = [experiment(rate=rate) for rate in (0.0, 0.01, 0.09)]
    made = pd.concat([rows(each, 100) for each in tried])
    assert not tables.summary(tried, made)["rate_at_end"].any()


def test_tables_of_suites_that_were_not_searched_have_no_such_columns():
    tried = experiment()
    lines = tables.summary([tried], rows(tried, 100))
    assert {"start", "x2", "clip"}.isdisjoint(tables.long(lines).columns)
    assert settings.NOTE not in tables.page("s", "t", lines, "")
