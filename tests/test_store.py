import os

import pandas as pd
import pytest

from benchmarks import store
from benchmarks.errors import UsageError


def row(trial, **changes):
    """A complete row; every column has a value of its type."""
    empty = {name: "x" if kind is str else 1 for name, kind in store.COLUMNS.items()}
    return empty | {"trial": trial, "test_error": 0.25} | changes


def test_rows_come_back_as_they_were(tmp_path):
    path = tmp_path / "deep" / "a.csv"
    given = [row(0, task_fields="Adding(T=20, x='a,\"b'"), row(1, sequences=None, commit="")]
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


def test_a_diverged_trial_without_test_error(tmp_path):
    store.add(tmp_path / "a.csv", [row(0, test_error=float("nan"))])
    assert store.read(tmp_path / "a.csv")["test_error"].isna().all()


def test_no_file_is_no_rows(tmp_path):
    assert store.read(tmp_path / "a.csv").empty
    assert list(store.read_suite(tmp_path).columns) == list(store.COLUMNS)


@pytest.mark.parametrize(
    "text", ["a,b\n1,2\n", "", "\x00\x01", ",".join(store.COLUMNS) + "\n" + "words," * 27 + "\n"]
)
def test_a_foreign_file_is_refused_and_left_alone(tmp_path, text):
    path = tmp_path / "a.csv"
    path.write_text(text)
    with pytest.raises(UsageError, match="not a results file of this version"):
        store.add(path, [row(0)])
    assert path.read_text() == text


def test_a_failing_disk_leaves_the_old_file_whole_and_no_rest(tmp_path, monkeypatch):
    path = tmp_path / "a.csv"
    store.add(path, [row(0)])
    before = path.read_text()

    def full(_):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(UsageError, match="No space left on device"):
        store.add(path, [row(1)])
    assert path.read_text() == before
    assert os.listdir(tmp_path) == ["a.csv"]


def test_a_folder_that_is_a_file_cannot_be_written(tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(UsageError, match="cannot write results"):
        store.require_writable(tmp_path / "file" / "trials")
    with pytest.raises(UsageError, match="choose another folder"):
        store.write(tmp_path / "file" / "a.csv", "text")
