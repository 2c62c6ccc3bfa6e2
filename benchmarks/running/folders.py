"""What lies in a folder of results: of one suite, or of several."""

from collections.abc import Mapping
from pathlib import Path

import pandas as pd

from benchmarks.errors import UsageError
from benchmarks.running import files, flow_study, store
from benchmarks.running.schema import Columns


def rows_in(folder: Path, *kinds: str) -> dict[Path, pd.DataFrame]:
    """The rows in a folder, by the place of their file in it.

    Args:
        folder: results of a suite, or of suites in folders of their own.
        kinds: which rows: "trials", "search/trials".

    Raises:
        UsageError: a file is not as it should be.
    """
    homes = [folder] if is_suite(folder) else sorted(filter(Path.is_dir, folder.glob("*")))
    return {
        path.relative_to(folder): store.read(path, columns_of(path))
        for home in homes
        for kind in kinds
        for path in sorted((home / kind).glob("*.csv"))
    }


def is_suite(folder: Path) -> bool:
    """Whether a folder holds the results of one suite, not of several."""
    return any((folder / kind).is_dir() for kind in ("trials", "search/trials"))


def columns_of(path: Path) -> Columns:
    """Which columns a file of rows should have: those of trained trials, or of initial networks."""
    names = (files.read(path) or b"").partition(b"\n")[0].split(b",")
    return flow_study.COLUMNS if b"near" in names else store.COLUMNS


def home_of(place: Path) -> Path:
    """The suite's folder of a file of rows."""
    trials = place.parent
    return trials.parent.parent if trials.parent.name == "search" else trials.parent


def require_rows(folder: Path, found: Mapping[Path, pd.DataFrame]) -> None:
    """Refuses a folder without rows.

    Raises:
        UsageError: it is one.
    """
    if not found:
        raise UsageError(
            f"there are no results in {files.short(folder)}; name a folder that --out has named"
        )
