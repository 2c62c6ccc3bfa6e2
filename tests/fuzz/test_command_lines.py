"""Words in any order after `python -m benchmarks`; nothing is trained or drawn."""

from pathlib import Path

import pytest
from hypothesis import strategies as st

from benchmarks.cli import main
from benchmarks.errors import FailedError, UsageError
from tests.fuzz.trying import COUNTS, printed, tried

CELLS = Path(__file__).parents[1] / "cells"
COMMANDS = [each.__name__.rpartition(".")[2].replace("listing", "list") for each in main.COMMANDS]
SUITES = ["tiny", "quick", "gradient-flow", "paper", "smoke", "QUICK", "no-suite", ""]
PATTERNS = ["*", "two-sequence-20.rnn", "two-*", "[", "[!", "\x1b[31m", "adding-40.lstm", "ö", "-"]
OPTIONS = [
    *("--trials", "--seed", "--shard", "--configurations", "--hidden", "--weights", "--layers"),
    *("--delay", "--budget", "--rate", "--cell", "--task", "--out", "--baseline", "--junit"),
    *(
        "--markdown",
        "--only",
        "--cluster",
        "--cells",
        "--keep-weights",
        "--help",
        "--",
        "-h",
        "--nothing",
    ),
]
NUMBERS = ["0", "1", "2", "-1", "20", "2000", "10001", "9" * 30, "1/2", "2/1", "²", "٣", "1e3"]
NUMBERS += ["0.1", "nan", "inf", "1e-400", "1_0", "+1", " 1", "", "20,30", "1,", ","]
PLACES = [
    "out",
    "file",
    "file/below",
    "/dev/full",
    "/dev/null",
    "a" * 300,
    "[/red]",
    "a\nb",
    "",
    "\udcff",  # a byte that is no text
]
PLACES += ["=1+1", "-x", "results.csv", "~", "."]
SPECS = [
    f"{CELLS}/leaky.py:{name}" for name in ("Leaky", "Leaky(3)", "WrongCarry", "No", "Leaky(a=")
]
SPECS += [
    "flax.nnx:GRUCell",
    "flax.linen:GRUCell",
    "os:system",
    ":",
    "a:b:c",
    "nowhere.py:A",
    "/:A",
]
SPECS += [
    "tasks.adding:Adding",
    "tasks.adding:Adding(T=30)",
    "tasks.adding:Adding(T=0)",
    "\udcff.py:A",
]
TEXTS = st.text(st.characters(exclude_characters="\0"), max_size=5)  # no system passes a NUL

WORDS = st.one_of(*map(st.sampled_from, (SUITES, PATTERNS, OPTIONS, NUMBERS, PLACES, SPECS)))
FITTING = {
    "--cell": SPECS,
    "--task": SPECS,
    "--only": PATTERNS,
    "--cluster": ["local", "slurm:2", "slurm:0", "tcp://127.0.0.1:1", "\udcff", ""],
    **dict.fromkeys(("--out", "--baseline", "--junit", "--markdown"), PLACES),
}


@st.composite
def option(draw):
    """An option, mostly with a value of its kind."""
    name = draw(st.sampled_from(OPTIONS))
    return [name, value_of(draw, name)]


def value_of(draw, name):
    """Mostly of its kind."""
    if draw(st.integers(0, 9)) == 0:
        return draw(TEXTS)
    return draw(st.sampled_from(FITTING.get(name, NUMBERS)))


CHANGES = ["--cell", "--task", "--hidden", "--weights", "--layers", "--delay", "--budget"]
CHANGES += ["--rate", "--trials", "--out"]
TAKEN = {
    "run": [*CHANGES, "--seed", "--shard", "--keep-weights", "--cluster"],
    "table": CHANGES,
    "search": [*CHANGES, "--configurations", "--cluster"],
    "inspect": [*CHANGES, "--seed"],
    "flow": [*CHANGES, "--seed"],
    "report": ["--only", "--cell", "--out"],
    "check": ["--baseline", "--cell", "--seed", "--junit", "--markdown"],
    "baseline": ["--baseline", "--cell", "--seed"],
    "status": ["--out"],
    "list": ["--cells"],
    "merge": ["--out"],
}


@st.composite
def sensible(draw):
    """A command with a suite, and options that it takes."""
    command = draw(st.sampled_from(sorted(TAKEN)))
    words = [draw(st.sampled_from(SUITES if command != "merge" else PLACES))]
    if command in ("run", "table", "search", "inspect", "flow"):
        words += draw(st.lists(st.sampled_from(PATTERNS), max_size=1))
    for name in draw(st.lists(st.sampled_from(TAKEN[command]), max_size=4)):
        value = [] if name in ("--keep-weights", "--cells") else [value_of(draw, name)]
        words += [name, *value]
    return [command, *words]


@st.composite
def nonsense(draw):
    """A command, words, options."""
    command = draw(st.sampled_from([*COMMANDS, "dance", ""]))
    words = draw(st.lists(st.sampled_from(SUITES + PATTERNS), max_size=3))
    options = draw(st.lists(st.one_of(option(), WORDS.map(lambda word: [word])), max_size=3))
    return [command, *words, *(each for some in options for each in some)]


@pytest.fixture
def _nothing_trains(tmp_path, monkeypatch):
    """In a folder of its own; what would take long raises what it may raise."""

    def failing(*_, **__):
        raise FailedError("not trained here")

    def refusing(name, _):
        raise UsageError(f"no scheduler of Dask answers at {name}")

    for place in (
        *("benchmarks.running.runner.run", "benchmarks.running.flow_study.run"),
        *("benchmarks.running.search.search", "benchmarks.inside.inspection.draw"),
        *("benchmarks.check.run.trials", "benchmarks.report.page.write"),
        *("benchmarks.cli.doctor.findings", "benchmarks.speed.run"),
        "benchmarks.running.trained_flow.run",
    ):
        monkeypatch.setattr(place, failing)
    monkeypatch.setattr("benchmarks.running.cluster.connected", refusing)
    for module in ("arguments", "table"):
        monkeypatch.setattr(f"benchmarks.cli.{module}.RESULTS", tmp_path)
    monkeypatch.setattr("benchmarks.suites.sizes.matched", lambda *_: 3)
    monkeypatch.chdir(tmp_path)
    Path("file").write_text("mine")


@pytest.mark.usefixtures("_nothing_trains")
@pytest.mark.parametrize("count", COUNTS)
def test_every_command_line_works_or_is_refused_in_one_line(count):
    def check(words):
        with printed() as (_, errors):
            status = main.main(words)
        told = errors.getvalue()
        assert status in (0, 2, 3)
        assert "benchmarks: unexpected" not in told
        assert told.count("\n") == (status != 0), told

    tried(count, st.one_of(sensible(), nonsense()), check)
    assert Path("file").read_text() == "mine"
