"""Runs on a cluster of Dask: the rows of a local run, whoever dies, joins or does not fit."""

import functools
import io
import os
import re
import signal
import subprocess
import sys
import tempfile
import threading
import time
from collections import deque
from types import SimpleNamespace

import pytest
from distributed import LocalCluster
from rich.console import Console

import benchmarks
from benchmarks.check.studies import kills
from benchmarks.errors import IncompleteError, UsageError
from benchmarks.learning.lanes import Run
from benchmarks.learning.provenance import code
from benchmarks.running import cluster, jobs, pool, runner, site, store
from benchmarks.running.workers import Place
from tests.cells.leaky import Leaky
from tests.support.training import train

TRAINED = kills.Case("tiny", "two-sequence-20.rnn", budget=10_000, trials=4, rate=1e-6).experiment
INSIDE = {"threads_per_worker": 1, "processes": False, "dashboard_address": ":0"}
DIFFERENT = ["commit", "dirty", "seconds"]  # these are others of the same trials


@pytest.fixture(scope="module")
def two():
    """Two workers of Dask, each a process with one thread."""
    with LocalCluster(
        n_workers=2, threads_per_worker=1, processes=True, dashboard_address=":0"
    ) as started:
        yield started


@pytest.fixture
def console():
    return Console(file=io.StringIO(), width=1000)


@pytest.fixture
def start(two, console):
    """How workers of this cluster are started."""
    with pool.opened(two.scheduler_address, console) as start:
        yield start


@pytest.fixture(scope="module")
def expected():
    """Rows and curves of trials that are trained here."""
    runs = [Run(TRAINED, i) for i in range(TRAINED.trials)]
    blocks = [each for block in train(0, runs) for each in block]
    return ordered(
        store.frame([row for each in blocks for row in each.rows]),
        store.frame([point for each in blocks for point in each.points], store.CURVE_COLUMNS),
    )


def ordered(rows, points):
    """What is the same of the same trials, in one order."""
    return (
        rows.drop(columns=DIFFERENT).sort_values("trial", ignore_index=True),
        points.sort_values(["trial", "sequences"], ignore_index=True),
    )


def assert_same(folder, expected):
    found = ordered(store.read_suite(folder), store.read_curves(folder))
    for mine, theirs in zip(found, expected, strict=True):
        assert mine.equals(theirs)
    assert not (folder / "checkpoints").exists()


def on_block(monkeypatch, then):
    """Does something once, when the client has got a block."""
    follow, todo = jobs.Part.follow, [then]

    def followed(part, sent):
        if sent[0] and todo:
            todo.pop()()
        return follow(part, sent)

    monkeypatch.setattr(jobs.Part, "follow", followed)


def kill_all(two):
    """Kills the workers of Dask, with the processes where they compute; others are started."""
    for each in two.workers.values():
        os.kill(each.pid, signal.SIGKILL)


@pytest.mark.slow
def test_rows_and_curves_are_those_of_a_local_run(start, console, tmp_path, expected):
    runner.run([TRAINED], 0, tmp_path, console, curves=True, start=start)
    assert_same(tmp_path, expected)
    assert ", 2 workers\n" in console.file.getvalue()


@pytest.mark.slow
def test_when_all_workers_are_killed_nothing_is_lost(
    two, start, console, tmp_path, expected, monkeypatch
):
    monkeypatch.setattr(jobs, "LEAST_PAUSE", 0.0)
    on_block(monkeypatch, functools.partial(kill_all, two))
    runner.run([TRAINED], 0, tmp_path, console, curves=True, start=start)
    assert_same(tmp_path, expected)
    told = console.file.getvalue()
    assert " is gone; goes on from its latest state\n" in told
    assert ", 0 workers\n" in told


@pytest.mark.slow
@pytest.mark.usefixtures("_hears")
def test_a_signal_saves_the_states_and_gives_the_calls_up(
    two, start, console, tmp_path, expected, monkeypatch
):
    monkeypatch.setattr(jobs, "LEAST_PAUSE", 0.0)
    with monkeypatch.context() as patch:
        on_block(patch, functools.partial(signal.raise_signal, signal.SIGINT))
        with pytest.raises(KeyboardInterrupt):
            runner.run([TRAINED], 0, tmp_path, console, curves=True, start=start)
    assert list((tmp_path / "checkpoints").glob("*.npz"))
    runner.run([TRAINED], 0, tmp_path, console, curves=True, start=start)
    assert " trials go on." in console.file.getvalue()
    assert_same(tmp_path, expected)


CLIENT = f"""
import sys
from benchmarks.cli.main import main
from benchmarks.running import checkpoints, jobs
checkpoints.EVERY = jobs.LEAST_PAUSE = {kills.EVERY}
sys.exit(main(sys.argv[1:]))
"""


@pytest.mark.slow
@pytest.mark.parametrize(("number", "status"), [(signal.SIGTERM, 143), (signal.SIGKILL, -9)])
def test_the_command_of_a_client_that_has_ended_continues(two, tmp_path, number, status):
    """A client that can speak gives its calls up; of one that is killed, the workers notice."""
    case = kills.Case("tiny", TRAINED.name, budget=30_000, trials=4, rate=1e-6)
    options = f"--budget {case.budget} --trials {case.trials} --rate {case.rate}".split()
    where = ["--cluster", two.scheduler_address, "--out", str(tmp_path)]
    command = [sys.executable, "-c", CLIENT, "run", "tiny", case.name, *options, *where]
    began = time.time()
    with subprocess.Popen(command, stdout=subprocess.DEVNULL) as client:
        while not kills.written_since(tmp_path / "tiny", began):
            assert client.poll() is None
            time.sleep(0.05)
        client.send_signal(number)
    assert client.returncode == status
    told = subprocess.run(command, check=True, capture_output=True, text=True).stdout
    assert " trials go on." in told
    local = benchmarks.run([case.experiment]).drop(columns=DIFFERENT)
    found = store.read_suite(tmp_path / "tiny").drop(columns=DIFFERENT)
    assert found.sort_values("trial", ignore_index=True).equals(local)


def until(path):
    """A call that tells its process, and ends once there is a file."""
    yield os.getpid()
    while not path.exists():
        time.sleep(0.05)


@pytest.fixture
def more(two):
    """A function that adds a worker to the two, until the end of the test."""
    yield lambda: two.scale(3)
    two.scale(2)
    deadline = time.monotonic() + 30
    while len(two.scheduler.workers) != 2 and time.monotonic() < deadline:
        time.sleep(0.1)


def test_a_worker_that_joins_late_gets_work(start, more, tmp_path):
    end = functools.partial(until, tmp_path / "end")
    calls, processes = deque((number, end) for number in range(3)), set()
    with start(False) as workers:
        assert len(workers) == 2
        for event in workers.run(calls):
            if event and event[1] and event[1] not in processes:
                processes.add(event[1])
                if len(processes) == 2:
                    more()
                if len(processes) == 3:
                    (tmp_path / "end").touch()
        assert len(workers) == 3
    assert len(processes) == 3


OTHER = r"worker \S+ has another jax \(\S+, here 9\.9\); see docs/CLUSTER\.md"


def test_a_worker_with_other_code_is_refused(two, console, monkeypatch):
    monkeypatch.setattr(cluster, "code", lambda: code() | {"jax": "9.9"})
    with (
        pytest.raises(UsageError, match=f"^{OTHER}$"),
        pool.opened(two.scheduler_address, console),
    ):
        pass


def test_one_that_joins_late_is_left_out(start, console, more, tmp_path, monkeypatch):
    calls = deque([(0, functools.partial(until, tmp_path / "end"))])
    with start(False) as workers:
        for event in workers.run(calls):
            if event and cluster.code is code:
                monkeypatch.setattr(cluster, "code", lambda: code() | {"jax": "9.9"})
                more()
            if "not used" in console.file.getvalue():
                (tmp_path / "end").touch()
        assert len(workers) == 2
    assert re.search(f"^{OTHER}; it is not used.$", console.file.getvalue(), re.MULTILINE)


def raising(error):
    """A call that raises."""
    yield 1
    raise error


def leaving():
    """A call whose process ends, but not the worker of Dask."""
    yield 1
    os._exit(7)


def test_what_becomes_of_calls_that_do_not_end(start):
    mistake = functools.partial(raising, UsageError("a mistake"))
    calls = [functools.partial(raising, ArithmeticError("odd")), leaving, mistake]
    with start(False) as workers:
        items = [event for event in workers.run(deque(enumerate(calls))) if event]
        raised, left, own = ([item for at, item in items if at == i] for i in range(3))
        assert raised[0] == left[0] == own[0] == 1
        assert (raised[1].reason, raised[1].died) == ("ArithmeticError: odd", False)
        assert "in raising" in raised[1].traceback
        assert (left[1].reason, left[1].died) == ("a worker process has ended (status 7)", True)
        assert (own[1].reason, own[1].died) == ("a mistake", False)


def test_a_cell_of_ones_own(two, tmp_path):
    wanted = {"cell": Leaky, "rate": 0.01, "trials": 1}
    rows = benchmarks.run("tiny", "two-sequence-*", **wanted, cluster=two.scheduler_address)
    local = benchmarks.run("tiny", "two-sequence-*", **wanted)
    assert rows.drop(columns=DIFFERENT).equals(local.drop(columns=DIFFERENT))


def test_the_first_workers_are_waited_for(console):
    with LocalCluster(n_workers=0, **INSIDE) as empty:
        later = threading.Timer(1.0, empty.scale, [1])
        later.start()
        with pool.opened(empty.scheduler_address, console) as start, start(False) as workers:
            assert workers.where == f"{empty.scheduler_address}, 1 worker"
        later.join()
    told = f"{empty.scheduler_address} has no workers yet; waiting for the first.\n"
    assert console.file.getvalue() == told


def test_a_scheduler_that_is_gone_in_mid_run(console, tmp_path, monkeypatch):
    calls = deque([(0, functools.partial(until, tmp_path / "never"))])
    monkeypatch.setattr(cluster, "PATIENCE", 0.5)
    with pytest.raises(IncompleteError, match=r"no longer answers .*; the same command continues"):
        _lose_the_scheduler(console, calls)


def _lose_the_scheduler(console, calls):
    with (
        LocalCluster(n_workers=1, **INSIDE) as lost,
        pool.opened(lost.scheduler_address, console) as start,
        start(False) as workers,
    ):
        for event in workers.run(calls):
            if event:
                lost.close()


def test_workers_of_one_machine_take_different_cores_while_there_are_any(tmp_path, monkeypatch):
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    places = [Place(3), Place(4)]
    claimed = [site._claimed(places) for _ in range(3)]
    assert [place for _, place in claimed] == [Place(3), Place(4), Place(4)]
    claimed[0][0].release()
    assert site._claimed(places)[1] == Place(3)


def test_a_process_that_gets_no_call_is_stopped(monkeypatch):
    monkeypatch.setattr(site, "IDLE", 0.1)
    processes = site._Processes()
    with processes.taken(False) as workers:
        (process,) = [each.process for each in workers._started]
    process.join(20)
    assert process.exitcode == 0


def test_one_that_compiles_otherwise_takes_the_place(monkeypatch):
    processes = site._Processes()
    with processes.taken(False) as first:
        pass
    with processes.taken(False) as again:
        pass
    with processes.taken(True) as other:
        assert first is again is not other
        assert first._started[0].process.exitcode == 0
    processes.teardown()
    assert other._started[0].process.exitcode == 0


def fails(*_):
    """What a worker of Dask may run into."""
    raise ArithmeticError("odd")


@pytest.mark.parametrize(
    ("place", "fault", "reason", "free"),
    [
        ("_wanted", lambda *_: False, r"worker inproc\S+ is gone", 0),  # which is about to happen
        ("pickle", SimpleNamespace(dumps=fails), r"worker inproc\S+: ArithmeticError: odd", 1),
    ],
)
def test_a_task_that_fails(console, monkeypatch, place, fault, reason, free):
    """A worker that closes gets no other call; of any other, it is the call that has failed."""
    with (
        LocalCluster(n_workers=1, **INSIDE) as inside,
        pool.opened(inside.scheduler_address, console) as start,
        start(False) as workers,
    ):
        monkeypatch.setattr(site, place, fault)
        call = functools.partial(raising, ArithmeticError("never seen"))
        ((number, broken),) = filter(None, workers.run(deque([(0, call)])))
        assert re.fullmatch(reason, broken.reason)
        assert (number, broken.died, len(workers._free)) == (0, True, free)
        assert ("fails" in broken.traceback) == free
