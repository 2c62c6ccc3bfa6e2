"""Results of several machines in one folder."""

from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import NamedTuple

import pandas as pd

from benchmarks.errors import UsageError
from benchmarks.running import files, networks, search, store
from benchmarks.running.folders import columns_of, home_of, is_suite, require_rows, rows_in

MADE_BY = ["jax", "flax", "optax", "commit", "dirty"]
"""What must have made rows of one experiment for them to be joined; devices may differ."""

Found = Mapping[Path, pd.DataFrame]


class Taken(NamedTuple):
    """What was taken of a folder.

    Attributes:
        folder: which.
        rows: how many rows are new.
        experiments: of how many experiments.
        known: how many were there already, and stayed as they were.
        different: how many of those have another outcome or number of sequences here.
    """

    folder: Path
    rows: int
    experiments: int
    known: int
    different: int

    def __str__(self) -> str:
        text = f"{self.folder}: {self.rows} rows of {self.experiments} experiments"
        if self.known:
            text += f"; {self.known} more were there already, {self.different} of them different"
        return text


def merge(sources: Sequence[Path], out: Path) -> list[Taken]:
    """Adds rows, learning curves, kept networks, choices and requests of folders to another one.

    A trial that is in several stays as it was found first, and `out` comes before all.

    Args:
        sources: folders of a suite's results, or of several suites'.
        out: a folder of the same kind; it may be new.

    Raises:
        UsageError: a file is not as it should be, or two folders have measured different things,
            or with different versions or code; nothing is written then.
    """
    others = [each for each in sources if each.resolve() != out.resolve()]
    folders = {each: rows_in(each, "trials", "search/trials") for each in [out, *others]}
    for folder in others:
        require_rows(folder, folders[folder])
    if len({is_suite(folder) for folder, found in folders.items() if found}) > 1:
        raise UsageError("some of these are folders of one suite, and some of several; name alike")
    for place in dict.fromkeys(place for found in folders.values() for place in found):
        _require_alike(place, {f: found[place] for f, found in folders.items() if place in found})
    _require_one_choice(folders)
    _require_readable(folders)
    return [_take(each, folders[each], out) for each in others]


def _require_alike(place: Path, found: Mapping[Path, pd.DataFrame]) -> None:
    """Refuses rows of one experiment that cannot be joined."""
    searched = place.parent.parent.name == "search"
    kinds = [MADE_BY] if searched else [["digest"], MADE_BY]  # a search has many digests
    for columns in kinds:
        known: dict[tuple, Path] = {}  # and which folder has it first
        for folder, rows in found.items():
            new = _combinations(rows, columns)
            if known and known.keys().isdisjoint(new):
                values, other = next(iter(known.items()))
                raise _different(place, columns, (other, values), (folder, new[0]))
            known |= {each: folder for each in new if each not in known}


def _combinations(rows: pd.DataFrame, columns: list[str]) -> list[tuple[str, ...]]:
    return sorted(set(rows[columns].itertuples(index=False, name=None)))


def _different(place: Path, columns: list[str], *sides: tuple[Path, tuple]) -> UsageError:
    texts = (
        f"{files.short(folder)} has {', '.join(map(' '.join, zip(columns, values, strict=True)))}"
        for folder, values in sides
    )
    names = " ".join(files.short(folder) for folder, _ in sides)
    return UsageError(
        f"{place.with_suffix('').as_posix()} cannot be joined: {', '.join(texts)}; "
        f"set them side by side with: python -m benchmarks compare {names}"
    )


def _require_one_choice(folders: Mapping[Path, Found]) -> None:
    """Refuses what several searches have chosen differently."""
    known: dict[Path, pd.DataFrame] = {}
    for folder, found in folders.items():
        for home in _homes(found):
            new = store.read(folder / home / "chosen.csv", search.CHOSEN_COLUMNS)
            both = pd.concat([known.get(home, new), new]).drop_duplicates()
            if (again := both.duplicated(search.KEY)).any():
                line = both[again].iloc[0]
                raise UsageError(
                    f"{files.short(folder / home / 'chosen.csv')} has another choice for "
                    f"{line['task']}-{line['delay']}.{line['cell']} than the folders before it"
                )
            known[home] = both


def _require_readable(folders: Mapping[Path, Found]) -> None:
    """Refuses what else will be read, before anything is written."""
    for folder, found in folders.items():
        for home in _homes(found):
            store.read_requests(folder / home)
        for curve in map(_curve, found):
            store.read(folder / curve, store.CURVE_COLUMNS)


def _curve(place: Path) -> Path:
    """The file of the learning curves beside a file of rows."""
    return home_of(place) / "curves" / place.name


def _homes(found: Iterable[Path]) -> list[Path]:
    return list(dict.fromkeys(map(home_of, found)))


def _take(folder: Path, found: Found, out: Path) -> Taken:
    counts = []
    for place, rows in found.items():
        old = store.read(out / place, columns_of(folder / place))
        counts.append(_counted(old, rows))
        _add_networks(folder, home_of(place), rows, old, out)
        _add(folder, place, rows, out)
    for home in _homes(found):
        asked = store.read_requests(folder / home)
        if len(asked):
            store.add_requests(out / home, asked)
        choices = store.read(folder / home / "chosen.csv", search.CHOSEN_COLUMNS)
        if len(choices):
            search.save(choices, out / home)
    new, known, different = (sum(each) for each in zip(*counts, strict=True))
    return Taken(folder, new, len(found), known, different)


def _counted(old: pd.DataFrame, rows: pd.DataFrame) -> tuple[int, int, int]:
    """How many rows are new, known, and known but different."""
    results = [name for name in ("outcome", "sequences", "near", "far") if name in rows]
    both = rows.merge(old, on=store.IDENTITY, suffixes=("", "_before"))
    same = pd.Series(True, both.index)
    for name in results:
        mine, other = both[name], both[f"{name}_before"]
        same &= (mine == other).fillna(False).astype(bool) | (mine.isna() & other.isna())
    return len(rows) - len(both), len(both), int((~same).sum())


def _add_networks(
    folder: Path, home: Path, rows: pd.DataFrame, old: pd.DataFrame, out: Path
) -> None:
    """Adds the networks that were kept of rows that are new; before the rows, as a run does."""
    if not (folder / home / networks.FOLDER).is_dir():
        return
    known = set(old[store.IDENTITY].itertuples(index=False, name=None))
    for row in rows.to_dict("records"):
        network = files.read(networks.path_of(row, folder / home))
        if network is not None and tuple(row[name] for name in store.IDENTITY) not in known:
            files.write(networks.path_of(row, out / home), network)


def _add(folder: Path, place: Path, rows: pd.DataFrame, out: Path) -> None:
    columns = columns_of(folder / place)
    if columns is not store.COLUMNS or place.parent.parent.name == "search":
        store.add(out / place, rows, columns)
        return
    curve = _curve(place)
    points = store.read(folder / curve, store.CURVE_COLUMNS).merge(rows[store.IDENTITY])
    store.add_trials(out / place, out / curve, rows, points)
