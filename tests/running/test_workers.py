import functools
import multiprocessing
import os
import signal
import subprocess
import sys
import time
from collections import deque
from pathlib import Path
from types import SimpleNamespace

import jax
import pytest

from benchmarks.errors import UsageError
from benchmarks.running import workers
from benchmarks.running.stopping import ASKING
from benchmarks.running.workers import Place, Workers

MAPS = Path("/proc/self/maps")


def cores(count):
    """So many of them, whatever the machine has."""
    return [min(os.sched_getaffinity(0))] * count


@pytest.fixture(scope="module")
def two():
    """Two workers."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(workers, "usable_cores", lambda: cores(2))
        with Workers(loops=False) as started:
            yield started


@pytest.fixture
def core(monkeypatch):
    """One core."""
    monkeypatch.setattr(workers, "usable_cores", lambda: cores(1))


@pytest.fixture(scope="module")
def one():
    """One worker, or who takes its place."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(workers, "usable_cores", lambda: cores(1))
        with Workers(loops=False) as started:
            yield started


def counted(first, count):
    """A call that tells its process, too."""
    for i in range(count):
        yield os.getpid(), first + i


def failing(error):
    """A call that raises after its first item."""
    yield 1
    raise error


def dying(number):
    """A call whose process is killed by a signal, or ends by itself."""
    yield os.getpid()
    if number is None:
        os._exit(7)
    os.kill(os.getpid(), number)
    time.sleep(100)


def hearing(number):
    """A call that asks its own process to stop."""
    os.kill(os.getpid(), number)
    yield "still here"


def endless():
    """A call that would go on for minutes."""
    for i in range(10_000):
        yield i
        time.sleep(0.01)


def all_of(started, *calls):
    """All items with the numbers of their calls, but for the last of those that come to an end."""
    found = [news for news in started.run(deque(enumerate(calls))) if news]
    last = dict(found)
    assert set(last) == set(range(len(calls)))
    assert all(item is None or isinstance(item, workers.Broken) for item in last.values())
    return [(number, item) for number, item in found if item is not None]


def test_every_item_of_every_call_comes_from_two_processes_at_most(two):
    calls = [functools.partial(counted, first, 3) for first in (0, 10, 20, 30, 40)]
    items = all_of(two, *calls)
    assert sorted((number, item) for number, (_, item) in items) == [
        (f, 10 * f + i) for f in range(5) for i in range(3)
    ]
    assert len({process for _, (process, _) in items}) == 2
    again = all_of(two, functools.partial(counted, 7, 2))
    assert [item for _, (_, item) in again] == [7, 8]
    assert all_of(two) == []


class UntellableError(Exception):
    """An error of a user's that raises when it is told."""

    def __str__(self):
        return 1 / 0


@pytest.mark.parametrize(
    ("error", "reason", "memory"),
    [
        (UntellableError(), "UntellableError: <exception str() failed>", False),
        (ZeroDivisionError("nothing\nat all"), "ZeroDivisionError: nothing at all", False),
        (MemoryError("cannot allocate"), "MemoryError: cannot allocate", True),
        (RuntimeError("RESOURCE_EXHAUSTED: 9"), "RuntimeError: RESOURCE_EXHAUSTED: 9", True),
        (UsageError("a mistake of the user"), "a mistake of the user", False),
        (SystemExit(0), "SystemExit: 0", False),
        (GeneratorExit(), "GeneratorExit", False),
        (KeyboardInterrupt(), "KeyboardInterrupt", False),
        (StopIteration(), "RuntimeError: generator raised StopIteration", False),
    ],
)
def test_whatever_a_call_raises_is_its_last_item_and_others_go_on(two, error, reason, memory):
    calls = [functools.partial(failing, error), functools.partial(counted, 0, 2)]
    items = all_of(two, *calls, *calls)
    assert sorted(item[1] for number, item in items if number % 2) == [0, 0, 1, 1]
    for number in (0, 2):
        first, broken = (item for at, item in items if at == number)
        assert first == 1
        assert broken.reason == reason
        assert "in failing" in broken.traceback
        assert (broken.memory, broken.died) == (memory, False)


def test_a_worker_that_dies_is_replaced(one):
    die = functools.partial(dying, signal.SIGKILL)
    (_, first), (_, broken), *rest = all_of(one, die, functools.partial(counted, 0, 2))
    assert (broken.traceback, broken.died) == ("", True)
    assert [item for _, (_, item) in rest] == [0, 1]
    assert {process for _, (process, _) in rest} != {first}
    assert len(one._started) == 1


@pytest.mark.parametrize(
    ("status", "kills", "reason", "memory"),
    [
        (-9, [3, 3], "a worker process was killed (SIGKILL)", False),
        (-9, [3, 4], "a worker process was killed (out of memory)", True),
        (-9, [None, None], "a worker process was killed (out of memory?)", True),
        (-11, [3, 4], "a worker process was killed (SIGSEGV)", False),
        (7, [3, 4], "a worker process has ended (status 7)", False),
    ],
)
def test_no_memory_is_blamed_that_was_not_short(monkeypatch, status, kills, reason, memory):
    """Of a process with this exit status, and counts of such kills at its start and now."""
    worker = object.__new__(workers._Worker)
    worker.pipe, _ = multiprocessing.Pipe()
    worker.process = SimpleNamespace(join=lambda _: None, exitcode=status)
    worker.memory_kills, now = kills
    monkeypatch.setattr(workers, "memory_kills", lambda: now)
    assert worker.why() == workers.Broken(reason, "", memory, died=True)


def test_calls_may_be_added_meanwhile(two):
    calls = deque([(0, functools.partial(counted, 0, 1))])
    found = []
    for news in two.run(calls):
        if news:
            found.append(news)
            if news[1] is None and news[0] < 3:
                calls.append((news[0] + 1, functools.partial(counted, 0, 1)))
    assert [number for number, item in found if item is not None] == [0, 1, 2, 3]


def test_how_many_processes_were_killed_for_want_of_memory():
    counts = Path("/proc/vmstat")
    if not counts.exists():
        assert workers.memory_kills() is None
    else:
        assert f"\noom_kill {workers.memory_kills()}\n" in counts.read_text()


def test_calls_that_go_on_end_when_their_workers_are_stopped(core):
    with Workers(loops=False) as started:
        assert next(filter(None, started.run(deque([(0, endless)])))) == (0, 0)
        (process,) = [each.process for each in started._started]
    assert process.exitcode == 0


def test_those_that_do_not_end_are_killed(core, monkeypatch):
    monkeypatch.setattr(workers, "PATIENCE", 0.1)
    with Workers(loops=False) as started:
        calls = deque([(0, functools.partial(dying, signal.SIGCHLD))])  # which kills nobody
        assert next(filter(None, started.run(calls)))[0] == 0
        (process,) = [each.process for each in started._started]
        time.sleep(1)  # until it sleeps, too, and no longer looks whether its pipe is closed
    assert process.exitcode == -signal.SIGKILL


@pytest.mark.parametrize("number", ASKING)
def test_workers_leave_signals_to_their_parent(one, number):
    calls = deque([(0, functools.partial(hearing, number)), (1, functools.partial(counted, 0, 1))])
    found = [item for _, item in filter(None, one.run(calls)) if item is not None]
    assert found[0] == "still here"
    assert found[1][1] == 0


HELD_BACK = """
import multiprocessing, signal
from benchmarks.running import workers

def held():
    print(signal.SIGINT in signal.pthread_sigmask(signal.SIG_BLOCK, []))

held()
with workers._signals_held():
    process = multiprocessing.get_context("spawn").Process()  # and, the first time, a tracker
    process.start()
    held()
held()
process.join()
"""


def test_a_process_that_is_started_meanwhile_never_hears_an_interrupt():
    """Else Ctrl-C while a worker still imports would end in its traceback."""
    done = subprocess.run([sys.executable, "-c", HELD_BACK], capture_output=True, text=True)
    assert done.stdout.splitlines() == ["False", "True", "False"], done.stderr


def three_gpus():
    """What a worker's look at its devices would say."""
    yield "gpu", "a made-up GPU", 3


def sees():
    """A call that tells which devices its process may use, and its cores."""
    visible = [jax.config.read(f"jax_{kind}_visible_devices") for kind in ("cuda", "rocm")]
    yield os.getpid(), *visible, os.sched_getaffinity(0)


def test_each_of_several_accelerators_has_a_worker(core, monkeypatch):
    monkeypatch.setattr(workers, "_device", three_gpus)
    (core_number,) = workers.usable_cores()
    with Workers(loops=False) as started:
        assert (len(started), started.device) == (3, "a made-up GPU")
        found = [item for _, item in all_of(started, *[sees] * 9)]
    assert {(a, b) for _, a, b, _ in found} <= {("0", "0"), ("1", "1"), ("2", "2")}
    assert len({process for process, *_ in found}) == len({a for _, a, _, _ in found}) > 1
    assert all(cores == {core_number} for *_, cores in found)


@pytest.mark.parametrize(
    ("count", "places"),
    [(1, [Place(5)]), (2, [Place(5, 0), Place(7, 1)]), (3, [*map(Place, [5, 7, 5], range(3))])],
)
def test_places_of_accelerators(count, places):
    assert workers.accelerated([Place(5), Place(7)], count) == places


def test_a_known_place_is_all_there_is(monkeypatch):
    monkeypatch.setattr(workers, "_device", three_gpus)
    with Workers(loops=False, places=[Place(*cores(1), 2)]) as started:
        assert len(started) == 1
        assert [item[1] for _, item in all_of(started, sees, sees)] == ["2", "2"]


def nested():
    """A call that makes a call in a process of its own, as a worker of a cluster does."""
    multiprocessing.current_process()._config["daemon"] = True
    with Workers(loops=False, places=[Place(*cores(1))]) as inner:
        yield from (item for _, item in all_of(inner, functools.partial(counted, 5, 1)))
    yield multiprocessing.current_process().daemon


def test_workers_of_a_daemonic_process(one):
    (_, (process, item)), (_, daemonic) = all_of(one, nested)
    assert (item, daemonic) == (5, True)
    assert process != os.getpid()


SCRIPT = """
from collections import deque
from benchmarks.running.workers import Workers

class Mine:
    def values(self):
        yield type(self).__name__

print("the script runs")
with Workers(loops=False) as workers:
    calls = deque([(0, Mine().values), (0, Mine().values)])
    print([name for _, name in filter(None, workers.run(calls)) if name])
"""


def test_a_script_without_a_main_guard_and_a_class_of_its_own(tmp_path):
    path = tmp_path / "script.py"
    path.write_text(SCRIPT)
    environment = os.environ | {"PYTHONPATH": os.pathsep.join(filter(None, sys.path))}
    done = subprocess.run(
        [sys.executable, str(path)], env=environment, cwd=tmp_path, capture_output=True, text=True
    )
    assert done.stdout.splitlines() == ["the script runs", "['Mine', 'Mine']"], done.stderr


HELD = []  # a worker's own, since it imports this module


def compiling(number):
    """A call that compiles a program, holds it, and tells the number of memory maps."""
    HELD.append(jax.jit(lambda x: x * number + 1))
    HELD[-1](1.0)
    yield MAPS.read_bytes().count(b"\n")


@pytest.mark.skipif(not MAPS.exists(), reason="the system does not list memory maps")
def test_workers_forget_what_they_have_compiled(core):
    calls = [functools.partial(compiling, number) for number in range(2 * workers.CALLS)]
    with Workers(loops=False) as started:
        maps = [count for _, count in all_of(started, *calls)]
    first, half = maps[0], workers.CALLS // 2
    assert maps[half] > first + half
    assert min(maps[half:]) < first + half
    assert max(maps) < first + 4 * (maps[half] - first)
