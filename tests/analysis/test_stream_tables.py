from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from benchmarks import suites
from benchmarks.analysis import streams
from tests.support.made_up import of_streams, rows

SUITE = suites.load("streams")
KNOWN = {each.name: each for each in SUITE.experiments}


ROWS = of_streams(
    KNOWN["gers00-9.forget"], 10_000, 30_000, None, None, prefixes=[1e5, 1e5, 2000, 40]
)


def test_published_experiments_are_those_of_the_suite():
    reference = pd.read_csv(streams.REFERENCE)
    assert set(reference["experiment"]) <= set(KNOWN)
    assert (reference[["perfect", "good", "rest"]].sum(axis=1) == 100).all()


def test_ours_stands_beside_the_published_figures():
    table = streams.published(SUITE.experiments, ROWS).set_index("algorithm")
    line = table.loc["LSTM with forget gates"]
    assert line["perfect"] == "18 %"
    assert line["ours"] == "2/4 (15% to 85%)"
    assert line["verdict"] == "agrees"
    assert (line["streams"], line["our streams"]) == ("18.9k", "7.5k")
    assert (line["good"], line["our good"]) == ("29 %, 39.2k", "25 %, 2k")
    assert (line["rest"], line["our rest"]) == ("53 %, 145", "25 %, 40")
    assert (table.drop(index="LSTM with forget gates")["ours"] == "not run").all()


@pytest.mark.parametrize(
    ("perfect", "solved", "trials", "expected"),
    [
        (74, 74, 100, "agrees"),
        (74, 0, 100, "fewer"),
        (0, 100, 100, "more"),
        (0, 0, 100, "agrees"),
        (74, 62, 100, "agrees"),  # Fisher: p = .095
        (74, 59, 100, "fewer"),  # p = .036
    ],
)
def test_verdicts(perfect, solved, trials, expected):
    assert streams.verdict(perfect, solved, trials) == expected


def test_figures_of_streams():
    (line,) = streams.summary(SUITE.experiments, ROWS).to_dict("records")
    assert (line["solved"], line["trials"], line["streams"]) == (2, 4, 7500)
    assert line["prefix"] == (2e5 + 2040) / 4
    assert line["reach"] == 64
    shown = streams.readable(streams.summary(SUITE.experiments, ROWS)).iloc[0]
    assert shown["perfect"] == "2/4"
    assert (shown["bits"], shown["bits of 4"], shown["reach"]) == ("0.700", "1.000", "64")


def test_a_net_that_looks_further_back_than_was_measured():
    far = ROWS.assign(context_64=0.9, context_16=0.9)
    lines = streams.summary(SUITE.experiments, far)
    assert np.isinf(lines["reach"]).all()
    assert streams.readable(lines)["reach"].tolist() == ["> 64"]


def test_rows_of_sequences_have_no_figures_of_streams():
    plain = rows(KNOWN["order-6b-100.standard"], 1000)
    assert streams.summary(SUITE.experiments, plain).empty


def test_another_budget_is_not_beside_the_published_figures():
    each = KNOWN["gers00-9.forget"]
    other = replace(each, recipe=replace(each.recipe, budget=5000))
    found = of_streams(other, None, None, prefixes=[5, 6])
    page = SUITE.shown([other], found).page
    assert "0/2" in page
    assert "fewer" not in page.partition("## Published figures")[2]


def test_streams_are_not_called_at_chance():
    lost = of_streams(KNOWN["quotes-10.rnn"], None, None, prefixes=[5, 6])
    assert not SUITE.shown(SUITE.experiments, lost).lines["at_chance"].any()
    order = rows(KNOWN["order-6b-100.standard"], None, None)
    assert SUITE.shown(SUITE.experiments, order).lines["at_chance"].any()


def test_the_page_and_the_table():
    shown = SUITE.shown(SUITE.experiments, ROWS)
    for text in ("## Predictions", "## Published figures", "2/4 (15% to 85%)", "74 %"):
        assert text in shown.page
    assert streams.RULES in shown.notes
    plain = rows(KNOWN["order-6b-100.standard"], 1000)
    assert "## Predictions" not in SUITE.shown(SUITE.experiments, plain).page
