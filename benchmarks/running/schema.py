"""Files of columns, and which line of one is not as it should be."""

import csv
import io
import itertools
import math
import re
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import NamedTuple

import numpy as np
import pandas as pd

from benchmarks.errors import UsageError
from benchmarks.running.files import short
from benchmarks.running.rules import AGREEMENTS, NUMBERS, TEXTS, fits


class Columns(dict[str, str | type]):
    """Columns of a file by name, and their types as pandas takes them.

    Attributes:
        key: the columns that tell its lines apart.
        added: columns that older files lack, and that are blank in their rows.
    """

    def __init__(
        self,
        columns: Mapping[str, str | type],
        key: Sequence[str],
        added: Sequence[str] = (),
    ):
        super().__init__(columns)
        self.key, self.added = list(key), tuple(added)


class Fault(NamedTuple):
    """What is wrong with a file: in which line, counted from 1, and column."""

    line: int
    column: str
    why: str

    def of(self, path: Path, skipped: int) -> UsageError:
        """The error that says so; `skipped`: so many lines of the file were not counted."""
        place = f"line {self.line + skipped}" + (f", column {self.column}" if self.column else "")
        return UsageError(
            f"{short(path)}, {place}: {self.why}; mend the line, or move the file away"
        )


def parsed(path: Path, data: bytes, columns: Columns, skipped: int = 0) -> pd.DataFrame:
    """The rows of a file, each of them checked.

    Args:
        path: what the file is called.
        data: what is in it, from the line with the names of the columns on.
        columns: what it should have.
        skipped: lines of the file before these.

    Raises:
        UsageError: the columns are others, or a line is not as it should be; names it.
    """
    data = data.replace(b"\r\n", b"\n")
    names = data.partition(b"\n")[0].decode("utf-8", "replace").split(",")
    if names != [each for each in columns if each in names or each not in columns.added]:
        raise foreign(path)
    kinds = {name: columns[name] for name in names}
    for fault in itertools.chain(_unprintable(data, names), _uneven(data, len(names))):
        raise fault.of(path, skipped)
    try:
        rows = _typed(data, kinds)
    except (ValueError, TypeError, ArithmeticError) as error:
        first = next(_unreadable(data, kinds), None)
        raise (first.of(path, skipped) if first else foreign(path)) from error
    for fault in _faults(rows, [name for name in columns.key if name in names]):
        raise fault.of(path, skipped)
    return rows


def all_parsed(files: Mapping[Path, bytes], columns: Columns) -> list[pd.DataFrame]:
    """The rows of many files, as `parsed` has those of each, in tables of equal columns.

    The index says of each row which file it is from, from 0. Files are parsed together: a table of
    pandas takes far longer to be made than to be filled. Only where something is wrong is each
    parsed alone, to say in which.

    Raises:
        UsageError: as `parsed` does.
    """
    groups: dict[bytes, list[bytes]] = {}
    for number, data in enumerate(files.values()):
        names, *lines = data.replace(b"\r\n", b"\n").removesuffix(b"\n").split(b"\n")
        group = groups.setdefault(names, [b"file,%s\n" % names])
        group += [b"%d,%s\n" % (number, line) for line in lines]
    numbered = Columns({"file": "int64", **columns}, ["file", *columns.key], columns.added)
    try:
        found = [parsed(Path(), b"".join(group), numbered) for group in groups.values()]
    except UsageError:
        alone = [parsed(path, data, columns) for path, data in files.items()]
        return [rows.set_axis([i] * len(rows)) for i, rows in enumerate(alone)]
    return [rows.set_index("file") for rows in found]


def foreign(path: Path) -> UsageError:
    """The error that a file is something else."""
    return UsageError(
        f"{short(path)} is not a results file of this version (its columns differ); "
        "move it away or choose another folder with --out"
    )


def _unprintable(data: bytes, names: Sequence[str]) -> Iterator[Fault]:
    """Bytes that no text has, and on which parsers differ."""
    found = [match.start() for match in [re.search(rb"[\x00-\x09\x0b-\x1f\x7f]", data)] if match]
    try:
        data.decode("utf-8")
    except UnicodeDecodeError as error:
        found.append(error.start)
    for start in sorted(found)[:1]:
        before = data[data.rfind(b"\n", 0, start) + 1 : start].decode("utf-8", "replace")
        fields = next(csv.reader([before]), [""])
        column = names[min(len(fields), len(names)) - 1]
        line = data.count(b"\n", 0, start) + 1
        yield Fault(line, column, f"{data[start : start + 1]!r} is no text")


def _uneven(data: bytes, count: int) -> Iterator[Fault]:
    """Lines that have not so many fields; pandas fills or cuts them."""
    reader = _lines(data)
    line = 1
    try:
        for fields in reader:
            if len(fields) != count:
                yield Fault(line, "", f"it has {len(fields)} fields, not {count}")
            line = reader.line_num + 1
    except csv.Error as error:  # a quotation mark that is not closed, say
        yield Fault(line, "", str(error))


def _lines(data: bytes):
    csv.field_size_limit(2**31 - 1)  # a long text is no reason to refuse a file
    return csv.reader(io.StringIO(data.decode("utf-8", "replace"), newline=""), strict=True)


def _typed(data: bytes, kinds: Mapping[str, str | type]) -> pd.DataFrame:
    with np.errstate(invalid="raise"):  # of an infinite whole number
        return pd.read_csv(
            io.BytesIO(data),
            dtype=dict(kinds),
            keep_default_na=False,
            na_values={name: [""] for name, kind in kinds.items() if kind is not str},
        )


def _unreadable(data: bytes, kinds: Mapping[str, str | type]) -> Iterator[Fault]:
    """Lines that are no fields of these types; as slow as Python, for what pandas refuses."""
    reader = _lines(data)
    next(reader)
    for fields in reader:
        for (name, kind), text in zip(kinds.items(), fields, strict=True):
            if kind is not str and not _is_number(text, kind):
                what = "number" if kind == "float64" else "whole number below 10^18"
                yield Fault(reader.line_num, name, f"{_cut(text)} is not a {what}")


def _is_number(text: str, kind: str | type) -> bool:
    if kind == "float64":
        try:
            return not math.isnan(float(text or 0))
        except ValueError:
            return False
    return bool(re.fullmatch(r"[+-]?\d{1,18}", text)) or (kind == "Int64" and not text)


def _faults(rows: pd.DataFrame, key: Sequence[str]) -> Iterator[Fault]:
    """Lines that do not keep to the rules."""
    for name in rows:
        good = _good(rows[name])
        if not good.all():
            value = rows[name][~good].iloc[0]
            why = "it is blank" if pd.isna(value) else f"{_cut(value)} cannot stand here"
            yield Fault(_line(~good), str(name), why)
    for name, other, agrees, text in AGREEMENTS:
        if name in rows and other in rows and not (good := agrees(rows)).all():
            yield Fault(_line(~good), name, f"{_cut(rows[name][~good].iloc[0])}, but it {text}")
    again = rows.duplicated(list(key))
    if again.any():
        own = ", ".join(f"{name} {value}" for name, value in rows[key][again].iloc[0].items())
        yield Fault(_line(again), "", f"a second line of {own}")


def _good(values: pd.Series) -> pd.Series:
    if values.name in NUMBERS:
        return NUMBERS[str(values.name)].holds(values)
    rule = TEXTS.get(str(values.name))
    bad = [text for text in values.unique() if not fits(text, rule)]
    return ~values.isin(bad)


def _line(bad: pd.Series) -> int:
    """The first of these lines; the names of the columns stand in line 1."""
    return int(bad.to_numpy().argmax()) + 2


def _cut(value: object) -> str:
    """A value, quoted and not too long for a message."""
    text = str(value)
    return repr(text if len(text) <= 40 else text[:40] + "...")
