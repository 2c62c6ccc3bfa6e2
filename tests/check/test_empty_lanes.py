"""How full lanes are, on times whose sum can be told by hand."""

import pandas as pd
import pytest

from benchmarks import suites
from benchmarks.check.studies import document, empty_lanes
from benchmarks.check.studies.empty_lanes import NARROW, Trained, jobs, shared, sharing, span


@pytest.mark.parametrize(
    ("times", "long"),
    [
        ([3.0], NARROW * 3),  # 8 lanes are enough from the beginning
        ([1.0] * 8, NARROW),
        ([1.0] * 9, 1.0),
        ([2.0] * 16, 2.0),
        ([1.0] * 20, 1 + NARROW),  # 16, then 4
        ([1.0] * 8 + [4.0] * 8, 1 + NARROW * 3),
        ([1.0] * 15 + [5.0], 1 + NARROW * 4),
    ],
)
def test_trials_take_lanes_in_turn_and_the_last_eight_half_as_many(times, long):
    assert span(times) == pytest.approx(long)


def test_full_lanes_are_in_use_all_the_time_and_the_last_ones_for_half_of_it():
    assert Trained((), (5.0,) * 16, 60.0).busy == 1
    assert Trained((), (5.0,) * 20, 60.0).busy == pytest.approx(20 / 16 / (1 + NARROW))


def test_trials_of_two_jobs_fill_each_others_lanes():
    ten, six = Trained((), (1000.0,) * 10, 90.0), Trained((), (50.0,) * 6, NARROW * 90.0)
    assert six.times == pytest.approx([90.0] * 6)
    assert shared([ten, six]) == pytest.approx(90.0)


def test_rates_share_a_job_and_tasks_with_one_net_and_length_could_share_lanes():
    experiments = suites.load("paper").experiments
    rows = pd.DataFrame(
        [{"digest": e.digest, "seen": 100.0, "seconds": 1.0} for e in experiments for _ in "ab"]
    )
    found = jobs(experiments, rows)
    together = [{e.name.removesuffix(".lstm97") for e in job.experiments} for job in found]
    assert {"reber-3x2-01-9", "reber-3x2-02-9", "reber-3x2-05-9"} in together
    assert not any(name.startswith(("lag-2a", "lag-2b")) for names in together for name in names)
    assert {job.seconds for job in found} == {2.0, 4.0, 6.0}
    groups = [{e.name for job in group for e in job.experiments} for group in sharing(found)]
    assert {"multiplication-13-100.lstm97", "multiplication-140-100.lstm97"} in groups
    assert {"adding-100.lstm97"} in groups


def test_the_page_says_what_the_committed_rows_tell():
    page = empty_lanes.PAGE.read_text()
    rows = empty_lanes.store.read_suite(empty_lanes.RESULTS / "paper")
    assert document.spliced(page, "lanes", empty_lanes.text(rows)) == page
