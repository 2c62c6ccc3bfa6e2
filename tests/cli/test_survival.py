"""Real runs that are killed, stopped, or lose what they need: nothing finished is lost."""

import errno
import io
import multiprocessing
import os
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
from rich.console import Console

from benchmarks.check.studies import kills
from benchmarks.cli.main import main
from benchmarks.errors import IncompleteError
from benchmarks.learning.lanes import Run
from benchmarks.running import failures, jobs, rows, runner, store, workers
from tests.support.training import train

ROOT = Path(__file__).parents[2]
TRIED = kills.Case("tiny", "two-sequence-20.rnn", budget=10_000, trials=6, rate=1e-6)


@pytest.fixture(scope="module")
def expected():
    """Of the trials that the tests run."""
    return uninterrupted(TRIED)


def uninterrupted(case):
    """Rows of a case but for their seconds, and points of its curves, trained here."""
    runs = [Run(case.experiment, i) for i in range(case.trials)]
    blocks = [each for block in train(0, runs) for each in block]
    trained = store.frame([row for each in blocks for row in each.rows])
    points = store.frame([p for each in blocks for p in each.points], store.CURVE_COLUMNS)
    return ordered(trained, "trial"), ordered(points, "trial", "sequences")


def ordered(rows, *names):
    return rows.drop(columns="seconds", errors="ignore").sort_values([*names], ignore_index=True)


def found(folder):
    trained, points = store.read_suite(folder), store.read_curves(folder)
    return ordered(trained, "trial"), ordered(points, "trial", "sequences")


def assert_complete(folder, expected):
    for mine, theirs in zip(found(folder), expected, strict=True):
        assert mine.equals(theirs)
    assert not (folder / "checkpoints").exists()


@pytest.fixture
def run(tmp_path, monkeypatch, one_worker):
    """A function that runs what is missing with one worker, and returns what it prints."""
    monkeypatch.setattr(jobs, "LEAST_PAUSE", 0.0)

    def run():
        console = Console(file=io.StringIO(), width=1000)
        runner.run([TRIED.experiment], 0, tmp_path, console, curves=True)
        return console.file.getvalue()

    return run


def on_block(monkeypatch, number, then):
    """Does something when the parent gets so many blocks."""
    follow, count = jobs.Part.follow, iter(range(1000))

    def followed(part, sent):
        if sent[0] and next(count) == number:
            then()
        return follow(part, sent)

    monkeypatch.setattr(jobs.Part, "follow", followed)


OFTEN = f"""
from benchmarks.running import jobs
jobs.LEAST_PAUSE = {kills.EVERY}
"""  # more states, so that less has to be trained between two kills


@pytest.mark.slow
def test_a_run_that_is_killed_again_and_again_ends_with_the_same_rows(tmp_path, monkeypatch):
    monkeypatch.setattr(kills, "RUN", OFTEN + kills.RUN)
    folder, long, times = tmp_path / "out", TRIED._replace(budget=800_000), 20
    done, resumed = kills.killed(long, folder, tmp_path / "cache", times, spread=0.4)
    assert done == resumed == times
    assert_complete(folder, uninterrupted(long))


@pytest.mark.parametrize(
    ("error", "text"),
    [
        (errno.ENOSPC, "No space left on device"),
        pytest.param(errno.EROFS, "Read-only file system", marks=pytest.mark.slow),
    ],
)
def test_a_disk_that_takes_no_more_rows(run, tmp_path, expected, monkeypatch, error, text):
    sync, calls = os.fsync, iter(range(1000))

    def fails(handle):
        if next(calls) >= 2:  # after the first row and its curve
            raise OSError(error, os.strerror(error))
        sync(handle)

    with monkeypatch.context() as patch:
        patch.setattr(os, "fsync", fails)
        with pytest.raises(IncompleteError, match=text) as caught:
            run()
    assert f"not written: {TRIED.name}, trials " in str(caught.value)
    assert "\n" not in str(caught.value)
    run()
    assert_complete(tmp_path, expected)


def test_a_folder_that_is_removed_is_told_and_not_made_again(run, tmp_path, monkeypatch):
    row, add = {}, rows.Rows.add

    def removed(self, result):
        if row:
            shutil.rmtree(tmp_path)
        row.update(result.rows[0])
        add(self, result)

    monkeypatch.setattr(rows.Rows, "add", removed)
    with pytest.raises(IncompleteError, match=r"rows have been removed .*: .*rnn \([1-4]\); the"):
        run()
    assert not tmp_path.exists()


@pytest.mark.parametrize("memory", [False, True])
def test_a_worker_that_is_killed(run, tmp_path, expected, monkeypatch, memory):
    """A job goes on in another; with other rows, in their last bits, only if memory was short."""
    if memory:
        counts = iter(range(1000))
        monkeypatch.setattr(workers, "memory_kills", lambda: next(counts))
    on_block(monkeypatch, 3, lambda: multiprocessing.active_children()[0].kill())
    told = run()
    if memory:
        assert f"{TRIED.name} (6 trials): a worker process was killed (out of memory); goes" in told
        assert "goes on in half as many lanes" in told
        assert found(tmp_path)[0]["trial"].tolist() == list(range(6))
    else:
        assert "a worker process was killed (SIGKILL); goes on from its latest state" in told
        assert_complete(tmp_path, expected)


SIGNALS = [
    (signal.SIGTERM, 143),
    pytest.param(signal.SIGHUP, 129, marks=pytest.mark.slow),
    pytest.param(signal.SIGINT, 130, marks=pytest.mark.slow),
]


@pytest.mark.usefixtures("_hears")
@pytest.mark.parametrize(("number", "status"), SIGNALS)
def test_a_signal_stops_between_two_steps(
    run, tmp_path, expected, monkeypatch, capsys, number, status
):
    """In the place of a command; the state is saved, and the run goes on from there."""
    signals = {name: signal.getsignal(name) for name in (signal.SIGTERM, signal.SIGHUP)}
    with monkeypatch.context() as patch:
        patch.setattr("benchmarks.cli.search._command", lambda options: run())
        on_block(patch, 3, lambda: signal.raise_signal(number))
        assert main(["search", "quick", "--out", str(tmp_path)]) == status
    told = "benchmarks: interrupted; what is done is kept, and the same command continues\n"
    assert capsys.readouterr().err == told
    assert {name: signal.getsignal(name) for name in signals} == signals
    assert len(list((tmp_path / "checkpoints").glob("*.npz"))) == 1
    assert "6 trials go on" in run() or len(found(tmp_path)[0]) > 0
    assert_complete(tmp_path, expected)


@pytest.mark.usefixtures("_hears")
def test_asked_twice_it_stops_at_once(run, tmp_path, monkeypatch):
    def twice():
        signal.raise_signal(signal.SIGINT)
        signal.raise_signal(signal.SIGINT)

    on_block(monkeypatch, 3, twice)
    with pytest.raises(KeyboardInterrupt):
        run()
    assert multiprocessing.active_children() == []
    assert store.read_suite(tmp_path).empty


BAD = """
import multiprocessing
from flax import nnx

class Bad(nnx.GRUCell):
    def __call__(self, carry, x):
        if multiprocessing.parent_process():
            raise ArithmeticError("not in [a] worker\\nat all")
        return super().__call__(carry, x)
"""


@pytest.mark.usefixtures("one_worker")
def test_an_experiment_that_raises_is_recorded_and_the_others_go_on(tmp_path, capsys):
    (tmp_path / "bad.py").write_text(BAD)
    cells = [f"{tmp_path}/bad.py:Bad", f"{ROOT}/tests/cells/leaky.py:Leaky"]
    wanted = ["tiny", "two-sequence-*", "--cell", cells[0], "--cell", cells[1]]
    assert main(["run", *wanted, "--trials", "1", "--out", str(tmp_path)]) == 3
    told, folder = capsys.readouterr(), tmp_path / "tiny"
    reason = "ArithmeticError: not in [a] worker at all"
    path = folder / "failed" / "two-sequence-20.Bad.txt"
    assert told.err == f"benchmarks: two-sequence-20.Bad failed ({reason}); see {path}\n"
    assert "two-sequence-20" in told.out  # the table of the other
    assert store.read_suite(folder)["cell"].tolist() == ["Leaky"]
    assert failures.read(folder) == {"two-sequence-20.Bad": reason}
    assert 'bad.py", line 8, in __call__' in path.read_text()
    (tmp_path / "bad.py").write_text(BAD.replace("if multi", "if not multi"))
    failures.forget(folder, ["two-sequence-20.Bad", "another"])
    assert failures.read(folder) == {}


HEARS_ALL = """
import os, signal, sys
for each in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
    signal.signal(each, signal.SIG_DFL)
os.execv(sys.executable, [sys.executable, *sys.argv[1:]])
"""


def command(*arguments):
    """A command in a process group of its own, which hears all signals."""
    return subprocess.Popen(
        [sys.executable, "-c", HEARS_ALL, "-m", "benchmarks", *arguments],
        cwd=ROOT,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
    )


def test_a_terminated_group_of_processes_leaves_nothing_behind(tmp_path):
    options = ["two-sequence-20.rnn", "--rate", "0.000001", "--budget", "2000000"]
    process = command("run", "tiny", *options, "--out", str(tmp_path))
    deadline = time.monotonic() + 200
    while not list(tmp_path.glob("tiny/trials")) and time.monotonic() < deadline:
        time.sleep(0.1)
    os.killpg(process.pid, signal.SIGTERM)  # as a scheduler does, workers included
    _, error = process.communicate(timeout=100)
    assert process.returncode == 143
    told = "benchmarks: interrupted; what is done is kept, and the same command continues\n"
    assert error == told


@pytest.mark.parametrize(
    ("number", "status"), [(signal.SIGTERM, 143), (signal.SIGHUP, 129), (signal.SIGINT, 130)]
)
def test_a_signal_while_it_starts(number, status):
    process = command("run", "tiny")
    time.sleep(1)
    os.killpg(process.pid, number)
    _, error = process.communicate(timeout=100)
    assert process.returncode in (status, -number)  # the latter before there is any Python
    told = "benchmarks: interrupted; "  # how it goes on depends on how far it was
    assert error.startswith(told) if process.returncode == status else not error
    assert error.count("\n") <= 1
