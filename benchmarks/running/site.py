"""What a worker of a cluster does: it makes calls in processes of its own.

XLA's flags belong to a process and jobs want different ones, each process computes on one core or
GPU, and a crash should cost a call and not a machine. So a worker of Dask never imports jax's
backend; it starts the processes of a local run (`workers`), keeps each for the next call, and
passes on what they yield.
"""

import contextlib
import os
import pickle
import tempfile
import threading
import time
from collections import deque
from collections.abc import Iterator, Sequence
from functools import partial
from pathlib import Path
from typing import Any, NamedTuple

from distributed import Queue, Status, Worker, WorkerPlugin, get_worker
from filelock import FileLock, Timeout

from benchmarks.errors import UsageError
from benchmarks.learning.provenance import code
from benchmarks.running.parcel import unpacked
from benchmarks.running.workers import Broken, Place, Workers

IDLE = 60.0  # seconds after the latest call, after which processes without one are stopped
NAME = "long-time-lags"


class Told(NamedTuple):
    """What a worker sends: of which call, what it has yielded, and whether it has ended."""

    token: str
    items: list[Any]
    ended: bool


class GivenUpError(Exception):
    """Nobody wants the call any more, or the worker closes."""


def inspected() -> tuple[dict[str, str], str, int]:
    """As a task: code and versions of this worker, its device, and how many calls it can make."""
    here = _processes(get_worker())
    code.cache_clear()  # this worker may have lived through an update, its processes begin anew
    return code(), here.device, len(here.places)


def serve(parcel: bytes, loops: bool, token: str, queue: str, pause: float) -> None:
    """As a task: makes a call, and sends what it yields.

    Args:
        parcel: the call, packed.
        loops: whether its process compiles loops as wholes.
        token: what it is known by.
        queue: name of the queue that takes a pickled `Told` now and then.
        pause: seconds between two of these.
    """
    worker = get_worker()
    key, out = worker.get_current_task(), _Out(Queue(queue), token, pause)
    call = partial(_made, parcel, Path(worker.local_directory) / NAME)
    last: list[None] = []  # told together with the end of the call, or neither
    try:
        with _processes(worker).taken(loops) as workers:
            for event in workers.run(deque([(0, call)])):
                if not _wanted(worker, key):
                    raise GivenUpError
                items = [] if event is None else [event[1]]
                last = [None] if None in items else []
                out.add([] if last else items)
    except UsageError as error:  # a process cannot be started; elsewhere it may be
        out.add([Broken(str(error), "", memory=False, died=True)])
    out.send(last, ended=True)
    out.close()


def _made(parcel: bytes, folder: Path) -> Iterator[Any]:
    """In a process: makes a call that was packed."""
    yield from unpacked(parcel, folder)()


def _wanted(worker: Worker, key: Any) -> bool:
    """Whether a task is still to be done: neither it nor the client is gone, nor the worker is."""
    task = worker.state.tasks.get(key)
    if worker.status not in (Status.running, Status.paused):
        return False
    return task is not None and task.state == "executing"


class _Out:
    """Sends what comes, but not too often: all of it goes through one scheduler."""

    def __init__(self, queue: Queue, token: str, pause: float):
        self._queue, self._token, self._pause = queue, token, pause
        self._items: list[Any] = []
        self._due = time.monotonic()

    def add(self, items: list[Any]) -> None:
        """Sends these, and those before, if it is time."""
        self._items += items
        if self._items and time.monotonic() >= self._due:
            self.send()

    def close(self) -> None:
        """Lets go of the queue, which lives as long as somebody holds it."""
        self._queue.close()

    def send(self, more: Sequence[Any] = (), ended: bool = False) -> None:
        """Sends what there is, and these."""
        self._queue.put(pickle.dumps(Told(self._token, [*self._items, *more], ended)))
        self._items, self._due = [], time.monotonic() + self._pause


class _Process:
    """A process for calls, on a core or GPU that no other worker of a cluster takes."""

    def __init__(self, loops: bool, places: Sequence[Place]):
        self.loops = loops
        self._lock, place = _claimed(places)
        try:
            self.workers = Workers(loops, [place]).__enter__()
        except BaseException:
            self._lock.release()
            raise

    def stop(self) -> None:
        """Stops it, and lets others have its place."""
        self.workers.__exit__()
        self._lock.release()


def _claimed(places: Sequence[Place]) -> tuple[FileLock, Place]:
    """The first place that is not taken, and the lock that now says that it is.

    Workers of Dask on one machine do not know of each other. With more of them than places, some
    share the last.
    """
    folder = Path(tempfile.gettempdir()) / f"{NAME}-{os.getuid()}"
    folder.mkdir(exist_ok=True)
    visible = os.environ.get("CUDA_VISIBLE_DEVICES", "")
    for place in places:
        name = f"core-{place.core}" if place.device is None else f"gpu-{place.device}-{visible}"
        lock = FileLock(folder / f"{name}.lock", thread_local=False)
        with contextlib.suppress(Timeout):
            lock.acquire(blocking=False)
            break
    return lock, place


class _Processes(WorkerPlugin):
    """Those of a worker, which Dask keeps as a plugin of the worker and tells when it closes."""

    def __init__(self) -> None:
        with Workers(loops=False) as probe:
            self.places, self.device = probe.places, probe.device
        self._room = threading.Semaphore(len(self.places))
        self._idle: list[_Process] = []
        self._changing = threading.Lock()
        self._tidying = threading.Timer(IDLE, self.teardown)

    @contextlib.contextmanager
    def taken(self, loops: bool) -> Iterator[Workers]:
        """A process that makes no other call meanwhile; after an error it is stopped."""
        with self._room:
            process = self._again(loops) or _Process(loops, self.places)
            try:
                yield process.workers
            except BaseException:
                process.stop()
                raise
            with self._changing:
                self._idle.append(process)
                self._tidying.cancel()
                self._tidying = threading.Timer(IDLE, self.teardown)
                self._tidying.daemon = True
                self._tidying.start()

    def _again(self, loops: bool) -> _Process | None:
        """One that has made a call before; one that compiles otherwise makes room."""
        with self._changing:
            fitting = [each for each in self._idle if each.loops == loops]
            for each in fitting[:1] or self._idle[:1]:
                self._idle.remove(each)
                if each.loops == loops:
                    return each
                each.stop()
        return None

    def teardown(self, worker: Worker | None = None) -> None:
        """Stops those that make no call."""
        with self._changing:
            self._tidying.cancel()
            while self._idle:
                self._idle.pop().stop()


_FIRST = threading.Lock()


def _processes(worker: Worker) -> _Processes:
    """Those of a worker; the first time, there is a look at its machine."""
    with _FIRST:
        found = worker.plugins.get(NAME)
        if not isinstance(found, _Processes):
            found = worker.plugins[NAME] = _Processes()
        return found
