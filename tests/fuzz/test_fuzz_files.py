"""Files that a suite or a check reads, with all kinds of edits; what is taken can be used."""

import numpy as np
import pandas as pd
import pytest
from hypothesis import strategies as st

from benchmarks.analysis import tables
from benchmarks.check import baseline, output, verdicts
from benchmarks.learning.states import State
from benchmarks.running import archive, networks, schema, search, status, store
from benchmarks.running.checkpoint_file import Saved, UnreadableError, packed, read
from tests.fuzz.trying import COUNTS, printed, refused_in_one_line, tried
from tests.running.test_schema import CHOICE
from tests.support.made_up import points, rows
from tests.support.tiny import EXPERIMENT

ROWS = rows(EXPERIMENT, 80, None, 200, None, seed=0)
ASKED = {"experiment": EXPERIMENT.name, "digest": EXPERIMENT.digest, "seed": 0, "trials": 6}
BASELINE = baseline.made_from("tiny", 0, ROWS)


def used_rows(path):
    found = store.read(path)
    if len(found):
        lines = tables.summary([EXPERIMENT], tables.current([EXPERIMENT], found))
        tables.matrix(lines)
        tables.long(lines)
        tables.origin(found)
    return found


def used_baseline(path):
    base = baseline.load(path)
    baseline.sentence(base)
    found = verdicts.findings([EXPERIMENT], ROWS, base.rows)
    output.markdown(output.Report("tiny", found, "", ""))
    output.junit(output.Report("tiny", found, "", ""))
    return base.rows


def used_requests(path):
    found = store.read(path, store.REQUEST_COLUMNS)
    status.lines(found, ROWS, path.parent, {})
    return found


def used_choices(path):
    search.chosen(path.parent)
    return store.read(path, search.CHOSEN_COLUMNS)


def csv(frame):
    return frame.to_csv(index=False, lineterminator="\n").encode()


def head(base):
    return "".join(f"# {name}: {text}\n" for name, text in base.origin.items()).encode()


KINDS = {
    "rows": (csv(ROWS), "a.csv", used_rows, store.COLUMNS),
    "curves": (
        csv(points(ROWS)),
        "a.csv",
        lambda path: store.read(path, store.CURVE_COLUMNS),
        store.CURVE_COLUMNS,
    ),
    "chosen": (
        csv(store.frame([CHOICE, CHOICE | {"cell": "y"}], search.CHOSEN_COLUMNS)),
        "chosen.csv",
        used_choices,
        search.CHOSEN_COLUMNS,
    ),
    "requests": (
        csv(store.frame([ASKED, ASKED | {"seed": 1}], store.REQUEST_COLUMNS)),
        "requests.csv",
        used_requests,
        store.REQUEST_COLUMNS,
    ),
    "baseline": (
        head(BASELINE) + csv(BASELINE.rows),
        "baseline.csv",
        used_baseline,
        baseline.COLUMNS,
    ),
}

FIELDS = ["", "nan", "inf", "-inf", "-1", "0", "1.5", "1e400", "1e-400", "9" * 23, "1_0", "0x1"]
FIELDS += ["banana", "solved", "spent", "diverged", "[/red]", "=1+1", "@SUM(A1)", "\x1b[31m", "|"]
FIELDS += [
    "<script>",
    "é",
    "²",
    "\u2028",
    '"',
    '""',
    "'",
    ",",
    "\n",
    "\r",
    "\r\n",
    "\0",
    "\x85",
    "-0",
]
FIELDS += ["True", "None", "NA", " 1", "1 ", "+1", "2147483648", "9007199254740993", "a" * 5000]


@st.composite
def edited(draw):
    """A kind of file, and its bytes after some edits: of fields, lines, columns, bytes."""
    kind = draw(st.sampled_from(sorted(KINDS)))
    data = KINDS[kind][0]
    for _ in range(draw(st.integers(0, 3))):
        data = draw(st.sampled_from([field, lines, column, some_bytes]))(draw, data)
    return kind, data


def field(draw, data):
    """Another field in the place of one."""
    rows = [line.split(b",") for line in data.split(b"\n")]
    row = draw(st.sampled_from(rows))
    row[draw(st.integers(0, len(row) - 1))] = draw(
        st.one_of(st.sampled_from(FIELDS), st.text(max_size=4))
    ).encode("utf-8", "surrogatepass")
    return b"\n".join(b",".join(row) for row in rows)


def lines(draw, data):
    """Lines in another order, some twice, some not at all."""
    found = data.split(b"\n")
    return b"\n".join(draw(st.lists(st.sampled_from(found), max_size=len(found) + 1)))


def column(draw, data):
    """Without a column, or with one twice."""
    rows = [line.split(b",") for line in data.split(b"\n")]
    place, times = draw(st.integers(0, 9)), draw(st.sampled_from([0, 2]))
    return b"\n".join(
        b",".join([*row[:place], *row[place : place + 1] * times, *row[place + 1 :]])
        for row in rows
    )


def some_bytes(draw, data):
    """Any bytes in the place of some."""
    start, length = draw(st.integers(0, len(data))), draw(st.integers(0, 30))
    return data[:start] + draw(st.binary(max_size=6)) + data[start + length :]


@pytest.mark.parametrize("count", COUNTS)
def test_every_file_is_read_or_refused_in_one_line(count, tmp_path):
    def check(given):
        kind, data = given
        _, name, use, columns = KINDS[kind]
        path = tmp_path / name
        path.write_bytes(data)
        with printed() as (_, errors), refused_in_one_line():
            found = use(path)
            again = schema.parsed(path, csv(found), columns)  # what is written can be read
            pd.testing.assert_frame_equal(again, found.reset_index(drop=True))
        assert errors.getvalue().count("\n") <= 1  # of a line that was cut
        assert path.read_bytes() == data

    tried(count, edited(), check)


WEIGHTS = archive.packed({"cell.w": np.ones((3, 4), np.float32), "b": np.zeros(4, np.float32)})
STATE = State([("d", 0)], [np.ones((1, 3), np.float32)], np.array([40]), np.array([1.0]), [[]])
CHECKPOINT = packed(Saved({"device": "cpu"}, 0, {"d": "a"}, STATE))


@st.composite
def damaged(draw):
    """The bytes of kept weights or of a checkpoint after some edits."""
    data = draw(st.sampled_from([WEIGHTS, CHECKPOINT]))
    for _ in range(draw(st.integers(1, 2))):
        data = some_bytes(draw, data)
    return data


@pytest.mark.parametrize("count", COUNTS)
def test_every_archive_is_read_or_refused_in_one_line(count, tmp_path):
    path = tmp_path / "a.npz"

    def check(data):
        path.write_bytes(data)
        with refused_in_one_line():
            networks._read(path)
        try:
            read(path)
        except UnreadableError:
            status._saved(tmp_path)

    tried(count, damaged(), check)
