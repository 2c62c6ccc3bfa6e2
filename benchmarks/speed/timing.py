"""Alternatives timed in turn: each once in every repetition, so that drift hits all of them alike.

Every alternative runs in processes of its own kind: on which cores, and how loops are compiled, are
settings of a process.
"""

import multiprocessing
import os
import signal
import time
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from typing import NamedTuple, Protocol

from benchmarks.errors import UsageError
from benchmarks.learning import xla
from benchmarks.running.workers import die_with_parent


class MissingError(Exception):
    """What a case needs is not on this machine; the message says what."""


class Case(Protocol):
    """Work to be timed; implementations are frozen dataclasses, since they travel to processes."""

    @property
    def amount(self) -> float:
        """How much work a call does, in sequences, floating point operations or bytes."""

    def __hash__(self) -> int: ...

    def prepare(self) -> Callable[[], object]:
        """Does what is not timed; the result does the work once and returns when it is done.

        Raises:
            MissingError: it cannot be done on this machine.
        """


class Place(NamedTuple):
    """Where a case runs: in each of these processes, at the same time.

    Attributes:
        processes: the cores of each process.
        loops: whether loops are compiled as wholes there (`benchmarks.learning.xla`).
    """

    processes: tuple[tuple[int, ...], ...]
    loops: bool


class Alternative(NamedTuple):
    """One way to do the work of a group; `trials` are those that a process trains side by side."""

    name: str
    place: Place
    case: Case
    trials: int | None = None


class Unit(NamedTuple):
    """What a group is measured in.

    Attributes:
        text: "ns per step", "GB/s".
        scale: the figure is scale * seconds / amount; of a rate scale * amount / seconds.
        rate: whether more is better.
    """

    text: str
    scale: float
    rate: bool = False


class Group(NamedTuple):
    """Alternatives that do the same work; others are compared with the first.

    Attributes:
        section: which table it stands in.
        name: unique in its section.
        unit: what figures are in.
        facts: further columns of its rows.
        alternatives: at least one.
    """

    section: str
    name: str
    unit: Unit
    facts: dict
    alternatives: list[Alternative]


class Warm(NamedTuple):
    """Seconds of the first call of a case, compiling included, and of the second."""

    first: float
    second: float


class Workers:
    """The processes, started when they are first needed; a context manager."""

    def __init__(self):
        self._pools: dict[tuple[tuple[int, ...], bool], ProcessPoolExecutor] = {}

    def __enter__(self) -> "Workers":
        return self

    def __exit__(self, *_) -> None:
        for pool in self._pools.values():
            pool.shutdown(cancel_futures=True)

    def ask(self, place: Place, function: Callable, *arguments) -> list:
        """Results of a function from every process of a place.

        Raises:
            UsageError: a process was killed.
        """
        asked = [self._submit(cores, place.loops, function, *arguments) for cores in place[0]]
        try:
            return [each.result() for each in asked]
        except BrokenProcessPool as error:
            raise UsageError("a process was killed (out of memory?); nothing is written") from error

    def _submit(self, cores: tuple[int, ...], loops: bool, *call) -> Future:
        if (cores, loops) not in self._pools:
            context = multiprocessing.get_context("spawn")
            self._pools[cores, loops] = ProcessPoolExecutor(1, context, _start, (cores, loops))
        return self._pools[cores, loops].submit(*call)


def _start(cores: tuple[int, ...], loops: bool) -> None:
    if hasattr(os, "sched_setaffinity"):
        os.sched_setaffinity(0, cores)
    if loops:
        xla.set_loop_flag()
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # the parent hears it
    die_with_parent()


def measured(workers: Workers, group: Group, repetitions: int, seconds: float) -> Iterator[dict]:
    """Rows of a group: one for each alternative and repetition, one for what is missing.

    Columns: alternative, trials, processes, repetition, calls, amount (of all processes),
    seconds (of the slowest process), figure, compile_seconds, note.

    Args:
        workers: where it runs.
        group: what runs.
        repetitions: how often each alternative is timed.
        seconds: how long one timing should take; at least one call.
    """
    warm = [workers.ask(each.place, _warm_up, each.case) for each in group.alternatives]
    for each, reports in zip(group.alternatives, warm, strict=True):
        if isinstance(reports[0], str):
            yield _row(group, each) | {"note": reports[0]}
    present = [
        (each, reports)
        for each, reports in zip(group.alternatives, warm, strict=True)
        if not isinstance(reports[0], str)
    ]
    for repetition in range(repetitions):
        for each, reports in present:
            calls = max(1, round(seconds / max(report.second for report in reports)))
            took = max(workers.ask(each.place, _timed, each.case, calls))
            yield _row(group, each) | _timing(group, each, reports, repetition, calls, took)
    for each in group.alternatives:
        workers.ask(each.place, _forget)


def _row(group: Group, each: Alternative) -> dict:
    shared = {"section": group.section, "group": group.name, "unit": group.unit.text}
    processes = len(each.place.processes)
    own = {"alternative": each.name, "trials": each.trials, "processes": processes}
    return shared | group.facts | own


def _timing(
    group: Group, each: Alternative, reports: list[Warm], repetition: int, calls: int, took: float
) -> dict:
    amount = calls * each.case.amount * len(each.place.processes)
    per = amount / took if group.unit.rate else took / amount
    return {
        "repetition": repetition,
        "calls": calls,
        "amount": amount,
        "seconds": took,
        "figure": group.unit.scale * per,
        "compile_seconds": max(0.0, *(report.first - report.second for report in reports)),
    }


_ready: dict[Case, Callable[[], object]] = {}  # of a worker


def _warm_up(case: Case) -> Warm | str:
    """Prepares a case and calls it twice; what is missing where it cannot be."""
    try:
        call = case.prepare()
    except MissingError as missing:
        return str(missing)
    _ready[case] = call
    return Warm(_timed(case, 1), _timed(case, 1))


def _timed(case: Case, calls: int) -> float:
    began = time.perf_counter()
    for _ in range(calls):
        _ready[case]()
    return time.perf_counter() - began


def _forget() -> None:
    _ready.clear()
