"""Workers of a cluster: calls go to them as tasks of Dask, and what they yield comes back.

Each task is bound to a worker, one for each core or GPU that the worker has, and none waits there.
Dask alone would begin a task of a worker that is gone anew elsewhere, from where it was when it was
submitted, and would give work to workers with other code; so the choice is made here, and a call
that is lost is told as `Broken`. Its maker goes on from the latest state, as with a process that
has died. Items come through a queue in the scheduler, which makes workers wait if it is slow;
events of Dask, the other way, are all kept there.
"""

import contextlib
import gc
import importlib
import itertools
import logging
import math
import pickle
import re
import shutil
import time
import traceback
import uuid
from collections import deque
from collections.abc import Callable, Iterator
from concurrent.futures import CancelledError
from typing import Any, NamedTuple

import dask
from distributed import Client, Future, LocalCluster, Queue
from rich.console import Console

from benchmarks.errors import IncompleteError, UsageError
from benchmarks.learning.provenance import code
from benchmarks.running import parcel, site
from benchmarks.running.guarded import oneline
from benchmarks.running.site import GivenUpError, Told
from benchmarks.running.workers import PAUSE, Broken, Call, usable_cores

PATIENCE = 10  # seconds that a scheduler has to answer
LOOK = 1.0  # seconds between two looks at who is there
MESSAGES = 100  # a second, from all workers together: some ms each of scheduler and client
PAGE = "docs/CLUSTER.md"
ASKED = "cores", "memory"  # what dask-jobqueue must know of a job


class _Busy(NamedTuple):
    """A call that is being made: its number, the task, and where."""

    number: int
    task: Future
    address: str


class _Called:
    """A function with its arguments; unpickled, it is what the function returns."""

    def __init__(self, function: Callable, *arguments: Any):
        self._call = function, arguments

    def __reduce__(self) -> tuple[Callable, tuple]:
        return self._call


class Cluster:
    """Workers that come and go; `workers.Workers` has the same face.

    Attributes:
        device: what they compute on.
    """

    def __init__(self, client: Client, name: str, console: Console, expected: int = 1):
        """Knows nobody yet.

        Args:
            client: connected.
            name: what a person calls the cluster.
            console: for what there is to say.
            expected: how many workers there will be at least.
        """
        self._client, self._name, self._console = client, name, console
        self._expected, self._loops, self.device = expected, False, ""
        self._queue = Queue(f"{site.NAME}-{uuid.uuid4().hex}", client=client)
        self._asked: dict[str, tuple[int, Future]] = {}  # workers that have not yet told
        self._sites: dict[str, int] = {}  # how many calls each worker of Dask makes at a time
        self._met: set[str] = set()
        self._free: list[str] = []  # an address for each call that it could make
        self._busy: dict[str, _Busy] = {}
        self._due = 0.0
        self._tokens = map(str, itertools.count())

    def __len__(self) -> int:
        return max(self._expected, self._count)

    @property
    def _count(self) -> int:
        return sum(self._sites.values())

    @property
    def where(self) -> str:
        """Which it is, and how many workers it has now."""
        return f"{self._name}, {self._count} worker{'' if self._count == 1 else 's'}"

    def wait(self) -> None:
        """Waits for the first workers.

        Raises:
            UsageError: one of them does not fit.
        """
        self._look()
        if not self._asked:
            self._say(f"{self._name} has no workers yet; waiting for the first.")
        patient_until = time.monotonic() + PATIENCE
        while self._asked or not self._sites:
            time.sleep(PAUSE)
            for why in self._look():
                raise UsageError(why)
            if self._asked and time.monotonic() > patient_until:
                self._say(f"The workers of {self._name} are busy; waiting for them.")
                patient_until = math.inf

    def close(self) -> None:
        """Leaves nothing of this run in the scheduler."""
        self._queue.close()

    @contextlib.contextmanager
    def workers(self, loops: bool) -> Iterator["Cluster"]:
        """They, compiling loops as wholes or not; what they do in the end is given up."""
        self._loops = loops
        try:
            yield self
        finally:
            tasks = [each.task for each in self._busy.values()]
            self._free += [each.address for each in self._busy.values()]
            self._busy = {}
            with contextlib.suppress(OSError):  # the scheduler may be gone
                self._client.cancel(tasks)

    def run(self, calls: deque[tuple[int, Call]]) -> Iterator[tuple[int, Any] | None]:
        """As `Workers.run`; a worker that is gone makes a `Broken` of its call.

        Raises:
            IncompleteError: the scheduler is gone.
        """
        try:
            while calls or self._busy:
                while calls and self._free:
                    self._begin(*calls.popleft())
                told = self._queue.get(batch=True)
                for each in map(pickle.loads, told):
                    yield from self._items(each)
                if time.monotonic() >= self._due:
                    for why in self._look():
                        self._say(f"{why}; it is not used.")
                    yield from self._broken()
                if not told:
                    yield None
                    time.sleep(PAUSE)
        except OSError as error:  # all that Dask raises of lost connections is one
            raise IncompleteError(
                f"{self._name} no longer answers ({oneline(error)}); the same command continues"
            ) from error

    def _begin(self, number: int, call: Call) -> None:
        """Submits a call to a worker that is free."""
        address, token = self._free.pop(), next(self._tokens)
        pause = len(self) / MESSAGES
        sent = parcel.packed(call), self._loops, token, self._queue.name, max(pause, PAUSE)
        self._busy[token] = _Busy(number, self._submitted(address, site.serve, *sent), address)

    def _submitted(self, address: str, function: Callable, *arguments: Any) -> Future:
        """A task for this worker and no other.

        The task is only an unpickling: the scheduler looks into tasks, and so needs neither this
        project nor jax.
        """
        return self._client.submit(
            pickle.loads,
            pickle.dumps(_Called(function, *arguments)),
            workers=[address],
            allow_other_workers=False,
            pure=False,
        )

    def _items(self, told: Told) -> Iterator[tuple[int, Any]]:
        """What a worker has sent; of calls that were given up, nothing."""
        if told.token not in self._busy:
            return
        number = self._busy[told.token].number
        for item in told.items:
            yield number, item
        if told.ended:
            self._end(told.token)

    def _broken(self) -> Iterator[tuple[int, Broken]]:
        """What has become of calls that will not come to their end."""
        for token, (number, task, address) in list(self._busy.items()):
            error = task.exception() if task.status == "error" else None
            closes = isinstance(error, GivenUpError)
            if closes or address not in self._sites:
                why = Broken(f"worker {address} is gone", "", memory=False, died=True)
            elif error:
                text = "".join(traceback.format_exception(error))
                why = Broken(f"worker {address}: {oneline(error)}", text, memory=False, died=True)
            else:
                continue
            self._end(token, free=not closes)
            yield number, why

    def _end(self, token: str, free: bool = True) -> None:
        """A call is over; who made it may be free for another, if it is still there."""
        busy = self._busy.pop(token)
        busy.task.cancel()  # else Dask would make it again, were its result lost
        if free and busy.address in self._sites:
            self._free.append(busy.address)

    def _look(self) -> list[str]:
        """Notices who is gone and who has come; says why some of these do not fit."""
        self._due = time.monotonic() + LOOK
        present = self._client.nthreads()
        self._sites = {each: found for each, found in self._sites.items() if each in present}
        self._asked = {each: found for each, found in self._asked.items() if each in present}
        self._free = [address for address in self._free if address in self._sites]
        new, self._met = present.keys() - self._met, set(present)
        for address in new:
            self._asked[address] = present[address], self._submitted(address, site.inspected)
        told = [(address, *asked) for address, asked in self._asked.items() if asked[1].done()]
        for address, *_ in told:
            del self._asked[address]
        return [why for each in told if (why := self._take(*each))]

    def _take(self, address: str, threads: int, asked: Future) -> str:
        """Takes a worker that fits; says why another does not."""
        if asked.status == "error":
            return f"worker {address} cannot take part ({oneline(asked.exception())}); see {PAGE}"
        try:
            made_by, device, places = asked.result(timeout=PATIENCE)
        except (TimeoutError, CancelledError):
            return ""  # it is gone again
        others = [
            f"{name} ({made_by.get(name) or 'none'}, here {text or 'none'})"
            for name, text in code().items()
            if made_by.get(name) != text
        ]
        if self.device and device != self.device:
            others.append(f"device ({device}, others {self.device})")
        if others:
            return f"worker {address} has another {', '.join(others)}; see {PAGE}"
        self.device = device
        self._sites[address] = min(threads, places)
        self._free += [address] * self._sites[address]
        return ""

    def _say(self, text: str) -> None:
        self._console.print(text, highlight=False, markup=False, soft_wrap=True)


@contextlib.contextmanager
def connected(name: str, console: Console) -> Iterator[Cluster]:
    """A cluster with its first workers: see `pool.opened`.

    Raises:
        UsageError: it cannot be had, or its workers do not fit.
    """
    with contextlib.ExitStack() as stack:
        stack.enter_context(_quiet())
        address, expected = _address(name, stack)
        try:
            client = stack.enter_context(Client(address, timeout=PATIENCE, set_as_default=False))
            cluster = Cluster(client, name, console, expected)
            stack.callback(cluster.close)
            cluster.wait()
        except (OSError, ValueError, TypeError) as error:
            problem = oneline(error)
        else:
            yield cluster
            return
    # A client that nobody answered stops its loop when it is collected, and waits for ever if that
    # happens while the next one starts its own: both take one lock.
    gc.collect()
    raise UsageError(f"no scheduler of Dask answers at {name} ({problem}); see {PAGE}")


@contextlib.contextmanager
def _quiet() -> Iterator[None]:
    """Lets Dask log no mishaps meanwhile: what follows from them is told here."""
    names = [name for name in logging.root.manager.loggerDict if name.startswith("distributed")]
    before = {name: logging.getLogger(name).level for name in names}
    for name in names:
        logging.getLogger(name).setLevel(logging.CRITICAL)
    try:
        yield
    finally:
        for name, level in before.items():
            logging.getLogger(name).setLevel(level)


def _address(name: str, stack: contextlib.ExitStack) -> tuple[Any, int]:
    """Where the scheduler of a cluster is, which is started if need be; how many workers it gets.

    Raises:
        UsageError: it cannot be started.
    """
    own = re.fullmatch(r"(local|slurm)(?::([1-9]\d*))?", name)
    if not own:
        return name, 1
    kind, count = own[1], int(own[2] or 0)
    return _local(count, stack) if kind == "local" else _slurm(count or 1, stack)


def _local(count: int, stack: contextlib.ExitStack) -> tuple[LocalCluster, int]:
    """A worker of Dask in this process, so that no other hears Ctrl-C; calls are made outside."""
    count = count or len(usable_cores())
    cluster = LocalCluster(
        n_workers=1,
        threads_per_worker=count,
        processes=False,
        dashboard_address=":0",
        silence_logs=logging.CRITICAL,
    )
    return stack.enter_context(cluster), count


def _slurm(jobs: int, stack: contextlib.ExitStack) -> tuple[Any, int]:
    """So many jobs of SLURM, as the user's settings of dask-jobqueue ask for them."""
    if shutil.which("sbatch") is None:
        raise UsageError(f"there is no sbatch here: start it where jobs are submitted; see {PAGE}")
    try:
        module = importlib.import_module("dask_jobqueue")  # which knows the user's settings
        if absent := [name for name in ASKED if not dask.config.get(f"jobqueue.slurm.{name}")]:
            raise UsageError(f"what a job gets is not set: jobqueue.slurm.{absent[0]}; see {PAGE}")
        cluster = stack.enter_context(module.SLURMCluster(silence_logs=logging.CRITICAL))
        cluster.scale(jobs=jobs)
        return cluster, jobs * int(dask.config.get("jobqueue.slurm.cores"))
    except (ImportError, ValueError, TypeError, RuntimeError) as error:
        raise UsageError(f"no jobs of SLURM ({oneline(error)}); see {PAGE}") from error
