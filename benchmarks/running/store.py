"""Rows and curves on disk: CSV files for each experiment, written whole or not at all."""

import contextlib
import os
import tempfile
from pathlib import Path

import pandas as pd

from benchmarks.errors import UsageError

Columns = dict[str, str | type]
"""Names of columns and their types, as pandas takes them."""

COLUMNS: Columns = {
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
    "longer_2": "float64",
    "longer_5": "float64",
    "longer_10": "float64",
    "longer_25": "float64",
    "jax_settings": str,
}
"""Columns of a results file and their types; results/README.md says what each means."""

ADDED = (
    "clip",
    "memory_low",
    "memory_high",
    "scale",
    "longer_2",
    "longer_5",
    "longer_10",
    "longer_25",
    "jax_settings",
)
"""Columns that older files lack, and that are blank in the rows of these."""

CURVE_COLUMNS: Columns = {
    "digest": str,
    "seed": "int64",
    "trial": "int64",
    "sequences": "int64",
    "wrong": "float64",
    "error": "float64",
}
"""Columns of a file of learning curves, a line for each point."""

REQUEST_COLUMNS: Columns = {"experiment": str, "digest": str, "seed": "int64", "trials": "int64"}
"""Columns of the record of how many trials `run` was asked for, a line for each experiment."""

IDENTITY = ["digest", "seed", "trial"]  # a trial with these is never run twice


def read(path: Path, columns: Columns = COLUMNS) -> pd.DataFrame:
    """The rows of one file with these columns and types; no rows if there is no such file.

    Columns that an older file lacks are blank.

    Raises:
        UsageError: the file is not a results file of this schema.
    """
    if not path.exists():
        return pd.DataFrame({name: pd.Series(dtype=kind) for name, kind in columns.items()})
    try:
        rows = pd.read_csv(
            path,
            dtype=columns,
            keep_default_na=False,
            na_values={name: [""] for name, kind in columns.items() if kind is not str},
        )
    except (OSError, ValueError) as error:
        raise _foreign(path) from error
    if list(rows.columns) != [each for each in columns if each in rows or each not in ADDED]:
        raise _foreign(path)
    return frame(rows, columns)


def frame(rows: pd.DataFrame | list[dict], columns: Columns = COLUMNS) -> pd.DataFrame:
    """Rows with all of the columns and their types, blank where they have none."""
    rows = pd.DataFrame(rows, columns=list(columns))
    blank = {name: "" for name, kind in columns.items() if kind is str}
    return rows.astype(columns).fillna(blank)


def read_suite(folder: Path, columns: Columns = COLUMNS) -> pd.DataFrame:
    """All rows of a suite's results folder."""
    return _read_all(folder / "trials", columns)


def read_curves(folder: Path) -> pd.DataFrame:
    """The points of all learning curves in a suite's results folder."""
    return _read_all(folder / "curves", CURVE_COLUMNS)


def _read_all(folder: Path, columns: Columns) -> pd.DataFrame:
    files = [read(path, columns) for path in sorted(folder.glob("*.csv"))]
    return pd.concat(files or [read(folder / "none.csv", columns)], ignore_index=True)


def add(path: Path, rows: list[dict], columns: Columns = COLUMNS) -> None:
    """Adds rows to a results file; a row that is there already stays as it is.

    The file is replaced in one step, so a kill or a full disk leaves the old one untouched.

    Raises:
        UsageError: the file is of another schema, or the folder cannot be written.
    """
    old = read(path, columns)
    new = frame(rows, columns)
    both = pd.concat([old, new] if len(old) else [new], ignore_index=True)
    both = both.drop_duplicates(IDENTITY).sort_values(IDENTITY)
    write(path, both.to_csv(index=False, lineterminator="\n"))


def add_curves(path: Path, points: list[dict]) -> None:
    """Adds whole learning curves to a file; a curve takes the place of an older one of its trial.

    A trial that a kill has kept from having a row is trained again, so its curve comes again.

    Raises:
        UsageError: the file is of another schema, or the folder cannot be written.
    """
    old = read(path, CURVE_COLUMNS)
    new = frame(points, CURVE_COLUMNS)
    again = old.set_index(IDENTITY).index.isin(new.set_index(IDENTITY).index)
    both = pd.concat([old[~again], new] if len(old) else [new]).sort_values(
        [*IDENTITY, "sequences"]
    )
    write(path, both.to_csv(index=False, lineterminator="\n"))


def read_requests(folder: Path) -> pd.DataFrame:
    """How many trials `run` was asked for in a suite's results folder; empty without a record."""
    return read(folder / "requests.csv", REQUEST_COLUMNS)


def add_requests(folder: Path, requests: list[dict]) -> None:
    """Adds to that record (`REQUEST_COLUMNS`); the most that was ever asked for stays.

    Raises:
        UsageError: the file is of another schema, or the folder cannot be written.
    """
    old = read_requests(folder)
    new = pd.DataFrame(requests, columns=list(REQUEST_COLUMNS)).astype(REQUEST_COLUMNS)
    both = pd.concat([old, new] if len(old) else [new], ignore_index=True)
    most = both.groupby(["experiment", "digest", "seed"], as_index=False)["trials"].max()
    write(folder / "requests.csv", most.to_csv(index=False, lineterminator="\n"))


def write(path: Path, content: str | bytes) -> None:
    """Writes a whole file in one step.

    Raises:
        UsageError: the folder cannot be written.
    """
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        handle, temporary = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")
    except OSError as error:
        raise _unwritable(path.parent, error) from error
    try:
        with open(handle, "wb") as file:
            file.write(content.encode() if isinstance(content, str) else content)
            file.flush()
            os.fsync(file.fileno())
        os.chmod(temporary, 0o644)
        os.replace(temporary, path)
    except OSError as error:
        with contextlib.suppress(OSError):
            os.unlink(temporary)
        raise _unwritable(path.parent, error) from error


def require_writable(folder: Path) -> None:
    """Fails early, before any training, if results could not be kept.

    Raises:
        UsageError: the folder cannot be written.
    """
    try:
        folder.mkdir(parents=True, exist_ok=True)
        tempfile.TemporaryFile(dir=folder).close()
    except OSError as error:
        raise _unwritable(folder, error) from error


def require_file(path: Path) -> None:
    """Fails early if a file could not be written.

    Raises:
        UsageError: it is a folder, or its folder cannot be written.
    """
    if path.is_dir():
        raise UsageError(f"{path} is a folder; name a file in it")
    require_writable(path.parent)


def _foreign(path: Path) -> UsageError:
    return UsageError(
        f"{path} is not a results file of this version (its columns differ); "
        "move it away or choose another folder with --out"
    )


def _unwritable(folder: Path, error: OSError) -> UsageError:
    return UsageError(f"cannot write results to {folder} ({error.strerror}); choose another folder")
