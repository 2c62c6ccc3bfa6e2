"""The status of a command is what CI believes: 1 is a regression, and nothing else is."""

import os
import sys
from pathlib import Path

import pytest

from benchmarks import suites
from benchmarks.cli.main import main
from benchmarks.errors import FailedError
from benchmarks.running import guarded, store
from tests.support.documents import python_of
from tests.support.made_up import rows

CELL = """
import os, sys
from flax import nnx

class Bad(nnx.GRUCell):
    def __init__(self, n_in, n_hidden, *, rngs):
        if n_hidden not in (5, {hidden}):
            {act}
        super().__init__(n_in, n_hidden, rngs=rngs)

    def __call__(self, carry, x):
        if self.hidden_features != 5:
            {act}
        return super().__call__(carry, x)
"""
ACTS = {
    "sys.exit(0)": "SystemExit: 0",
    "exit(7)": "SystemExit: 7",
    "os._exit(0)": "SystemExit: 0",
    "raise GeneratorExit": "GeneratorExit",
    "1 / 0": "ZeroDivisionError: division by zero",
    "while True: pass": "TooLong: not done after 0.3 seconds; is there an endless loop?",
}
COMMANDS = {
    "run": ["run", "tiny"],
    "table": ["table", "tiny"],
    "search": ["search", "quick"],
    "report": ["report", "tiny"],
    "inspect": ["inspect", "tiny", "two-sequence-20.Bad"],
    "check": ["check", "smoke"],
    "baseline": ["baseline", "smoke"],
}


def told(capsys):
    """What was printed as an error: one line."""
    error = capsys.readouterr().err
    assert error.startswith("benchmarks: ")
    assert error.count("\n") == 1
    return error


@pytest.mark.parametrize("act", ACTS)
@pytest.mark.parametrize("where", ["constructor", "call"])
def test_whatever_a_cell_does_at_the_size_of_the_run_is_no_verdict(
    act, where, tmp_path, capsys, monkeypatch
):
    if "while" in act:
        monkeypatch.setattr(guarded, "PATIENCE", 0.3)
    text = CELL.format(act=act, hidden="n_hidden" if where == "call" else 5)
    (tmp_path / "bad.py").write_text(text)
    cell = f"{tmp_path / 'bad.py'}:Bad"
    assert main(["check", "smoke", "--cell", cell]) == 2
    assert ACTS[act] in told(capsys)


@pytest.mark.parametrize("command", COMMANDS)
def test_nor_is_an_exit_in_any_command_that_takes_a_cell(command, tmp_path, capsys, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "bad.py").write_text(CELL.format(act="os._exit(0)", hidden="n_hidden"))
    out = [] if command in ("check", "baseline") else ["--out", str(tmp_path / "out")]
    assert main([*COMMANDS[command], "--cell", "bad.py:Bad", *out]) == 2
    assert "SystemExit: 0" in told(capsys)
    assert [path.name for path in tmp_path.iterdir()] == ["bad.py"]


@pytest.mark.parametrize("command", ["run", "table", "search", "inspect"])
@pytest.mark.parametrize("place", ["n_in = 1", "return self.T", "numbers = jax"])
def test_nor_in_any_that_takes_a_task(command, place, tmp_path, capsys, monkeypatch):
    """While its file is imported, in a property, in a method."""
    monkeypatch.chdir(tmp_path)
    text = python_of("CONTRIBUTING.md", "A task in one file")
    Path("bad.py").write_text(text.replace(place, f"exit(0); {place}", 1))
    what = COMMANDS[command][:2] + (["*.lstm"] if command == "inspect" else [])
    assert main([*what, "--task", "bad.py:Recall", "--out", "out"]) == 2
    assert "SystemExit: 0" in told(capsys)


def fails(error):
    def command(_):
        raise error

    return command


@pytest.mark.parametrize(
    ("error", "status", "text"),
    [
        (ZeroDivisionError("not\nforeseen"), 2, "unexpected ZeroDivisionError: not foreseen ("),
        (SystemExit(1), 2, "unexpected SystemExit: 1"),
        (GeneratorExit(), 2, "unexpected GeneratorExit ("),
        (RecursionError("deep"), 2, "unexpected RecursionError: deep"),
        (BrokenPipeError(32, "Broken pipe"), 2, "unexpected BrokenPipeError"),
        (FailedError("some"), 3, "some"),
    ],
)
def test_an_error_that_nobody_has_foreseen_is_no_regression(
    error, status, text, monkeypatch, capsys
):
    monkeypatch.setattr("benchmarks.cli.check._command", fails(error))
    assert main(["check"]) == status
    line = told(capsys)
    assert text in line
    assert ("python -X dev" in line) == (status == 2)
    if status == 2:
        assert f"{__file__}, line " in line


LONG = "a" * 300, "a/" * 3000
PLACED = [
    ["run", "tiny", "--out", "LONG"],
    ["run", "tiny", "--cell", "LONG:A"],
    ["run", "tiny", "--cell", "LONG.py:A"],
    ["run", "tiny", "--task", "LONG:A"],
    ["table", "tiny", "--out", "LONG"],
    ["status", "--out", "LONG"],
    ["report", "tiny", "--out", "LONG"],
    ["search", "quick", "--out", "LONG"],
    ["inspect", "tiny", "two-sequence-20.rnn", "--out", "LONG"],
    ["merge", "LONG", "--out", "out"],
    ["compare", "LONG", "LONG"],
    ["check", "--baseline", "LONG"],
    ["check", "--junit", "LONG"],
    ["baseline", "--baseline", "LONG"],
]


@pytest.mark.parametrize("name", LONG, ids=["name", "path"])
@pytest.mark.parametrize("command", PLACED, ids=" ".join)
def test_a_path_that_is_too_long_is_one_short_line(name, command, tmp_path, capsys, monkeypatch):
    monkeypatch.chdir(tmp_path)
    assert main([each.replace("LONG", name) for each in command]) == 2
    line = told(capsys)
    assert "unexpected" not in line
    assert len(line) < 1000
    assert list(tmp_path.iterdir()) == []


LEAKY = Path(__file__).parents[1] / "cells/leaky.py"
READING = [
    ["table", "tiny", "--out", "LONG"],
    ["report", "tiny", "--out", "LONG"],
    ["report", "tiny", "--cell", f"{LEAKY}:Leaky", "--out", "LONG"],
    ["sample", "streams", "hello.rnn", "--out", "LONG"],
    ["merge", "LONG", "--out", "out"],
    ["compare", "results", "LONG"],
]


@pytest.mark.parametrize("command", READING, ids=lambda command: " ".join(command[:3]))
def test_a_long_path_without_rows_is_one_short_line(command, tmp_path, capsys, monkeypatch):
    """A legal one, of which nothing can be said but that it has none."""
    monkeypatch.chdir(tmp_path)
    assert main([each.replace("LONG", "a/" * 1000) for each in command]) == 2
    line = told(capsys)
    assert "unexpected" not in line
    assert len(line) < 1000
    assert list(tmp_path.iterdir()) == []


def test_a_command_may_not_end_the_process(monkeypatch, capsys):
    monkeypatch.setattr("benchmarks.cli.check._command", lambda _: os._exit(0))
    before = os._exit
    assert main(["check"]) == 2
    assert "unexpected SystemExit: 0" in told(capsys)
    assert os._exit is before


@pytest.fixture(scope="module")
def results(tmp_path_factory):
    """A folder with some rows."""
    folder = tmp_path_factory.mktemp("é")
    each = suites.load("tiny").experiments[0]
    path = folder / "tiny" / "trials" / f"{each.name}.csv"
    store.add(path, rows(each, *[99] * 8, seed=0))
    asked = {"experiment": each.name, "digest": each.digest, "seed": 0, "trials": 9}
    store.add_requests(folder / "tiny", [asked])
    return folder


def full():
    """A stream that takes nothing."""
    return os.fdopen(os.open("/dev/full", os.O_WRONLY), "w")


def unread():
    """A stream that nobody reads."""
    reader, writer = os.pipe()
    os.close(reader)
    return os.fdopen(writer, "w")


PRINTING = [
    ["--help"],
    ["list"],
    ["list", "quick"],
    ["list", "--cells"],
    ["table", "tiny", "--out", "RESULTS"],
    ["status", "--out", "RESULTS"],
    ["merge", "RESULTS", "--out", "RESULTS/merged"],
    ["compare", "RESULTS", "RESULTS"],
]


def printing_to(stream, command, results, monkeypatch):
    """The status of a command that prints to a stream, which is closed then, as at the end."""
    with monkeypatch.context() as patch:
        patch.setattr(sys, "stdout", stream)
        status = main([each.replace("RESULTS", str(results)) for each in command])
    if stream:
        stream.close()  # raises if something is left that cannot be written
    return status


@pytest.mark.parametrize("command", PRINTING, ids=" ".join)
def test_a_full_output_is_told_and_status_3(command, results, monkeypatch, capsys):
    assert printing_to(full(), command, results, monkeypatch) == 3
    error = capsys.readouterr().err
    assert error == "benchmarks: not all could be printed (No space left on device)\n"


@pytest.mark.parametrize("command", PRINTING, ids=" ".join)
@pytest.mark.parametrize("stream", [unread, lambda: None], ids=["no reader", "closed"])
def test_an_output_that_nobody_reads_changes_nothing(stream, command, results, monkeypatch, capsys):
    assert printing_to(stream(), command, results, monkeypatch) == 0
    assert capsys.readouterr().err == ""


@pytest.mark.parametrize("verdict", [0, 1])
def test_check_says_by_its_status_what_nobody_reads(verdict, results, monkeypatch):
    def command(_):
        print("much " * 10_000)
        return verdict

    monkeypatch.setattr("benchmarks.cli.check._command", command)
    assert printing_to(unread(), ["check"], results, monkeypatch) == verdict
    assert printing_to(full(), ["check"], results, monkeypatch) == (verdict or 3)


@pytest.mark.parametrize("command", PRINTING, ids=" ".join)
def test_characters_that_the_terminal_lacks_are_escaped(command, results, monkeypatch, tmp_path):
    path = tmp_path / "out.txt"
    stream = path.open("w", encoding="ascii")
    assert printing_to(stream, command, results, monkeypatch) == 0
    printed = path.read_text()
    assert ("\\xe9" in printed) == (command[0] in ("table", "merge", "compare"))
