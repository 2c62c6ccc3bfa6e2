import math
from dataclasses import replace

import pandas as pd
import pytest

from benchmarks.analysis import settings, tables
from benchmarks.analysis.settings import Searched
from benchmarks.learning.descents import NormClip, Plain, ScheduledNesterov
from benchmarks.learning.penalties import Omega
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
    others = {"clip": math.inf, "model": "R(cell=x, hidden=7)", "delay": 100}
    made = rows(tried, 100, 200, None, **others, **SETTINGS[start])
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


@pytest.mark.parametrize(
    ("numbers", "shown"),
    [
        ({"scale": 1.35}, "scale 1.35*"),
        ({"scale": 0.55}, "scale 0.55*"),
        ({"scale": 1.3}, "scale 1.3"),
        ({"memory_low": 2.0, "memory_high": 20.0}, "memory 2-20*"),  # of 2 to 21.5
        ({"memory_low": 2.0, "memory_high": 15.0}, "memory 2-15"),
        ({"memory_low": 2.3, "memory_high": 2.3}, "memory 2.3*"),
    ],
)
def test_starts_at_an_end_have_a_star(numbers, shown):
    tried = experiment()
    made = rows(tried, 100, delay=2, clip=1.0, **numbers)
    (line,) = tables.long(tables.summary([tried], made)).to_dict("records")
    assert (line["start"], line["clip"]) == (shown, "1")


@pytest.mark.parametrize(
    ("learner", "numbers", "clip", "start"),
    [
        (Remedied(guard=NormClip()), {"clip": 9.0}, "9*", ""),
        (Remedied(guard=NormClip()), {"clip": 1.0}, "1", ""),
        (Remedied(penalty=Omega()), {"strength": 0.12}, "none", "strength 0.12*"),
        (
            Remedied(penalty=Omega()),
            {"strength": 2.0, "scale": 1.4},
            "none",
            "scale 1.4*, strength 2",
        ),
        (Remedied(descent=ScheduledNesterov()), {"strength": 0.9989}, "none", "momentum 0.9989*"),
        (Remedied(descent=ScheduledNesterov()), {"strength": 0.91}, "none", "momentum 0.91*"),
        (Remedied(descent=ScheduledNesterov()), {"strength": 0.99}, "none", "momentum 0.99"),
    ],
)
def test_numbers_of_remedies_at_an_end_have_a_star(learner, numbers, clip, start):
    tried = experiment()
    made = rows(tried, 100, learner=repr(learner), **numbers)
    (line,) = settings.columns(tables.summary([tried], made)).to_dict("records")
    assert (line["clip"], line["start"]) == (clip, start)


def test_how_much_of_the_search_was_solved_stands_in_the_long_table_and_by_cell():
    tried = [
        replace(experiment(rate=rate), cell=cell, task=task)
        for rate, cell, task in ((0.01, "a", "x"), (0.02, "a", "y"), (0.03, "b", "x"))
    ]
    made = pd.concat([rows(each, 100, clip=1.0) for each in tried])
    found = {tried[0].digest: Searched(10, 24), tried[1].digest: Searched(0, 12)}
    lines = tables.summary(tried, made, found)
    long = tables.long(lines).set_index(["task", "cell"])
    assert long["tried"].to_dict() == {
        ("x-10", "a"): "10/24",
        ("y-10", "a"): "0/12",
        ("x-10", "b"): "",
    }
    assert settings.by_cell(lines) == {"a": "10/36"}
    unknown = tables.summary(tried, made)
    assert "tried" not in tables.long(unknown)
    assert settings.by_cell(unknown) == {}


def test_rates_that_nobody_searched_are_at_no_end():
    tried = [experiment(rate=rate) for rate in (0.0, 0.01, 0.09)]
    made = pd.concat([rows(each, 100) for each in tried])
    assert not tables.summary(tried, made)["rate_at_end"].any()


def test_tables_of_suites_that_were_not_searched_have_no_such_columns():
    tried = experiment()
    lines = tables.summary([tried], rows(tried, 100))
    assert {"start", "x2", "clip"}.isdisjoint(tables.long(lines).columns)
    assert settings.NOTE not in tables.page("s", "t", lines, "")
