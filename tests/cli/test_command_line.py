import math
import os
import signal
import subprocess
import sys
import time
from dataclasses import replace
from pathlib import Path

import pytest

from benchmarks import suites
from benchmarks.cli import arguments, listing, run
from benchmarks.cli.main import main
from benchmarks.errors import UsageError
from benchmarks.running import search, store
from benchmarks.suites.cells import EVERY
from tests.support.made_up import rows

pytestmark = pytest.mark.usefixtures("one_worker")

ROOT = Path(__file__).parents[2]
CELL = ROOT / "tests" / "cells" / "leaky.py"


def files(folder):
    """Every file below a folder, with its text."""
    return {path: path.read_bytes() for path in folder.rglob("*") if path.is_file()}


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["run", "fast"], "no suite 'fast'; there are:"),
        (["list", "fast"], "no suite 'fast'"),
        (["run", "quick", "nothing-*"], "no experiment of quick is called 'nothing-*'; see:"),
        (["run", "quick", "--trials", "0"], "must be a whole number from 1 on, not 0"),
        (["run", "quick", "--trials", "-3"], "not -3"),
        (["run", "quick", "--trials", "many"], "not many"),
        (["run", "quick", "--trials", "10001"], "must be at most 10000, not 10001"),
        (["run", "quick", "--trials", "9" * 30], "must be at most 10000"),
        (["run", "quick", "--shard", "2"], "must be I/N with I from 1 to N, not 2"),
        (["run", "quick", "--shard", "3/2"], "must be I/N"),
        (["run", "quick", "--shard", "0/2"], "from 1 on, not 0"),
        (["run", "quick", "--shard", "1/x"], "from 1 on, not x"),
        (["run", "quick", "--cell", f"{CELL}:Leaky", "--shard", "1/2"], "search quick with the"),
        (["check", "gradient-flow"], "there is nothing to check"),
        (["baseline", "gradient-flow"], "there is nothing to check"),
        (["sample", "streams", "hello-5.rnn", "--temperature", "1e-9"], "must be at least 0.001"),
        (["run", "quick", "--seed", "-1"], "--seed: must be a whole number"),
        (["run", "quick", "--seed", "271828"], "the seed of the search"),
        (["run", "quick", "--cell", "nowhere.py:Cell"], "cannot read the cell file"),
        (["run", "quick", "--cell", f"{CELL}:WrongOutput"], "output of shape"),
        (["run", "compare", "copy-100.nog"], "copy-100.nog has not been searched; first: python"),
        (["search", "tiny"], "there is nothing to search"),
        (["search", "smoke"], "there is nothing to search but for a cell of one's own"),
        (["search", "quick", "--rate", "0.1"], "unrecognized arguments: --rate 0.1"),
        (["run", "quick", "--delay", "9" * 20], "must be at most 2147483647"),
        (["run", "quick", "--budget", "4294968000"], "must be at most 2147483647"),
        (["search", "quick", "--configurations", "0"], "must be a whole number from 1 on"),
        (["run", "quick", "--cell", f"{CELL}:Leaky(3)"], "must be given by name"),
        (["run", "quick", "--cell", "flax.linen:GRUCell"], "is a Linen module"),
        (["run", "gradient-flow", "--keep-weights"], "there are no weights to keep"),
        (["run", "gradient-flow", "--cluster", "local"], "a cluster has nothing to do"),
        (["run"], "required: suite"),
        (["dance"], "invalid choice"),
        ([], "required: COMMAND"),
    ],
)
def test_misuse_is_one_line_and_status_2(arguments, message, tmp_path, capsys):
    out = ["--out", str(tmp_path)] if arguments[:1] == ["run"] else []
    assert main(arguments + out) == 2
    printed = capsys.readouterr()
    assert message in printed.err
    assert printed.err.count("\n") == 1
    assert printed.out == ""
    assert files(tmp_path) == {}


@pytest.mark.parametrize(
    ("command", "variable", "value", "message"),
    [
        (["run", "tiny"], "JAX_PLATFORMS", "cuda", "no device of JAX_PLATFORMS=cuda; install"),
        (["run", "tiny"], "XLA_FLAGS", "--xla_odd=1", "does XLA know XLA_FLAGS=--xla_odd=1? Mend"),
        (["report", "quick"], "MPLBACKEND", "nonsense", "'nonsense' is not a valid value"),
        (["inspect", "adding-40.lstm"], "MPLBACKEND", "nonsense", "matplotlib cannot draw: Key"),
    ],
)
def test_what_the_environment_asks_for_and_is_not_there(
    command, variable, value, message, tmp_path
):
    done = subprocess.run(
        [sys.executable, "-m", "benchmarks", *command, "--out", str(tmp_path)],
        env=os.environ | {variable: value},
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=100,
    )
    if variable == "JAX_PLATFORMS" and done.returncode == 0:
        pytest.skip("there is such a device")
    assert done.returncode == 2
    assert message in done.stderr
    assert done.stderr.count("\n") == 1
    assert not list(tmp_path.rglob("*.*.csv"))  # no rows of any experiment


def test_a_table_of_nothing(tmp_path, capsys):
    assert main(["table", "quick", "--out", str(tmp_path)]) == 2
    assert "make some with: python -m benchmarks run quick" in capsys.readouterr().err
    assert files(tmp_path) == {}


def test_an_unwritable_folder(tmp_path, capsys):
    (tmp_path / "file").write_text("mine")
    assert main(["run", "tiny", "--out", str(tmp_path / "file")]) == 2
    error = capsys.readouterr().err
    assert "cannot write results to" in error
    assert error.count("\n") == 1
    assert (tmp_path / "file").read_text() == "mine"


@pytest.mark.parametrize("verb", ["run", "table"])
def test_a_results_file_of_another_schema(tmp_path, capsys, verb):
    path = tmp_path / "tiny" / "trials" / "adding-20.rnn.csv"
    path.parent.mkdir(parents=True)
    path.write_text("old,columns\n1,2\n")
    assert main([verb, "tiny", "--out", str(tmp_path)]) == 2
    error = capsys.readouterr().err
    assert "is not a results file of this version" in error
    assert error.count("\n") == 1
    assert files(tmp_path) == {path: b"old,columns\n1,2\n"}


@pytest.mark.parametrize("what", [[], ["--cells"]])
def test_lists_fit_80_columns_and_lose_no_word(what, capsys):
    assert main(["list", *what]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert max(map(len, lines)) <= 80
    words = [word for line in lines for word in line.split()]
    titles = [suites.load(name).title for name in suites.names()]
    texts = [listing.described(cell) for cell in EVERY.values()] if what else titles
    expected = [word for text in texts for word in text.split()]
    remaining = iter(words)
    assert all(word in remaining for word in expected)  # in this order


def test_cells_are_listed_in_words_that_need_no_code():
    assert not [text for text in map(listing.described, EVERY.values()) if "`" in text]


def test_names_of_folders_are_text(tmp_path, capsys):
    """Neither markup nor a command to the terminal nor a second line."""
    folder = tmp_path / "[red]a[/bold]\x1b[31m\nb"
    each = suites.load("tiny").experiments[0]
    done = rows(each, 40, 80)
    assert main(["table", "tiny", "--out", str(folder)]) == 2
    error = capsys.readouterr().err
    assert "[red]a[/bold]\\x1b[31m\\nb" in error
    assert error.count("\n") == 1
    store.add(folder / "tiny" / "trials" / f"{each.name}.csv", done)
    assert main(["table", "tiny", "--out", str(folder)]) == 0
    printed = capsys.readouterr().out
    assert "[red]a[/bold]\\x1b[31m" in printed
    assert "\x1b[31m" not in printed


def test_list_names_suites_and_experiments(capsys):
    assert main(["list"]) == 0
    assert {"quick", "lags", "smoke", "tiny"} <= {
        line.split()[0] for line in capsys.readouterr().out.splitlines()
    }
    assert main(["list", "quick"]) == 0
    assert "adding-40.lstm" in capsys.readouterr().out


@pytest.mark.parametrize(("suite", "count"), [("compare", 24), ("quick", 24), ("lags", 12)])
def test_the_search_that_a_run_asks_for_is_the_suites_own(suite, count):
    unknown = replace(suites.load(suite).experiments[0], rate=math.nan)
    with pytest.raises(UsageError, match=f"search {suite} --configurations {count} --out results"):
        run._known(suite, [unknown], arguments.console())


def test_help_teaches():
    ask = [sys.executable, "-m", "benchmarks", "--help"]
    done = subprocess.run(ask, cwd=ROOT, capture_output=True, text=True, timeout=100)
    assert done.returncode == 0
    assert "--cell my.py:MyCell" in done.stdout
    assert "continues where it stopped" in done.stdout


def test_run_continues_where_it_stopped_and_prints_a_table(tmp_path, capsys):
    arguments = ["run", "tiny", "two-sequence-20.rnn", "--out", str(tmp_path)]
    assert main([*arguments, "--trials", "3", "--shard", "1/3"]) == 0
    first = capsys.readouterr().out
    assert "Share 1 of 3 is finished. When all are, with the same options: python -m ben" in first
    assert f"table tiny --out {tmp_path}\n" in first
    assert not (tmp_path / "tiny" / "table.md").exists()
    (path,) = (tmp_path / "tiny" / "trials").glob("*.csv")
    (curve,) = (tmp_path / "tiny" / "curves").glob("*.csv")
    assert curve.name == path.name
    earlier = store.read(path)
    assert earlier["trial"].tolist() == [0]
    assert main([*arguments, "--trials", "3"]) == 0
    second = capsys.readouterr().out
    assert "of 2, " in second  # only the two that were missing
    later = store.read(path)
    assert later["trial"].tolist() == [0, 1, 2]
    assert later[:1].equals(earlier)
    assert later["device"].str.len().min() > 0
    assert store.read_curves(tmp_path / "tiny")["trial"].unique().tolist() == [0, 1, 2]
    assert "3/3" in second
    assert "two-sequence-20" in second
    assert main([*arguments, "--trials", "3"]) == 0
    assert "sequences, " not in capsys.readouterr().out.split("A minute")[0]  # nothing was trained
    assert store.read(path).equals(later)


def test_trials_that_kept_no_network_are_told(tmp_path, capsys):
    arguments = ["run", "tiny", "two-sequence-20.rnn", "--budget", "2000", "--trials", "1"]
    assert main([*arguments, "--out", str(tmp_path)]) == 0
    assert "without keeping" not in capsys.readouterr().out
    assert main([*arguments, "--keep-weights", "--out", str(tmp_path)]) == 0
    assert "1 trials were run before without keeping their networks" in capsys.readouterr().out


@pytest.mark.slow
def test_a_users_cell_runs_with_a_rate_of_its_own_and_without_registration(tmp_path, monkeypatch):
    monkeypatch.setenv("BENCHMARKS_XLA", "1")  # it really learns, so compiling well pays
    monkeypatch.setattr(search, "CONFIGURATIONS", 2)
    arguments = ["quick", "two-sequence-*", "--cell", f"{CELL}:Leaky", "--out", str(tmp_path)]
    assert main(["run", *arguments, "--trials", "2"]) == 0
    rows = store.read(tmp_path / "quick" / "trials" / "two-sequence-50.Leaky.csv")
    assert rows["cell"].tolist() == ["Leaky"] * 2
    assert [key[:3] for key in search.chosen(tmp_path / "quick")] == [("two-sequence", 50, "Leaky")]
    tried = store.read_suite(tmp_path / "quick" / "search")
    assert tried["digest"].nunique() == 2


@pytest.mark.slow  # test_changes.py has two cells, on a task of one's own
def test_every_suite_takes_a_users_cell(tmp_path):
    arguments = ["tiny", "two-sequence-*", "--cell", f"{CELL}:Leaky", "--out", str(tmp_path)]
    assert main(["run", *arguments, "--trials", "1"]) == 0
    assert store.read(tmp_path / "tiny" / "trials" / "two-sequence-20.Leaky.csv")["rate"][0] == 0.01


# Who starts the tests in the background of a script hands an ignored SIGINT down to all of them.
HEARS_SIGINT = """
import os, signal, sys
signal.signal(signal.SIGINT, signal.SIG_DFL)
os.execv(sys.executable, [sys.executable, *sys.argv[1:]])
"""


def started(folder):
    """A run of some of `tiny` in a process group of its own, once its first row is on disk."""
    run = ["-m", "benchmarks", "run", "tiny", "two-sequence-*", "--out", str(folder)]
    process = subprocess.Popen(
        [sys.executable, "-c", HEARS_SIGINT, *run],
        cwd=ROOT,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
    )
    deadline = time.monotonic() + 200
    while not list(folder.glob("tiny/trials/*.csv")) and time.monotonic() < deadline:
        time.sleep(0.1)
    return process


def assert_rows_are_whole(folder):
    assert len(store.read_suite(folder / "tiny")) > 0
    left = {path.name for path in (folder / "tiny" / "trials").iterdir() if path.suffix != ".csv"}
    assert left == {".locks"}


@pytest.mark.slow
def test_an_interrupted_run_keeps_what_is_finished(tmp_path):
    process = started(tmp_path)
    os.killpg(process.pid, signal.SIGINT)  # as a terminal's Ctrl-C does
    _, error = process.communicate(timeout=100)
    assert process.returncode == 130
    assert error.strip().endswith("the same command continues")
    assert "Traceback" not in error
    assert_rows_are_whole(tmp_path)


def test_a_killed_run_leaves_no_worker_behind(tmp_path):
    process = started(tmp_path)
    process.kill()
    process.communicate(timeout=100)
    assert_rows_are_whole(tmp_path)
    deadline = time.monotonic() + 60
    while alive(process.pid) and time.monotonic() < deadline:
        time.sleep(0.1)
    assert not alive(process.pid)


def alive(group):
    """Whether any process of a process group is left."""
    try:
        os.killpg(group, 0)
    except ProcessLookupError:
        return False
    return True
