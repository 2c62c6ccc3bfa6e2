import re

import pandas as pd
import pytest

from benchmarks import suites
from benchmarks.analysis import published
from tests.support.made_up import rows

EXPERIMENTS = {each.name: each for each in suites.load("anchors").experiments}


def test_every_anchor_stands_beside_a_figure_and_the_other_way_round():
    named = set(published.reference()["experiment"]) - {""}
    assert named == set(EXPERIMENTS)
    measures = {each.partition(" (")[0] for each in published.reference()["measure"]}
    assert set(published.FIGURES) <= measures


def test_names_of_tasks_and_cells_are_those_of_the_experiments():
    for line in published.reference().itertuples():
        if line.experiment:
            assert line.experiment.partition(".")[2].startswith(line.cell)
            assert str(EXPERIMENTS[line.experiment].delay) in re.findall(r"\d+", line.delay)


CASES = {
    "adding-bai18-600.gru": (
        "test MSE (chance 0.167)",
        "error 0.17, MSE >= 2.9e-02",
    ),
    "adding-ms11-80.rnn-0": ("zero-one loss", "0.23"),
    "order-pascanu13-200.rnn": ("curve", "2/3 solved, median 200"),
    "adding-pascanu13-200.rnn-omega": ("solved", "2/3"),
    "copy-arjovsky16-100.lstm": ("curve", "2/3 solved, median 200"),
}


@pytest.mark.parametrize("name", CASES)
def test_ours_is_what_the_source_measures(name):
    measure, text = CASES[name]
    own = rows(EXPERIMENTS[name], 100, 200, None)
    found = published.beside(list(EXPERIMENTS.values()), own)
    line = found[published.reference()["experiment"] == name].set_index("measure").loc[measure]
    assert line["verdict"] == ""  # trials are missing, or there is nothing to compare
    absent = EXPERIMENTS[name].trials - 3
    assert line["ours"] == text + f" ({absent} trials have not been run)" * (absent > 0)
    others = found[published.reference()["experiment"] != name]
    assert set(others["ours"]) == {"not run"}


def test_longer_sequences_are_those_of_solved_networks():
    name = "order-pascanu13-200.rnn-omega"
    own = rows(EXPERIMENTS[name], 100, 200, None, 300, 300)
    own["longer_25"] = pd.array([1.0, 0.5, None, 0.9, 0.8], dtype="Float64")
    found = published.beside([EXPERIMENTS[name]], own).set_index("measure")
    assert found.loc["right at length 5000", "ours"] == "80% at 1250 to 5000"
    none = published.beside([EXPERIMENTS[name]], rows(EXPERIMENTS[name], *[None] * 5))
    assert none.set_index("measure").loc["right at length 5000", "ours"] == "none solved"


OMEGA, PLAIN = "adding-pascanu13-200.rnn-omega", "adding-ms11-80.rnn-0"
ONE_TO_ONE = {
    "5 of 5 as published": (OMEGA, [100] * 5, {}, "agrees"),
    "4 of 5 could be as good as 5 of 5": (OMEGA, [100] * 4 + [None], {}, "agrees"),
    "0 of 5 could not": (OMEGA, [None] * 5, {}, "disagrees"),
    "a trial is missing": (OMEGA, [100] * 4, {}, ""),
    "0.39 is inside": (PLAIN, [None] * 4, {"test_wrong": [30, 35, 45, 44]}, "agrees"),
    "0.39 is above": (PLAIN, [None] * 4, {"test_wrong": [20, 21, 19, 20]}, "disagrees"),
}


@pytest.mark.parametrize("case", ONE_TO_ONE)
def test_the_verdict_is_whether_the_figure_lies_in_our_interval(case):
    name, sequences, columns, verdict = ONE_TO_ONE[case]
    own = rows(EXPERIMENTS[name], *sequences).assign(**columns)
    found = published.beside(list(EXPERIMENTS.values()), own)
    assert list(found["verdict"][published.reference()["experiment"] == name]) == [verdict]


def test_longer_sequences_have_a_verdict_of_their_own():
    name = "order-pascanu13-200.rnn-omega"
    for share, verdict in ((1.0, "agrees"), (0.6, "disagrees")):
        own = rows(EXPERIMENTS[name], *[100] * 5)
        own["longer_25"] = pd.array([share, share, share, share, share - 0.01], dtype="Float64")
        found = published.beside([EXPERIMENTS[name]], own).set_index("measure")
        assert found.loc["right at length 5000", "verdict"] == verdict


def test_figures_are_those_of_whoever_a_text_begins_with():
    found = published.beside([], rows(EXPERIMENTS[PLAIN], 100))
    texts = ["Tallec & Ollivier 2018, the chrono start", "after Bai et al. 2018"]
    chosen = published.proposed_by(found, texts)
    assert set(chosen["source"]) == {"Tallec & Ollivier 2018"}


def test_the_page_of_the_anchors_has_the_published_figures():
    suite = suites.load("anchors")
    own = rows(EXPERIMENTS["adding-bai18-600.gru"], *[100] * 5)
    page = suite.shown(suite.experiments, own).page
    assert "| Sutskever et al. 2013 (Table 5) |" in page
    assert "5.3e-5" in page
    assert page.rstrip().endswith(published.RULES)
