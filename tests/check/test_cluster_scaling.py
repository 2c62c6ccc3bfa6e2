"""The model of many workers, on parts whose end can be told by hand."""

import pytest

from benchmarks.check.studies import cluster_scaling
from benchmarks.check.studies.cluster_scaling import Costs, model_line, seconds_known, whole
from benchmarks.learning.lanes import Run
from benchmarks.running import store
from tests.running.test_store import row
from tests.support.tiny import experiment

FIRST, SECOND = experiment(rate=0.1, trials=2), experiment(rate=0.2, trials=3)


@pytest.mark.parametrize(
    ("count", "seconds"), [(1, 1 + 5 + 1 + 3 + 1 + 2), (2, 1 + 3 + 1 + 2), (3, 6), (9, 6)]
)
def test_the_next_part_begins_with_the_first_worker_that_is_free(count, seconds):
    assert whole([[4, 1], [3], [2]], count, start=1) == seconds


def test_only_experiments_with_all_of_their_rows_count():
    rows = [row(i, digest=FIRST.digest, seed=0, seconds=i + 1.0) for i in range(2)]
    rows += [row(i, digest=SECOND.digest, seed=0, seconds=9.0) for i in range(2)]
    rows += [row(2, digest=SECOND.digest, seed=1, seconds=9.0)]
    known = seconds_known([FIRST, SECOND], store.frame(rows))
    assert known == {Run(FIRST, 0): 1.0, Run(FIRST, 1): 2.0}


def test_a_line_of_the_model():
    took = {Run(FIRST, 0): 120.0, Run(FIRST, 1): 60.0}
    line = model_line("it", [list(took)], took, 1000, Costs(start=60.0, call=0.5, message=0.002))
    assert line == {
        "suite": "it",
        "jobs": 1,
        "workers": 1000,
        "parts": 2,
        "minutes": "3.0",
        "speed-up": "1.3",
        "longest trial": "2.0 min",
        "sending calls": "1.0 s",
        "client busy": "20%",
    }


def test_the_page_has_a_place_for_each_of_its_tables():
    page = cluster_scaling.PAGE.read_text()
    for part in ("scaling", "costs", "model"):
        assert cluster_scaling.document.spliced(page, part, "new") != page
