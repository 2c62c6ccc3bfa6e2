"""The host loop: which trials are missing, workers that train them, rows on disk as they come.

One process for each core trains a whole experiment at a time (small networks do not gain from
threads); on an accelerator there is one. Only the parent process writes files.
"""

import contextlib
import gc
import multiprocessing
import os
import queue
import signal
import threading
from collections.abc import Iterator, Sequence
from concurrent.futures import Future, ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from pathlib import Path

import jax
from rich.console import Console

from benchmarks.errors import UsageError
from benchmarks.learning import xla
from benchmarks.learning.experiment import Experiment
from benchmarks.learning.lanes import News, Run, train
from benchmarks.running import store
from benchmarks.running.progress import View

_news: multiprocessing.Queue  # of a worker, set when it starts
_stop: multiprocessing.Event


Job = list[Run]  # trials that share a recipe

WORKER_BYTES = 2 * 10**9  # measured: 1.1 GB in `quick`, more with longer sequences


def missing(experiment: Experiment, seed: int, folder: Path) -> Job:
    """The trials of an experiment that have no row yet: no finished trial is run twice.

    Raises:
        UsageError: the results file there is of another schema.
    """
    rows = store.read(path_of(experiment, folder))
    rows = rows[(rows["digest"] == experiment.digest) & (rows["seed"] == seed)]
    return [Run(experiment, i) for i in range(experiment.trials) if i not in set(rows["trial"])]


def path_of(experiment: Experiment, folder: Path, kind: str = "trials") -> Path:
    """The file of an experiment's rows, or of its `curves`, in a suite's folder."""
    return folder / kind / f"{experiment.name}.csv"


def run(
    experiments: Sequence[Experiment],
    seed: int,
    folder: Path,
    console: Console,
    curves: bool = False,
) -> None:
    """Runs the missing trials and adds each row to its file as soon as the trial is finished.

    Args:
        experiments: what to run.
        seed: seed of the run.
        folder: the suite's folder of results.
        console: where to show how far it is.
        curves: whether to keep the trials' learning curves, too.

    Raises:
        UsageError: rows cannot be written, or a worker was killed.
        KeyboardInterrupt: after the workers have stopped.
    """
    store.require_writable(folder / "trials")
    lacking = {each: missing(each, seed, folder) for each in experiments}
    lacking = {each: runs for each, runs in lacking.items() if runs}
    for each in lacking if curves else ():
        store.read(path_of(each, folder, "curves"), store.CURVE_COLUMNS)  # refuses a foreign file
    with View(console, {each: len(runs) for each, runs in lacking.items()}) as view:
        for loops, jobs in _by_compiler(_grouped(lacking)):
            for news in _work(jobs, seed, loops):
                if news.rows and curves:  # first: a row without a curve would stay without
                    store.add_curves(path_of(news.experiment, folder, "curves"), news.points)
                if news.rows:
                    store.add(path_of(news.experiment, folder), news.rows)
                view.news(news)


def _grouped(lacking: dict[Experiment, list[Run]]) -> list[Job]:
    """Trials by recipe: what shares a program is one job.

    The most work first, so that at the end no worker waits long for another.
    """
    jobs = {}
    for experiment, runs in lacking.items():
        numbers = tuple(experiment.settings.given())  # their names; values are data
        jobs.setdefault((experiment.recipe, experiment.data_sets, numbers), []).extend(runs)
    return sorted(jobs.values(), key=_most_steps, reverse=True)


def _most_steps(job: Job) -> int:
    """Steps of all trials if each uses its whole budget."""
    recipe = job[0].experiment.recipe
    return len(job) * recipe.budget * recipe.task.steps


def _by_compiler(jobs: list[Job]) -> Iterator[tuple[bool, list[Job]]]:
    """Jobs that want loops compiled as wholes, a setting of the process, apart from the others."""
    for loops in (False, True):
        chosen = [job for job in jobs if (job[0].experiment.recipe.learner.batch == 1) == loops]
        if chosen:
            yield loops, chosen


def _work(jobs: list[Job], seed: int, loops: bool) -> Iterator[News]:
    """News of all jobs as they come, from as many workers as the machine has use for."""
    context = multiprocessing.get_context("spawn")
    news, stop, cores = context.Queue(), context.Event(), context.Queue()
    usable = usable_cores()
    for core in usable:
        cores.put(core)
    initial = (news, stop, cores, loops)
    with ProcessPoolExecutor(len(usable), context, _start_worker, initial) as pool:
        try:
            with _interrupts_held():
                backend = pool.submit(jax.default_backend)
            workers = len(usable) if backend.result() == "cpu" else 1
            waiting, running = _split(jobs, workers)[::-1], set()
            while waiting or running:
                while waiting and len(running) < workers:
                    with _interrupts_held():
                        running.add(pool.submit(_train, seed, waiting.pop()))
                yield from _received(news)
                running = _unfinished(running)
            yield from _received(news)
        except BrokenProcessPool as error:
            raise UsageError(
                "a worker process was killed (out of memory?); finished trials are kept, and the "
                "same command continues with the others"
            ) from error
        finally:
            stop.set()


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


def usable_cores() -> list[int]:
    """Numbers of the cores to work on: those that this process may use and has memory for."""
    if not hasattr(os, "sched_getaffinity"):
        return list(range(os.cpu_count()))
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    return sorted(os.sched_getaffinity(0))[: max(1, memory // WORKER_BYTES)]


def _split(jobs: list[Job], workers: int) -> list[Job]:
    """With fewer jobs than workers, parts of jobs; a trial does not depend on its company."""
    parts = -(-workers // len(jobs))
    return [job[i::parts] for job in jobs for i in range(min(parts, len(job)))]


def _received(news: multiprocessing.Queue) -> Iterator[News]:
    """Waits a moment for news, then passes on all that has come."""
    try:
        yield from news.get(timeout=0.2)
        while True:
            yield from news.get_nowait()
    except queue.Empty:
        return


def _unfinished(futures: set[Future]) -> set[Future]:
    for future in futures:
        if future.done():
            future.result()  # raises what the worker raised
    return {future for future in futures if not future.done()}


def _start_worker(
    news: multiprocessing.Queue, stop: multiprocessing.Event, cores, loops: bool
) -> None:
    """Sets a worker up, on a core of its own where the system lets a process choose.

    XLA starts one thread for each core that it may use; and left to itself, the scheduler was seen
    to run two workers on one core and leave the other idle.
    """
    global _news, _stop
    if hasattr(os, "sched_setaffinity"):
        os.sched_setaffinity(0, {cores.get()})
    if loops:
        xla.set_loop_flag()
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # the parent hears it and asks to stop
    _news, _stop = news, stop
    gc.freeze()  # what is imported stays; looking through it slows compiling down
    die_with_parent()


def die_with_parent() -> None:
    """Ends this process when the parent has been killed: nobody would write its rows."""

    def wait(parent) -> None:
        parent.join()
        os._exit(1)

    threading.Thread(target=wait, args=(multiprocessing.parent_process(),), daemon=True).start()


def _train(seed: int, job: Job) -> None:
    """In a worker: trains a job and sends its news, until it is done or asked to stop."""
    for news in train(seed, job):
        _news.put(news)
        if _stop.is_set():
            return
