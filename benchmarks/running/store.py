"""Rows and curves on disk: CSV files for each experiment, checked when they are read.

Several processes may add to one file: each takes its lock, reads what has come meanwhile, and
writes both.
"""

import functools
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import TypeAlias

import pandas as pd

from benchmarks.errors import one_line
from benchmarks.running import files, schema
from benchmarks.running.files import short
from benchmarks.running.schema import Columns

MOST_TRIALS = 10_000
"""Trials of an experiment with one seed: their file is written anew whenever some are finished."""

Lines: TypeAlias = list[dict] | pd.DataFrame
"""Lines of a file that is to be written."""

IDENTITY = ["digest", "seed", "trial"]  # a trial with these is never run twice

STREAMED = ("prefix", "bits", "floor", "context_1", "context_4", "context_16", "context_64")
"""Columns that only rows of streams have."""

COLUMNS = Columns(
    {
        "experiment": str,
        "task": str,
        "delay": "int64",
        "cell": str,
        "task_fields": str,
        "model": str,
        "weights": "int64",
        "learner": str,
        "criterion": str,
        "rate": "float64",
        "budget": "int64",
        "seed": "int64",
        "trial": "int64",
        "outcome": str,
        "sequences": "Int64",
        "milestone": "Int64",
        "seen": "int64",
        "test_size": "int64",
        "test_wrong": "int64",
        "test_error": "float64",
        "seconds": "float64",
        "digest": str,
        "jax": str,
        "flax": str,
        "optax": str,
        "python": str,
        "device": str,
        "commit": str,
        "dirty": str,
        "clip": "float64",
        "memory_low": "float64",
        "memory_high": "float64",
        "scale": "float64",
        "strength": "float64",
        "longer_2": "float64",
        "longer_5": "float64",
        "longer_10": "float64",
        "longer_25": "float64",
        "jax_settings": str,
        "streams": "Int64",
        **dict.fromkeys(STREAMED, "float64"),
    },
    key=IDENTITY,
    added=(
        *("clip", "memory_low", "memory_high", "scale", "strength"),
        *("longer_2", "longer_5", "longer_10", "longer_25", "jax_settings"),
        *("streams", *STREAMED),
    ),
)
"""Columns of a results file and their types; results/README.md says what each means."""

CURVE_COLUMNS = Columns(
    {
        "digest": str,
        "seed": "int64",
        "trial": "int64",
        "sequences": "int64",
        "wrong": "float64",
        "error": "float64",
    },
    key=[*IDENTITY, "sequences"],
)
"""Columns of a file of learning curves, a line for each point."""

REQUEST_COLUMNS = Columns(
    {"experiment": str, "digest": str, "seed": "int64", "trials": "int64"},
    key=["experiment", "digest", "seed"],
)
"""Columns of the record of how many trials `run` was asked for, a line for each experiment."""


def read(path: Path, columns: Columns = COLUMNS) -> pd.DataFrame:
    """The rows of one file with these columns and types; no rows if there is no such file.

    Columns that an older file lacks are blank. A last line that was cut off is left out, and told.

    Raises:
        UsageError: the file is not a results file of this schema; names the line that is not.
    """
    data = _whole_lines(path)
    if data is None:
        return pd.DataFrame({name: pd.Series(dtype=kind) for name, kind in columns.items()})
    return _with_all_columns(schema.parsed(path, data, columns), columns)


def _whole_lines(path: Path) -> bytes | None:
    """What is in a file, but for a last line that was cut off; None if there is no such file."""
    data = files.read(path)
    if data is None:
        return None
    whole, newline, rest = data.rpartition(b"\n")
    if rest and whole:
        _tell_cut(path, data.count(b"\n") + 1)
    return whole + newline if whole else data


@functools.cache
def _tell_cut(path: Path, line: int) -> None:
    """Says so once, although a run reads its files several times."""
    print(
        f"benchmarks: {one_line(short(path))}, line {line}: cut off, and left out", file=sys.stderr
    )


def _with_all_columns(rows: pd.DataFrame, columns: Columns) -> pd.DataFrame:
    return rows if len(rows.columns) == len(columns) else frame(rows, columns)


def frame(rows: Lines, columns: Columns = COLUMNS) -> pd.DataFrame:
    """Rows with all of the columns and their types, blank where they have none."""
    rows = pd.DataFrame(rows, columns=list(columns))
    blank = {name: "" for name, kind in columns.items() if kind is str}
    return rows.astype(columns).fillna(blank)


def read_suite(folder: Path, columns: Columns = COLUMNS) -> pd.DataFrame:
    """All rows of a suite's results folder."""
    return read_all(folder / "trials", columns)


def read_curves(folder: Path) -> pd.DataFrame:
    """The points of all learning curves in a suite's results folder."""
    return read_all(folder / "curves", CURVE_COLUMNS)


def read_all(folder: Path, columns: Columns) -> pd.DataFrame:
    """What is in all files; a line that several have, a copy of one of them say, counts once."""
    paths = sorted(folder.glob("*.csv"))
    files_of = {path: data for path in paths if (data := _whole_lines(path)) is not None}
    found = [_with_all_columns(rows, columns) for rows in schema.all_parsed(files_of, columns)]
    whole = pd.concat(found or [frame([], columns)])
    return whole.sort_index(kind="stable").drop_duplicates(columns.key, ignore_index=True)


def add(path: Path, rows: Lines, columns: Columns = COLUMNS) -> None:
    """Adds rows to a results file; a row that is there already stays as it is.

    The file is replaced in one step, so a kill or a full disk leaves the old one untouched.

    Raises:
        UsageError: the file is of another schema, the folder cannot be written, or another process
            does not let go of the file.
    """
    with files.locked(path):
        _add(path, rows, columns)


def _add(path: Path, rows: Lines, columns: Columns) -> None:
    both = _joined(read(path, columns), frame(rows, columns))
    _save(path, both.drop_duplicates(columns.key).sort_values(columns.key))


def add_trials(path: Path, curves: Path, rows: Lines, points: Lines) -> None:
    """Adds rows of trials and their learning curves; of a trial that is there already, neither.

    The curves come first: a row without its curve would stay without.

    Args:
        path: the file of the rows.
        curves: the file of the curves.
        rows: as for `add`.
        points: as for `add_curves`.

    Raises:
        UsageError: as for `add`.
    """
    with files.locked(path):
        known = read(path).set_index(IDENTITY).index
        new = frame(points, CURVE_COLUMNS).set_index(IDENTITY)
        add_curves(curves, new[~new.index.isin(known)].reset_index())
        _add(path, rows, COLUMNS)


def add_curves(path: Path, points: Lines) -> None:
    """Adds whole learning curves to a file; a curve takes the place of an older one of its trial.

    A trial that a kill has kept from having a row is trained again, so its curve comes again.

    Raises:
        UsageError: as for `add`.
    """
    replace(path, points, CURVE_COLUMNS, IDENTITY)


def replace(path: Path, rows: Lines, columns: Columns, by: Sequence[str]) -> None:
    """Adds rows to a results file, in place of all that agree with one of them in some columns.

    Raises:
        UsageError: as for `add`.
    """
    with files.locked(path):
        old, new = read(path, columns), frame(rows, columns)
        again = old.set_index(list(by)).index.isin(new.set_index(list(by)).index)
        _save(path, _joined(old[~again], new).sort_values(columns.key))


def read_requests(folder: Path) -> pd.DataFrame:
    """How many trials `run` was asked for in a suite's results folder; empty without a record."""
    return read(folder / "requests.csv", REQUEST_COLUMNS)


def add_requests(folder: Path, requests: Lines) -> None:
    """Adds to that record (`REQUEST_COLUMNS`); the most that was ever asked for stays.

    Raises:
        UsageError: as for `add`.
    """
    with files.locked(folder / "requests.csv"):
        both = _joined(read_requests(folder), frame(requests, REQUEST_COLUMNS))
        most = both.groupby(REQUEST_COLUMNS.key, as_index=False)["trials"].max()
        _save(folder / "requests.csv", most)


def _joined(old: pd.DataFrame, new: pd.DataFrame) -> pd.DataFrame:
    return pd.concat([old, new] if len(old) else [new], ignore_index=True)


def _save(path: Path, rows: pd.DataFrame) -> None:
    files.write(path, rows.to_csv(index=False, lineterminator="\n"))
