import subprocess
import sys
from pathlib import Path

import pandas as pd
import pytest

from benchmarks.errors import UsageError
from benchmarks.running import store

ROOT = Path(__file__).parents[2]


def row(trial, **changes):
    """A complete row; every column has a value of its type."""
    empty = {name: "x" if kind is str else 1 for name, kind in store.COLUMNS.items()}
    return empty | {"trial": trial, "outcome": "solved", "test_error": 0.25} | changes


def test_rows_come_back_as_they_were(tmp_path):
    path = tmp_path / "deep" / "a.csv"
    unsolved = row(1, sequences=None, outcome="spent", commit="")
    given = [row(0, task_fields="Adding(T=20, x='a,\"b'"), unsolved]
    store.add(path, given[1:])
    store.add(path, given[:1])
    back = store.read(path)
    assert list(back.columns) == list(store.COLUMNS)
    assert back["trial"].tolist() == [0, 1]
    assert back["task_fields"][0] == given[0]["task_fields"]
    assert back["commit"][1] == ""
    assert back["sequences"][0] == 1
    assert pd.isna(back["sequences"][1])


def test_a_row_that_is_there_stays(tmp_path):
    path = tmp_path / "a.csv"
    store.add(path, [row(0, seen=7)])
    store.add(path, [row(0, seen=8), row(0, seen=9, digest="other"), row(0, seen=10, seed=2)])
    assert sorted(store.read(path)["seen"]) == [7, 9, 10]


@pytest.mark.parametrize("known", [0, 4])
def test_an_older_file_has_blanks_in_columns_that_came_later(tmp_path, known):
    path = tmp_path / "a.csv"
    store.add(path, [row(0)])
    pd.read_csv(path).drop(columns=list(store.COLUMNS.added[known:])).to_csv(path, index=False)
    before = path.read_text()
    old = store.read(path)
    assert list(old.columns) == list(store.COLUMNS)
    assert old["jax_settings"].tolist() == [""]
    assert old["longer_2"].isna().all()
    assert path.read_text() == before
    store.add(path, [row(1, jax_settings="jax_enable_x64=True")])
    assert store.read(path)["jax_settings"].tolist() == ["", "jax_enable_x64=True"]
    assert store.read(path)["longer_2"].fillna(0).tolist() == [0, 1]


def test_a_copy_of_a_file_counts_once(tmp_path):
    for name in ("a", "copy of a"):
        store.add(tmp_path / "trials" / f"{name}.csv", [row(0), row(1)])
    assert store.read_suite(tmp_path)["trial"].tolist() == [0, 1]


def test_a_row_that_lacks_a_column_has_a_blank(tmp_path):
    bare = {name: value for name, value in row(0).items() if name not in store.COLUMNS.added}
    store.add(tmp_path / "a.csv", [bare])
    back = store.read(tmp_path / "a.csv")
    assert back["jax_settings"].tolist() == [""]
    assert back["scale"].isna().all()


def test_a_diverged_trial_without_test_error(tmp_path):
    store.add(tmp_path / "a.csv", [row(0, test_error=float("nan"))])
    assert store.read(tmp_path / "a.csv")["test_error"].isna().all()


def test_no_file_is_no_rows(tmp_path):
    assert store.read(tmp_path / "a.csv").empty
    assert list(store.read_suite(tmp_path).columns) == list(store.COLUMNS)


def point(trial, sequences, wrong, **changes):
    place = {"digest": "d", "seed": 0, "trial": trial, "sequences": sequences}
    return place | {"wrong": wrong, "error": 0.25} | changes


def test_curves_come_back_as_they_were(tmp_path):
    path = tmp_path / "curves" / "a.csv"
    given = [point(0, 40, 0.9), point(0, 80, 0.125), point(1, 40, 1.0, error=float("nan"))]
    store.add_curves(path, given[2:])
    store.add_curves(path, given[:2])
    back = store.read_curves(tmp_path)
    assert list(back.columns) == list(store.CURVE_COLUMNS)
    assert back["sequences"].tolist() == [40, 80, 40]
    assert back["wrong"].tolist() == [0.9, 0.125, 1.0]
    assert back["error"].isna().tolist() == [False, False, True]
    assert store.read_curves(tmp_path / "elsewhere").empty


def test_a_curve_is_replaced_as_a_whole(tmp_path):
    path = tmp_path / "a.csv"
    others = [point(0, 40, 0.3, seed=1), point(0, 40, 0.4, digest="e")]
    store.add_curves(path, [point(0, 40, 0.1), point(0, 80, 0.1), *others])
    store.add_curves(path, [point(0, 60, 0.2)])
    back = store.read(path, store.CURVE_COLUMNS)
    assert back[["sequences", "wrong"]].to_numpy().tolist() == [[60, 0.2], [40, 0.3], [40, 0.4]]


def test_rows_are_not_curves(tmp_path):
    store.add(tmp_path / "a.csv", [row(0)])
    with pytest.raises(UsageError, match="not a results file of this version"):
        store.add_curves(tmp_path / "a.csv", [point(0, 40, 0.9)])


@pytest.mark.parametrize("text", ["a,b\n1,2\n", "", "\x00\x01"])
def test_a_foreign_file_is_refused_and_left_alone(tmp_path, text):
    path = tmp_path / "a.csv"
    path.write_text(text)
    with pytest.raises(UsageError, match="not a results file of this version"):
        store.add(path, [row(0)])
    assert path.read_text() == text


def request(trials, **changes):
    return {"experiment": "a", "digest": "d", "seed": 0, "trials": trials} | changes


def test_the_most_that_was_asked_for_stays_on_record(tmp_path):
    assert store.read_requests(tmp_path).empty
    store.add_requests(tmp_path, [request(3), request(2, digest="e")])
    store.add_requests(tmp_path, [request(2), request(5, digest="e"), request(4, seed=1)])
    record = store.read_requests(tmp_path)
    assert record.to_dict("records") == [request(3), request(4, seed=1), request(5, digest="e")]


def test_a_trial_that_is_there_keeps_its_curve(tmp_path):
    """Two processes may have trained it, on machines that round differently."""
    files = tmp_path / "trials" / "a.csv", tmp_path / "curves" / "a.csv"
    mine = {"digest": "d", "seed": 0}
    store.add_trials(*files, [row(0, seen=7, **mine)], [point(0, 40, 0.1)])
    theirs = [row(0, seen=8, **mine), row(1, seen=9, **mine)]
    store.add_trials(*files, theirs, [point(0, 40, 0.2), point(1, 40, 0.3)])
    assert store.read_suite(tmp_path)["seen"].tolist() == [7, 9]
    assert store.read_curves(tmp_path)["wrong"].tolist() == [0.1, 0.3]


ADDING = """
import sys
from pathlib import Path
from tests.running.test_store import row
from benchmarks.running import store
for i in range(int(sys.argv[2]), int(sys.argv[3])):
    store.add(Path(sys.argv[1]), [row(i)])
"""


def test_two_processes_lose_no_row(tmp_path):
    path, count = tmp_path / "a.csv", 30
    shares = [(0, count), (count, 2 * count)]
    writers = [
        subprocess.Popen([sys.executable, "-c", ADDING, path, *map(str, share)], cwd=ROOT)
        for share in shares
    ]
    assert [each.wait(timeout=100) for each in writers] == [0, 0]
    assert store.read(path)["trial"].tolist() == list(range(2 * count))


def test_a_last_line_that_was_cut_is_left_out_and_told_once(tmp_path, capsys):
    path = tmp_path / "a.csv"
    store.add(path, [row(0), row(1)])
    text = path.read_text()
    path.write_text(text[:-1])  # in the last field, which is still one
    assert store.read(path)["trial"].tolist() == [0]
    assert store.read(path)["trial"].tolist() == [0]
    assert capsys.readouterr().err == f"benchmarks: {path}, line 3: cut off, and left out\n"
    store.add(path, [row(1)])
    assert path.read_text() == text
