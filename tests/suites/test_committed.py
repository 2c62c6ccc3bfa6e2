"""No committed row is orphaned: moving or renaming code must not change what an experiment is."""

import pytest

from benchmarks import suites
from benchmarks.running import search, store
from benchmarks.suites import compare
from benchmarks.suites.common import RESULTS

COMMITTED = [name for name in suites.names() if (RESULTS / name / "trials").is_dir()]


def require_current(folder, experiments, columns):
    digests = {each.name: each.digest for each in experiments}
    files = sorted((folder / "trials").glob("*.csv"))
    assert files
    for path in files:
        rows = store.read(path, columns)
        assert path.stem in digests, f"{path.name} has rows of no experiment"
        assert set(rows["digest"]) == {digests[path.stem]}, path.name
        assert set(rows["experiment"]) == {path.stem}


@pytest.mark.parametrize("name", COMMITTED)
def test_committed_rows_are_of_todays_experiments(name):
    suite = suites.load(name)
    require_current(RESULTS / name, suite.experiments, suite.columns)


def test_committed_rows_of_the_search_are_of_todays_candidates():
    folder = RESULTS / "compare" / "search"
    rows = store.read_suite(folder)
    assert {path.stem for path in folder.glob("trials/*.csv")} == set(rows["experiment"])
    named = {each.name: each for each in compare.EXPERIMENTS}
    for name, digests in rows.groupby("experiment")["digest"]:
        wanted = search.candidates((named[name],), compare.CONFIGURATIONS, RESULTS / "compare")
        assert set(digests) <= {each.digest for each in wanted.tried}


def test_these_suites_have_committed_rows():
    trained = {
        "anchors",
        "compare",
        "fidelity",
        "guesses",
        "guessing",
        "lags",
        "latch",
        "paper",
        "quick",
    }
    studies = {"best-readings", "gradient-flow", "readings", "remedies", "rivals", "streams"}
    assert set(COMMITTED) == trained | studies
