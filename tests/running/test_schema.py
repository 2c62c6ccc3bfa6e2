"""Files that are not as they should be: one line that names the file, the line and the column."""

import time

import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from benchmarks.check import baseline
from benchmarks.cli.main import main
from benchmarks.errors import UsageError, one_line
from benchmarks.running import flow_study, schema, search, store, trained_flow
from tests.running.test_store import point, request, row

CHOICE = {name: 1 if kind is not str else "x" for name, kind in search.CHOSEN_COLUMNS.items()}
FLOW = {name: 1 if kind is not str else "x" for name, kind in flow_study.COLUMNS.items()}
TRAINED = {name: 1 if kind is not str else "x" for name, kind in trained_flow.COLUMNS.items()}
TRAINED["time"] = "after"
BASE = {"experiment": "a", "digest": "d", "rate": 0.1, "budget": 9, "outcome": "solved"}
KINDS = {
    "rows": (store.COLUMNS, [row(0), row(1, sequences=None, outcome="spent")]),
    "curves": (store.CURVE_COLUMNS, [point(0, 40, 0.5), point(0, 80, 0.25)]),
    "requests": (store.REQUEST_COLUMNS, [request(3), request(4, seed=1)]),
    "chosen": (search.CHOSEN_COLUMNS, [CHOICE, CHOICE | {"cell": "y"}]),
    "flow": (flow_study.COLUMNS, [FLOW, FLOW | {"trial": 2}]),
    "trained": (trained_flow.COLUMNS, [TRAINED, TRAINED | {"distance": 2}]),
    "baseline": (baseline.COLUMNS, [BASE | {"trial": i, "sequences": 5} for i in (0, 1)]),
}


def table(kind, line=0, **changes):
    """Two lines of a file, with some cells of one of them changed to other texts."""
    columns, lines = KINDS[kind]
    rows = store.frame(lines, columns).astype(object)
    for name, text in changes.items():
        rows.loc[line, name] = text
    return rows.to_csv(index=False, lineterminator="\n")


def parsed(kind, text):
    return schema.parsed("f.csv", text.encode(), KINDS[kind][0])


@pytest.mark.parametrize("kind", KINDS)
def test_what_is_right_is_read(kind):
    assert len(parsed(kind, table(kind))) == 2


@pytest.mark.parametrize("kind", KINDS)
def test_many_files_are_read_as_each_of_them_is(kind):
    columns = KINDS[kind][0]
    files = {"a.csv": table(kind), "b.csv": table(kind, line=1), "c.csv": table(kind)}
    files["b.csv"] = files["b.csv"].replace("\n", "\r\n")
    files["none.csv"] = files["a.csv"].partition("\n")[0]
    if columns.added:
        older = store.frame(KINDS[kind][1], columns).drop(columns=list(columns.added))
        files["c.csv"] = older.to_csv(index=False)
    texts = {name: text.encode() for name, text in files.items()}
    alone = [
        schema.parsed(name, data, columns).set_axis([i] * 2)
        for i, (name, data) in enumerate(texts.items())
        if name != "none.csv"
    ]
    together = pd.concat(schema.all_parsed(texts, columns)).sort_index(kind="stable")
    pd.testing.assert_frame_equal(together.rename_axis(None), pd.concat(alone))


@pytest.mark.parametrize(
    "fault",
    [
        lambda text: table("rows", line=1, trial="-1"),
        lambda text: text + text.splitlines(keepends=True)[-1],
        lambda text: text + "1,2\n",
        lambda text: text + '"',
        lambda text: text + "\n",
        lambda text: text.replace("digest", "other"),
        lambda text: "",
    ],
)
def test_of_many_files_the_one_that_is_wrong_is_named(fault):
    columns, right = KINDS["rows"][0], table("rows")
    wrong = fault(right)
    with pytest.raises(UsageError) as alone:
        schema.parsed("b.csv", wrong.encode(), columns)
    files = {"a.csv": right.encode(), "b.csv": wrong.encode(), "c.csv": right.encode()}
    with pytest.raises(UsageError) as together:
        schema.all_parsed(files, columns)
    assert str(together.value) == str(alone.value)
    assert str(together.value).startswith("b.csv")


FAULTS = [
    ("rows", 0, {"sequences": ""}, "sequences", "only where, a trial is solved"),
    ("rows", 1, {"sequences": "1"}, "sequences", "only where, a trial is solved"),
    ("rows", 0, {"sequences": "1.5"}, "sequences", "'1.5' is not a whole number"),
    ("rows", 0, {"sequences": "2"}, "sequences", "at most the budget"),
    ("rows", 1, {"outcome": "banana"}, "outcome", "'banana' cannot stand here"),
    ("rows", 1, {"outcome": "running"}, "outcome", "'running' cannot stand here"),
    ("rows", 1, {"budget": "1" * 23}, "budget", "is not a whole number below 10^18"),
    ("rows", 1, {"budget": "1" * 18}, "budget", "cannot stand here"),
    ("rows", 1, {"budget": "many"}, "budget", "'many' is not a whole number"),
    ("rows", 1, {"trial": ""}, "trial", "'' is not a whole number"),
    ("rows", 1, {"trial": "-1"}, "trial", "'-1' cannot stand here"),
    ("rows", 1, {"seed": "-1"}, "seed", "'-1' cannot"),
    ("rows", 1, {"seed": str(2**31)}, "seed", "cannot"),
    ("rows", 1, {"seen": "-3"}, "seen", "'-3' cannot"),
    ("rows", 1, {"test_wrong": "2"}, "test_wrong", "at most test_size"),
    ("rows", 1, {"rate": "nan"}, "rate", "'nan' is not a number"),
    ("rows", 1, {"rate": ""}, "rate", "blank"),
    ("rows", 1, {"rate": "inf"}, "rate", "'inf' cannot"),
    ("rows", 1, {"rate": "-1"}, "rate", "'-1.0' cannot"),
    ("rows", 1, {"rate": "0"}, "rate", "'0.0', but it is 0 of guessing alone"),
    ("chosen", 1, {"rate": "0"}, "rate", "'0.0', but it is above 0 in a choice"),
    ("chosen", 1, {"rate": "inf"}, "rate", "'inf' cannot"),
    ("chosen", 1, {"rate": "-1"}, "rate", "'-1.0' cannot"),
    ("chosen", 1, {"cell": "[/red]"}, "cell", "'[/red]' cannot"),
    ("chosen", 1, {"solved": "-1"}, "solved", "cannot"),
    ("requests", 1, {"experiment": "=1+1"}, "experiment", "'=1+1' cannot"),
    ("requests", 1, {"trials": "1.5"}, "trials", "'1.5' is not a whole number"),
    ("baseline", 1, {"rate": "inf"}, "rate", "'inf' cannot"),
    ("baseline", 1, {"rate": "-1"}, "rate", "'-1.0' cannot"),
    ("baseline", 1, {"outcome": "banana"}, "outcome", "'banana' cannot"),
    ("baseline", 1, {"experiment": "[/red]"}, "experiment", "'[/red]' cannot"),
    ("rows", 1, {"rate": "fast"}, "rate", "'fast' is not a number"),
    ("rows", 1, {"seconds": "-1"}, "seconds", "cannot"),
    ("rows", 1, {"memory_low": "2"}, "memory_low", "at most memory_high"),
    ("rows", 1, {"longer_2": "1.5"}, "longer_2", "cannot"),
    ("rows", 1, {"digest": ""}, "digest", "'' cannot"),
    ("rows", 1, {"cell": "[/red]"}, "cell", "'[/red]' cannot"),
    ("rows", 1, {"cell": "a|b"}, "cell", "cannot"),
    ("rows", 1, {"cell": "=1+1"}, "cell", "cannot"),
    ("rows", 1, {"commit": "\x1b[31m"}, "commit", "b'\\x1b' is no text"),
    ("rows", 1, {"device": "<script>"}, "device", "cannot"),
    *(("rows", 1, {"model": f"{sign}SUM(A1)"}, "model", "cannot") for sign in "=+-@"),
    ("rows", 1, {"task_fields": "a,\x07b"}, "task_fields", "is no text"),
    ("curves", 1, {"sequences": "40"}, "", "a second line of digest d, seed 0, trial 0, seq"),
    ("curves", 1, {"wrong": "-0.1"}, "wrong", "cannot"),
    ("curves", 1, {"wrong": ""}, "wrong", "blank"),
    ("curves", 1, {"error": "-inf"}, "error", "cannot"),
    ("requests", 1, {"trials": "0"}, "trials", "cannot"),
    ("requests", 1, {"seed": "0"}, "", "a second line of experiment a"),
    ("chosen", 1, {"rate": "nan"}, "rate", "'nan' is not a number"),
    ("chosen", 1, {"solved": "5"}, "solved", "at most trials"),
    ("chosen", 1, {"cell": "x"}, "", "a second line of task x"),
    ("chosen", 1, {"clip": "0"}, "clip", "cannot"),
    ("flow", 1, {"far": "-1"}, "far", "cannot"),
    ("trained", 1, {"time": "later"}, "time", "cannot"),
    ("trained", 1, {"distance": "0"}, "distance", "cannot"),
    ("rows", 1, {"strength": "0"}, "strength", "cannot"),
    ("baseline", 1, {"rate": "nan"}, "rate", "'nan' is not a number"),
    ("baseline", 1, {"sequences": "nan"}, "sequences", "'nan' is not a whole number"),
    ("baseline", 1, {"budget": ""}, "budget", "'' is not a whole number"),
    ("baseline", 1, {"trial": "0"}, "", "a second line of experiment a, trial 0"),
]


def test_guessing_has_no_rate():
    assert len(parsed("rows", table("rows", 0, rate="0", learner="Guessing()"))) == 2


@pytest.mark.parametrize(("kind", "line", "changes", "column", "why"), FAULTS)
def test_a_line_that_is_not_is_named(kind, line, changes, column, why):
    with pytest.raises(UsageError) as caught:
        parsed(kind, table(kind, line, **changes))
    where = f"f.csv, line {line + 2}" + (f", column {column}: " if column else ": ")
    assert str(caught.value).startswith(where)
    assert why in str(caught.value)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize(
    ("spoilt", "line"),
    [
        (lambda lines: [*lines, lines[-1]], 4),
        (lambda lines: [*lines[:2], lines[2].rpartition(",")[0]], 3),
        (lambda lines: [lines[0], lines[1] + ",1", lines[2]], 2),
        (lambda lines: [*lines[:2], lines[2] + ",1"], 3),
        (lambda lines: [*lines, ""], 4),
        (lambda lines: [lines[0], "", *lines[1:]], 2),
    ],
    ids=["twice", "too short", "first too long", "too long", "blank at the end", "blank"],
)
def test_a_line_twice_too_short_too_long_or_blank_is_named(kind, spoilt, line):
    text = "\n".join(spoilt(table(kind).splitlines())) + "\n"
    with pytest.raises(UsageError, match=rf"^f.csv, line {line}[,:]"):
        parsed(kind, text)


JUNK = ["", "\0", "\x85", '"', ",", "\n", "\r", "nan", "inf", "-1", "9" * 25, "=", "\x1b[3m"]


@settings(max_examples=60, deadline=None)
@given(
    st.sampled_from(sorted(KINDS)),
    st.lists(st.tuples(st.integers(0, 999), st.integers(0, 3), st.sampled_from(JUNK)), max_size=3),
)
def test_whatever_stands_there_is_read_or_refused_in_one_line(kind, edits):
    text = table(kind)
    for place, length, junk in edits:
        start = place % len(text)
        text = text[:start] + junk + text[start + length :]
    try:
        parsed(kind, text)
    except UsageError as error:
        assert "\n" not in one_line(str(error))  # noqa: PT017 either is right


@pytest.mark.parametrize("name", ["quick/trials/adding-40.gru", "quick/curves/adding-40.gru"])
@pytest.mark.parametrize("command", ["report", "table"])
def test_the_commands_say_it_in_one_line_and_leave_all_as_it_is(name, command, tmp_path, capsys):
    if command == "table" and "curves" in name:
        pytest.skip("a table reads no curves")
    kind = "curves" if "curves" in name else "rows"
    path = tmp_path / f"{name}.csv"
    path.parent.mkdir(parents=True)
    path.write_text(table(kind, 1, seed="-1"))
    before = path.read_bytes()
    assert main([command, "quick", "--out", str(tmp_path)]) == 2
    printed = capsys.readouterr()
    assert printed.err.startswith(f"benchmarks: {path}, line 3, column seed: '-1' cannot stand")
    assert printed.err.count("\n") == 1
    assert [each for each in tmp_path.rglob("*") if each.is_file()] == [path]
    assert path.read_bytes() == before


def test_a_baseline_whose_last_line_was_cut_is_refused(tmp_path):
    """Its trials would not be made again, unlike those of a run."""
    path = tmp_path / "baseline.csv"
    rows = store.frame([row(0), row(1)])
    baseline.save(path, baseline.made_from("tiny", 0, rows))
    lines = path.read_text().count("\n")
    path.write_bytes(path.read_bytes()[:-2])
    with pytest.raises(UsageError, match=rf"baseline.csv, line {lines}: cut off; make one with"):
        baseline.load(path)


def test_many_rows_are_read_in_seconds(tmp_path):
    columns, (line, _) = KINDS["rows"]
    rows = store.frame([line], columns).loc[[0] * 20_000].assign(trial=range(20_000))
    (tmp_path / "a.csv").write_text(rows.to_csv(index=False))
    began = time.process_time()
    assert len(store.read(tmp_path / "a.csv")) == 20_000
    assert time.process_time() - began < 2
