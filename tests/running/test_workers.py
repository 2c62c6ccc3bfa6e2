import functools
import os
import signal
import subprocess
import sys
import time

import pytest

from benchmarks.errors import UsageError
from benchmarks.running import workers
from benchmarks.running.workers import Workers


@pytest.fixture
def two(monkeypatch):
    """Two workers, whatever the machine has."""
    core = min(os.sched_getaffinity(0))
    monkeypatch.setattr(workers, "usable_cores", lambda: [core, core])
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


def killed():
    """A call whose process is killed."""
    os.kill(os.getpid(), signal.SIGKILL)
    yield 1


def endless():
    """A call that would go on for minutes."""
    for i in range(10_000):
        yield i
        time.sleep(0.01)


def test_every_item_of_every_call_comes_from_two_processes_at_most(two):
    calls = [functools.partial(counted, first, 3) for first in (0, 10, 20, 30, 40)]
    items = list(two.run(calls))
    assert sorted(item for _, item in items) == sorted(
        f + i for f in range(0, 50, 10) for i in range(3)
    )
    assert len({process for process, _ in items}) == 2
    assert [item for _, item in two.run([functools.partial(counted, 7, 2)])] == [7, 8]  # again
    assert list(two.run([])) == []


@pytest.mark.parametrize(
    ("error", "kind", "message"),
    [
        (UsageError("a mistake of the user"), UsageError, r"^a mistake of the user$"),
        (ZeroDivisionError("nothing"), RuntimeError, r"(?s)in failing.*ZeroDivisionError: nothing"),
    ],
)
def test_an_error_in_a_call_is_raised_here(two, error, kind, message):
    with pytest.raises(kind, match=message):
        list(two.run([functools.partial(failing, error)]))


def test_a_killed_worker_is_told(two):
    with pytest.raises(UsageError, match="a worker process was killed"):
        list(two.run([killed, functools.partial(counted, 0, 1)]))


def test_calls_that_go_on_end_when_their_workers_are_stopped(monkeypatch):
    monkeypatch.setattr(workers, "usable_cores", lambda: [min(os.sched_getaffinity(0))])
    with Workers(loops=False) as one:
        assert next(one.run([endless])) == 0
        (process,) = [each.process for each in one._started]
    assert process.exitcode == 0


def test_a_process_that_is_started_meanwhile_never_hears_an_interrupt():
    """Else Ctrl-C while a worker still imports would end in its traceback."""
    held = "import signal; print(signal.SIGINT in signal.pthread_sigmask(signal.SIG_BLOCK, []))"
    with workers._interrupts_held():
        inside = subprocess.run([sys.executable, "-c", held], capture_output=True, text=True)
    outside = subprocess.run([sys.executable, "-c", held], capture_output=True, text=True)
    assert (inside.stdout, outside.stdout) == ("True\n", "False\n")


SCRIPT = """
import functools
from benchmarks.running.workers import Workers

class Mine:
    def values(self):
        yield type(self).__name__

print("the script runs")
with Workers(loops=False) as workers:
    print(list(workers.run([Mine().values, Mine().values])))
"""


def test_a_script_without_a_main_guard_and_a_class_of_its_own(tmp_path):
    path = tmp_path / "script.py"
    path.write_text(SCRIPT)
    environment = os.environ | {"PYTHONPATH": os.pathsep.join(filter(None, sys.path))}
    done = subprocess.run(
        [sys.executable, str(path)], env=environment, cwd=tmp_path, capture_output=True, text=True
    )
    assert done.stdout.splitlines() == ["the script runs", "['Mine', 'Mine']"], done.stderr
