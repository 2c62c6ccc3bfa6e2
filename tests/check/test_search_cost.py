from dataclasses import replace

import pytest

from benchmarks import suites
from benchmarks.check.studies import search_cost
from benchmarks.running import search


@pytest.mark.slow
def test_a_search_is_compared_with_as_many_trials_of_equal_settings(monkeypatch):
    monkeypatch.setattr(search_cost, "COUNT", 5)
    known = {each.name: each for each in suites.load("compare").experiments}
    base = search.untested(known["copy-100.lstm"])
    found = search_cost.line(replace(base, recipe=replace(base.recipe, budget=2000)))
    assert found["trials"] == str(5 + search.FINALISTS * search.MORE_TRIALS)
    ours, theirs = (
        float(found[name].split(", ")[1].split()[0]) for name in ("search", "equal settings")
    )
    assert float(found["search / equal settings"]) == pytest.approx(ours / theirs, abs=0.01)
