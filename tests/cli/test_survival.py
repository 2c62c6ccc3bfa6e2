"""Real runs in real processes that are killed, stopped, or lose what they write to."""

from benchmarks.check.studies import kills
from benchmarks.learning.lanes import Run
from benchmarks.running import store
from tests.support.training import train

LONG = kills.Case("tiny", "two-sequence-20.rnn", budget=25_000, trials=3, rate=1e-6)


def expected():
    """Rows of these trials and points of their curves, trained in this process."""
    runs = [Run(LONG.experiment, i) for i in range(LONG.trials)]
    blocks = [each for block in train(0, runs) for each in block]
    rows = store.frame([row for each in blocks for row in each.rows])
    points = [point for each in blocks for point in each.points]
    return rows, store.frame(points, store.CURVE_COLUMNS)


def test_a_run_that_is_killed_again_and_again_ends_with_the_same_rows(tmp_path):
    folder = tmp_path / "out"
    done, resumed = kills.killed(LONG, folder, tmp_path / "cache", kills=3, spread=1.0)
    assert done == resumed == 3
    rows, points = expected()
    found = store.read_suite(folder)
    assert found.drop(columns="seconds").equals(rows.drop(columns="seconds"))
    assert (found["seconds"] > 0).all()
    curves = store.read_curves(folder).sort_values(["trial", "sequences"], ignore_index=True)
    assert curves.equals(points.sort_values(["trial", "sequences"], ignore_index=True))
    assert not (folder / "checkpoints").exists()
