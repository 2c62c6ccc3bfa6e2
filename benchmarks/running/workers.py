"""Worker processes: one for each core, each of which makes one call at a time.

They are started without the parent's main module, so that a script needs no main guard, and get
their calls by cloudpickle, which also carries classes that were defined in a script or a notebook.
Such classes do not come back: cloudpickle would write the worker's copy over the original.
"""

import contextlib
import gc
import multiprocessing
import os
import pickle
import signal
import sys
import threading
import traceback
import types
from collections.abc import Callable, Iterable, Iterator
from multiprocessing.connection import Connection, wait
from typing import Any

import cloudpickle
import jax

from benchmarks.errors import UsageError
from benchmarks.learning import xla

WORKER_BYTES = 2 * 10**9  # measured: 1.1 GB in `quick`, more with longer sequences


class Workers:
    """As many workers as the machine has use for; a context manager that stops them in the end.

    On an accelerator that is one; on CPUs one for each usable core, since small networks do not
    gain from threads.

    Attributes:
        cores: the core of each worker.
    """

    def __init__(self, loops: bool):
        """`loops`: whether they compile loops as wholes (`benchmarks.learning.xla`)."""
        self._loops = loops
        self._started: list[_Worker] = []
        self.cores = usable_cores()

    def __enter__(self) -> "Workers":
        try:
            first = self._start()
            first.call(_backend)
            if first.answer() != "cpu":
                self.cores = self.cores[:1]
            first.answer()  # that this was all
        except BaseException:
            self.__exit__()
            raise
        return self

    def __exit__(self, *_) -> None:
        for worker in self._started:
            worker.pipe.close()
        for worker in self._started:
            worker.process.join()

    def _start(self) -> "_Worker":
        self._started.append(_Worker(self.cores[len(self._started)], self._loops))
        return self._started[-1]

    def run(self, calls: Iterable[Callable[[], Iterator]]) -> Iterator:
        """What the calls yield, as it comes; they begin in their order. An error is the end.

        Raises:
            UsageError: a worker was killed, or a call raised it.
            RuntimeError: a call raised another error; its traceback is the message.
        """
        waiting = list(calls)[::-1]
        while len(self._started) < min(len(self.cores), len(waiting)):
            self._start()
        busy: dict[Any, _Worker] = {}
        for worker in self._started[: len(waiting)]:
            worker.call(waiting.pop())
            busy[worker.pipe] = worker
        while busy:
            for pipe in wait(list(busy)):
                item = busy[pipe].answer()
                if item is not None:
                    yield item
                elif waiting:
                    busy[pipe].call(waiting.pop())
                else:
                    del busy[pipe]


class _Worker:
    """A process and the pipe to it; the process ends when the pipe is closed."""

    def __init__(self, core: int, loops: bool):
        context = multiprocessing.get_context("spawn")
        self.pipe, theirs = context.Pipe()
        self.process = context.Process(target=_serve, args=(theirs, core, loops), daemon=True)
        with _interrupts_held(), _without_main():
            self.process.start()
        theirs.close()  # else nobody would notice the process's end

    def call(self, function: Callable[[], Iterator]) -> None:
        """Makes the process call a function that yields items other than None."""
        with _killed():
            self.pipe.send_bytes(cloudpickle.dumps(function))

    def answer(self):
        """The next item, None when the call is finished; raises what the call raised."""
        with _killed():
            answer = self.pipe.recv()
        if isinstance(answer, Exception):
            raise answer
        return answer


@contextlib.contextmanager
def _killed() -> Iterator[None]:
    """Tells of a broken pipe as what it means."""
    try:
        yield
    except (EOFError, OSError) as error:
        raise UsageError(
            "a worker process was killed (out of memory?); finished trials are kept, and the "
            "same command continues with the others"
        ) from error


@contextlib.contextmanager
def _interrupts_held() -> Iterator[None]:
    """Holds Ctrl-C back for a moment: a process that is started here never hears it.

    A worker that does while it still imports would print a traceback; the parent asks it to stop.
    """
    if not hasattr(signal, "pthread_sigmask"):
        yield
        return
    before = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})
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


def usable_cores() -> list[int]:
    """Numbers of the cores to work on: those that this process may use and has memory for."""
    if not hasattr(os, "sched_getaffinity"):
        return list(range(os.cpu_count() or 1))
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    return sorted(os.sched_getaffinity(0))[: max(1, memory // WORKER_BYTES)]


def _backend() -> Iterator[str]:
    """In a worker: where it computes.

    Raises:
        UsageError: nowhere: what the environment variable JAX_PLATFORMS names is not there.
    """
    try:
        yield jax.default_backend()
    except (AssertionError, RuntimeError) as error:
        raise UsageError(
            f"jax finds no device of JAX_PLATFORMS={os.environ.get('JAX_PLATFORMS', '')}; "
            "install its plugin, or unset the variable"
        ) from error


def _serve(pipe: Connection, core: int, loops: bool) -> None:
    """In a worker: makes calls and sends what they yield, until the pipe is closed."""
    _settle(core, loops)
    with contextlib.suppress(EOFError, BrokenPipeError, ConnectionResetError):
        while True:
            for answer in _answers(pipe.recv_bytes()):
                pipe.send(answer)
                if answer is not None and pipe.poll():  # closed: no call comes during another
                    return


def _answers(call: bytes) -> Iterator:
    """All that a call yields, then None; or else the error that it raised."""
    try:
        yield from pickle.loads(call)()
    except UsageError as error:
        yield error
    except Exception:
        yield RuntimeError(f"in a worker process\n\n{traceback.format_exc()}")
    else:
        yield None


def _settle(core: int, loops: bool) -> None:
    """Sets a worker up, on a core of its own where the system lets a process choose.

    XLA starts one thread for each core that it may use; and left to itself, the scheduler was seen
    to run two workers on one core and leave the other idle.
    """
    if hasattr(os, "sched_setaffinity"):
        os.sched_setaffinity(0, {core})
    if loops:
        xla.set_loop_flag()
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # the parent hears it and asks to stop
    gc.freeze()  # what is imported stays; looking through it slows compiling down
    die_with_parent()


def die_with_parent() -> None:
    """Ends this process when the parent has been killed: nobody would write its rows."""

    def follow(parent) -> None:
        parent.join()
        os._exit(1)

    threading.Thread(target=follow, args=(multiprocessing.parent_process(),), daemon=True).start()
