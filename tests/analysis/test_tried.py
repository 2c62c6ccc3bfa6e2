import importlib.util
import math

import pytest

from benchmarks.analysis import tried
from benchmarks.learning import space
from benchmarks.learning.descents import NormClip, ScheduledNesterov
from benchmarks.learning.penalties import Omega
from benchmarks.learning.remedies import Remedied
from tests.support.made_up import DELAY, rows, searched
from tests.support.tiny import experiment

BUDGET = experiment().recipe.budget


def test_a_configuration_is_a_line():
    own = experiment()
    settings = {"clip": math.inf, "memory_low": 2.0, "memory_high": 50.0}
    made = rows(own, 100, None, task="t", delay=9, cell="a", learner="x", **settings)
    (line,) = tried.configurations(made).to_dict("records")
    absent = ("scale", "threshold", "strength", "momentum")
    assert all(math.isnan(line.pop(name)) for name in absent)
    assert line == {
        "task": "t-9",
        "delay": 9,
        "cell": "a",
        "learner": "x",
        "digest": own.digest,
        "rate": own.rate,
        "clip": math.inf,
        "memory": 50.0,
        "range": True,
        "solved": 1,
        "trials": 2,
        "sequences": (100 + BUDGET) / 2,
        "budget": BUDGET,
    }


def test_the_summary_counts_configurations():
    lines = tried.configurations(searched(lambda drawn: 50 if drawn.rate > 0.01 else None))
    (line,) = tried.summary(lines).to_dict("records")
    rates = [drawn.rate for drawn in space.configurations(("memory",), DELAY, 24)]
    assert line["configurations"] == 24
    assert line["with_success"] == sum(rate > 0.01 for rate in rates)


PLANTED = {
    "rate": lambda drawn: 20 if drawn.rate > 0.005 else 390,
    "memory": lambda drawn: 20 if drawn.settings.memory[1] > 40 else 390,
    "clip": lambda drawn: 20 if drawn.settings.clip == 1 else None,
    "range": lambda drawn: 20 if drawn.settings.memory[0] < drawn.settings.memory[1] else 390,
}


@pytest.mark.parametrize("name", PLANTED)
def test_the_setting_that_decides_is_the_important_one(name):
    (line,) = tried.importances(tried.configurations(searched(PLANTED[name]))).to_dict("records")
    assert line["cell"] == "lstm"
    assert line[name] > 0.7
    assert math.isnan(line["scale"])
    assert sum(line[each] for each in PLANTED) == pytest.approx(1)


def test_cells_without_memory_have_their_scale():
    cost = lambda drawn: 20 if drawn.settings.scale > 0.99 else 390  # noqa: E731
    (line,) = tried.importances(tried.configurations(searched(cost, ("scale",)))).to_dict("records")
    assert line["scale"] > 0.7
    assert math.isnan(line["memory"])
    assert math.isnan(line["range"])


def remedied(learner, cost):
    """Lines of a search with a learner."""
    made = searched(cost, ("scale",), count=24, learner=learner)
    return tried.configurations(made)


def test_numbers_of_remedies_are_told_apart():
    own = [drawn.settings for drawn in space.configurations((), DELAY, 24, learner=CLIPPED)]
    lines = remedied(CLIPPED, lambda drawn: 20)
    assert lines["threshold"].tolist() == [each.clip for each in own]
    assert lines["strength"].tolist() == [each.strength for each in own]
    assert lines[["clip", "momentum"]].isna().all(axis=None)
    momenta = remedied(SCHEDULED, lambda drawn: 20)
    assert momenta["momentum"].between(0.001, 0.1).all()
    assert momenta[["clip", "threshold", "strength"]].isna().all(axis=None)


CLIPPED = Remedied(guard=NormClip(), penalty=Omega())
SCHEDULED = Remedied(descent=ScheduledNesterov())


@pytest.mark.parametrize(
    ("name", "learner", "cost", "without"),
    [
        ("strength", CLIPPED, lambda drawn: 20 if drawn.settings.strength > 1 else 390, "momentum"),
        ("threshold", CLIPPED, lambda drawn: 20 if drawn.settings.clip > 1 else 390, "clip"),
        (
            "momentum",
            SCHEDULED,
            lambda drawn: 20 if drawn.settings.strength > 0.99 else 390,
            "clip",
        ),
    ],
)
def test_the_number_of_a_remedy_that_decides_is_the_important_one(name, learner, cost, without):
    (line,) = tried.importances(remedied(learner, cost)).to_dict("records")
    assert line[name] > 0.6
    assert math.isnan(line[without])


def test_nothing_is_important_where_nothing_was_solved():
    assert tried.importances(tried.configurations(searched(lambda drawn: None, count=4))).empty


def test_without_the_libraries_importance_cannot_be_told(monkeypatch):
    assert tried.can_tell_importance()
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: None)
    assert not tried.can_tell_importance()
