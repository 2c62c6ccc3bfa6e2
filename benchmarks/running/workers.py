"""Worker processes: one for each core or GPU, each of which makes one call at a time.

They are started without the parent's main module, so that a script needs no main guard, and get
their calls by cloudpickle, which also carries classes that were defined in a script or a notebook.
Such classes do not come back: cloudpickle would write the worker's copy over the original.
"""

import contextlib
import gc
import itertools
import multiprocessing
import os
import pickle
import signal
import sys
import threading
import time
import traceback
import types
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from multiprocessing import resource_tracker
from multiprocessing.connection import Connection, wait
from pathlib import Path
from typing import Any, NamedTuple

import cloudpickle
import jax

from benchmarks.errors import UsageError
from benchmarks.learning import xla
from benchmarks.running.guarded import oneline
from benchmarks.running.stopping import ASKING

Call = Callable[[], Iterator]
PAUSE = 0.2  # seconds without news after which somebody may look whether to stop
PATIENCE = 3  # seconds that workers have to stop
CALLS = 32
"""After so many calls a worker forgets what it has compiled: a call's programs take some 650 memory
maps, and with the 65,530th that Linux allows a process it would end in a segmentation fault."""
_leave = os._exit  # while a user's code runs, another stands in its place (`guarded`)
WORKER_BYTES = 2 * 10**9  # measured: 1.1 GB in `quick`, more with longer sequences


class Broken(NamedTuple):
    """Why a call has not come to its end.

    Attributes:
        reason: in a line.
        traceback: where an error was raised; empty if the process died.
        memory: whether it may be that memory was short.
        died: whether the process died.
    """

    reason: str
    traceback: str
    memory: bool
    died: bool


class Place(NamedTuple):
    """Where a worker computes.

    Attributes:
        core: the number of its core.
        device: of several accelerators, which; None where there is no choice.
    """

    core: int
    device: int | None = None


class Workers:
    """As many workers as the machine has use for; a context manager that stops them in the end.

    That is one for each accelerator; on CPUs one for each usable core, since small networks do not
    gain from threads.

    Attributes:
        places: that of each worker.
        device: what they compute on.
        where: nothing to tell: on this machine.
    """

    where = ""

    def __init__(self, loops: bool, places: Sequence[Place] = ()):
        """Starts nothing yet.

        Args:
            loops: whether they compile loops as wholes (`benchmarks.learning.xla`).
            places: where they compute, if it is known; else there is a look at the machine.
        """
        self._loops = loops
        self._started: list[_Worker] = []
        self._known = bool(places)
        self.places = list(places) or [Place(core) for core in usable_cores()]
        self.device = ""

    def __len__(self) -> int:
        return len(self.places)

    def __enter__(self) -> "Workers":
        try:
            first = self._start()
            first.call(_device)
            found = first.answer()
            if isinstance(found, Broken):  # it is about the machine: nothing else has been asked
                raise UsageError(found.reason)
            backend, self.device, count = found
            first.answer()  # that this was all
            if backend != "cpu" and not self._known:
                own = count if backend == "gpu" else 1  # others cannot be kept from a process
                self.places = accelerated(self.places, own)
                if own > 1:  # the first has taken all of them
                    self.__exit__()
                    self._started = []
        except _DiedError as error:
            reason = first.why().reason
            self.__exit__()
            flags = os.environ.get("XLA_FLAGS")
            hint = f"; does XLA know XLA_FLAGS={flags}? Mend it, or unset the variable"
            raise UsageError(f"{reason} while it started{hint if flags else ''}") from error
        except BaseException:
            self.__exit__()
            raise
        return self

    def __exit__(self, *_) -> None:
        for worker in self._started:
            worker.pipe.close()
        try:
            until = time.monotonic() + PATIENCE
            for worker in self._started:
                worker.process.join(max(0.0, until - time.monotonic()))
        finally:
            for worker in self._started:
                worker.process.kill()
                worker.process.join()

    def _start(self) -> "_Worker":
        self._started.append(_Worker(self.places[len(self._started)], self._loops))
        return self._started[-1]

    def run(self, calls: deque[tuple[int, Call]]) -> Iterator[tuple[int, Any] | None]:
        """What the calls yield, as it comes, each item with the number of its call.

        The last item of a call is None, or a `Broken` if it does not come to its end; another
        worker takes the place of one that has died. Without news, None comes several times in a
        second.

        Args:
            calls: they begin in their order; while this goes on, more may be added.
        """
        idle, busy = list(self._started), dict[Any, tuple[_Worker, int]]()
        while calls or busy:
            while calls and (idle or len(self._started) < len(self)):
                worker = idle.pop() if idle else self._start()
                number, call = calls.popleft()
                with contextlib.suppress(_DiedError):  # its answer will tell
                    worker.call(call)
                busy[worker.pipe] = worker, number
            ready = wait(list(busy), timeout=PAUSE)
            if not ready:
                yield None
            for pipe in ready:
                worker, number = busy[pipe]
                try:
                    item = worker.answer()
                except _DiedError:
                    item = worker.why()
                    worker = self._replaced(worker)
                if item is None or isinstance(item, Broken):
                    del busy[pipe]
                    idle.append(worker)
                yield number, item

    def _replaced(self, dead: "_Worker") -> "_Worker":
        """A new worker in the place of one that has died."""
        i = self._started.index(dead)
        self._started[i] = _Worker(self.places[i], self._loops)
        return self._started[i]


class _DiedError(Exception):
    """A worker process is no more."""


_STARTING = threading.Lock()
"""One at a time: threads of a cluster's worker start processes, too."""


class _Worker:
    """A process and the pipe to it; the process ends when the pipe is closed."""

    def __init__(self, place: Place, loops: bool):
        context = multiprocessing.get_context("spawn")
        self.pipe, theirs = context.Pipe()
        self.process = context.Process(target=_serve, args=(theirs, place, loops), daemon=True)
        self.memory_kills = memory_kills()
        with _STARTING, _signals_held(), _without_main(), _as_a_parent():
            self.process.start()
        theirs.close()  # else nobody would notice the process's end

    def call(self, function: Call) -> None:
        """Makes the process call a function that yields items other than None."""
        with _noticed():
            self.pipe.send_bytes(cloudpickle.dumps(function))

    def answer(self):
        """The next item, None when the call is finished, a `Broken` if it raised an error."""
        with _noticed():
            return self.pipe.recv()

    def why(self) -> Broken:
        """Why the process is no more."""
        self.pipe.close()
        self.process.join(PATIENCE)
        status = self.process.exitcode
        if status is None or status >= 0:
            return Broken(f"a worker process has ended (status {status})", "", False, True)
        name = signal.Signals(-status).name
        before, now = self.memory_kills, memory_kills()
        short = name == "SIGKILL" and (now is None or now != before)
        sure = "out of memory" if now is not None else "out of memory?"
        text = f"a worker process was killed ({sure if short else name})"
        return Broken(text, "", short, True)


def memory_kills() -> int | None:
    """How many processes the system has killed for want of memory; None if it does not say."""
    with contextlib.suppress(OSError, ValueError):
        counts = Path("/proc/vmstat").read_text().split()
        return int(counts[counts.index("oom_kill") + 1])
    return None


@contextlib.contextmanager
def _noticed() -> Iterator[None]:
    """Tells of a broken pipe as what it means."""
    try:
        yield
    except (EOFError, OSError) as error:
        raise _DiedError from error


@contextlib.contextmanager
def _signals_held() -> Iterator[None]:
    """Holds signals back for a moment: a process that is started here never hears them.

    A worker that does while it still imports would print a traceback, or be gone before its state
    has been saved; the parent asks it to stop.
    """
    if not hasattr(signal, "pthread_sigmask"):
        yield
        return
    resource_tracker.ensure_running()  # when it starts, it lets signals through again
    before = signal.pthread_sigmask(signal.SIG_BLOCK, ASKING)
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)


@contextlib.contextmanager
def _without_main() -> Iterator[None]:
    """Hides the main module, which a process that is started here would otherwise run again."""
    main = sys.modules["__main__"]
    sys.modules["__main__"] = types.ModuleType("__main__")
    try:
        yield
    finally:
        sys.modules["__main__"] = main


@contextlib.contextmanager
def _as_a_parent() -> Iterator[None]:
    """Lets a daemonic process have children, for a moment.

    Dask's workers are daemonic, and Python wants no orphans of such; ours end with their parent.
    """
    settings = multiprocessing.current_process()._config  # type: ignore[attr-defined]
    before = settings.get("daemon")
    settings["daemon"] = False
    try:
        yield
    finally:
        settings["daemon"] = before


def accelerated(places: Sequence[Place], count: int) -> list[Place]:
    """A place for each of so many accelerators, on cores in turn."""
    if count == 1:
        return list(places[:1])
    return [Place(places[i % len(places)].core, i) for i in range(count)]


def usable_cores() -> list[int]:
    """Numbers of the cores to work on: those that this process may use and has memory for."""
    if not hasattr(os, "sched_getaffinity"):
        return list(range(os.cpu_count() or 1))
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    return sorted(os.sched_getaffinity(0))[: max(1, memory // WORKER_BYTES)]


def _device() -> Iterator[tuple[str, str, int]]:
    """In a worker: where it computes, the kind of backend and of device, and how many there are.

    Raises:
        UsageError: nowhere: what the environment variable JAX_PLATFORMS names is not there.
    """
    try:
        with _quiet():  # of unknown flags XLA tells in a way of its own before it ends the process
            devices = jax.local_devices()
            found = jax.default_backend(), devices[0].device_kind, len(devices)
    except (AssertionError, RuntimeError) as error:
        raise UsageError(
            f"jax finds no device of JAX_PLATFORMS={os.environ.get('JAX_PLATFORMS', '')}; "
            "install its plugin, or unset the variable"
        ) from error
    yield found


@contextlib.contextmanager
def _quiet() -> Iterator[None]:
    """Lets nothing of this process, C++ included, reach the standard error."""
    kept, nowhere = os.dup(2), os.open(os.devnull, os.O_WRONLY)
    os.dup2(nowhere, 2)
    try:
        yield
    finally:
        os.dup2(kept, 2)
        os.close(kept)
        os.close(nowhere)


def _serve(pipe: Connection, place: Place, loops: bool) -> None:
    """In a worker: makes calls and sends what they yield, until the pipe is closed."""
    _settle(place, loops)
    with contextlib.suppress(EOFError, BrokenPipeError, ConnectionResetError):
        for count in itertools.count(1):
            for answer in _answers(pipe.recv_bytes()):
                pipe.send(answer)
                last = answer is None or isinstance(answer, Broken)
                if not last and pipe.poll():  # closed: no call comes during another
                    return
            if count % CALLS == 0:
                jax.clear_caches()


def _answers(call: bytes) -> Iterator:
    """All that a call yields, then None; or a `Broken` of the error that it raised."""
    items, answer = _items(call), object()
    while answer is not None and not isinstance(answer, Broken):
        try:
            answer = next(items, None)
        except BaseException as error:  # a user's code may exit, too
            answer = _broken(error)
        yield answer


def _items(call: bytes) -> Iterator:
    yield from pickle.loads(call)()


def _broken(error: BaseException) -> Broken:
    """Of the error that is being handled."""
    text = oneline(error)  # of a user's error that cannot be told, too
    memory = isinstance(error, MemoryError) or "RESOURCE_EXHAUSTED" in text
    reason = str(error) if isinstance(error, UsageError) else text
    return Broken(reason, traceback.format_exc(), memory, died=False)


def _settle(place: Place, loops: bool) -> None:
    """Sets a worker up, on a core of its own where the system lets a process choose.

    XLA starts one thread for each core that it may use; and left to itself, the scheduler was seen
    to run two workers on one core and leave the other idle.
    """
    if hasattr(os, "sched_setaffinity"):
        os.sched_setaffinity(0, {place.core})
    if place.device is not None:  # of those that the process may see
        jax.config.update("jax_cuda_visible_devices", str(place.device))
        jax.config.update("jax_rocm_visible_devices", str(place.device))
    if loops:
        xla.set_loop_flag()
    for each in ASKING:
        signal.signal(each, signal.SIG_IGN)  # the parent hears it and asks to stop
    gc.freeze()  # what is imported stays; looking through it slows compiling down
    die_with_parent()


def die_with_parent() -> None:
    """Ends this process when the parent has been killed: nobody would write its rows."""

    def follow(parent) -> None:
        parent.join()
        _leave(1)

    threading.Thread(target=follow, args=(multiprocessing.parent_process(),), daemon=True).start()
