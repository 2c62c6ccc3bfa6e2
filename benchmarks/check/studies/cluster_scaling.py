"""How much faster is a cluster, and how large may it be?

    python -m benchmarks.check.studies.cluster_scaling          # suite quick, on an idle machine
    python -m benchmarks.check.studies.cluster_scaling tiny 'two-*'    # some minutes: does it work?

Runs a suite locally with one worker, and on one and two workers of Dask, and counts what passes
through the client. From what it has measured, and from the seconds of the committed rows, a model
says how long suites would take with more workers. All goes to docs/CLUSTER.md.
"""

import contextlib
import heapq
import io
import pickle
import sys
import tempfile
import time
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, NamedTuple

import jax
import pandas as pd
from distributed import Client, LocalCluster, Queue
from rich.console import Console

from benchmarks import suites
from benchmarks.check.studies import document
from benchmarks.learning.experiment import Experiment
from benchmarks.learning.lanes import Run
from benchmarks.running import runner, store
from benchmarks.running.cluster import MESSAGES, Cluster
from benchmarks.running.jobs import Job, grouped, split
from benchmarks.running.parcel import packed
from benchmarks.running.pool import Start
from benchmarks.running.site import Told
from benchmarks.running.workers import PAUSE, Call, Place, Workers, usable_cores
from benchmarks.suites.common import RESULTS
from benchmarks.suites.replacing import fitting

PAGE = document.DOCS / "CLUSTER.md"
SUITES = "quick", "compare"  # those of the model
WORKERS = 1, 2, 64, 1024
FLOOD = 2000  # messages of which the time is taken
DIFFERENT = ["commit", "dirty", "seconds"]  # columns that differ between runs of the same trials


@dataclass
class Passed:
    """What has passed through a client.

    Attributes:
        sent: bytes of each call.
        sending: processor seconds that these took in all.
        got: bytes of each message.
        start: of each call, seconds until the first block, without its training.
    """

    sent: list[int] = field(default_factory=list)
    sending: float = 0.0
    got: list[int] = field(default_factory=list)
    start: list[float] = field(default_factory=list)


class Watched(Cluster):
    """A cluster that counts."""

    def __init__(self, client: Client):
        super().__init__(client, "cluster", Console(file=io.StringIO()))
        self.passed = Passed()
        self._begun: dict[int, float] = {}

    def _begin(self, number: int, call: Call) -> None:
        self._begun[number] = time.monotonic()
        began = time.process_time()
        super()._begin(number, call)
        self.passed.sending += time.process_time() - began
        self.passed.sent.append(len(packed(call)))

    def _items(self, told: Told) -> Iterator[tuple[int, Any]]:
        self.passed.got.append(len(pickle.dumps(told)))
        for number, item in super()._items(told):
            if item[0] and number in self._begun:
                training = sum(rest[1] for _, rest in item[0])
                self.passed.start.append(time.monotonic() - self._begun.pop(number) - training)
            yield number, item


class Ran(NamedTuple):
    """A run of a suite: its rows, and how many seconds it took."""

    rows: pd.DataFrame
    seconds: float


def ran(experiments: Sequence[Experiment], start: Start) -> Ran:
    """Runs experiments in a folder that is removed."""
    with tempfile.TemporaryDirectory() as scratch:
        began = time.monotonic()
        runner.run(experiments, 0, Path(scratch), Console(file=io.StringIO()), start=start)
        seconds = time.monotonic() - began
        rows = store.read_suite(Path(scratch)).drop(columns=DIFFERENT)
    return Ran(rows.sort_values(store.IDENTITY, ignore_index=True), seconds)


def on_cluster(experiments: Sequence[Experiment], count: int) -> tuple[Ran, Passed]:
    """Runs experiments on so many workers of Dask on this machine, which are there before."""
    with of_dask(count) as client:
        cluster = Watched(client)
        cluster.wait()
        return ran(experiments, cluster.workers), cluster.passed


@contextlib.contextmanager
def of_dask(count: int) -> Iterator[Client]:
    """A client of so many workers of Dask on this machine, each a process with one thread."""
    started = LocalCluster(n_workers=count, threads_per_worker=1, dashboard_address=":0")
    with started, Client(started, set_as_default=False) as client:
        yield client


def scaling_table(local: Ran, runs: dict[int, Ran]) -> str:
    """Seconds and speed-up, in Markdown."""
    lines = [{"workers": "1, without Dask", "seconds": round(local.seconds), "speed-up": ""}]
    for count, each in runs.items():
        line = {"workers": str(count), "seconds": round(each.seconds)}
        line |= {"speed-up": f"{local.seconds / each.seconds:.2f}"}
        lines.append(line | {"rows": "the same" if each.rows.equals(local.rows) else "others"})
    return pd.DataFrame(lines).fillna("").to_markdown(index=False, disable_numparse=True)


def flooded(message: bytes) -> float:
    """Processor seconds of client and scheduler, which share this process here, for a message."""
    with of_dask(1) as client:
        queue, left = Queue("flood", client=client), FLOOD
        task = client.submit(put, "flood", message, FLOOD)
        began = time.process_time()
        while left:
            got = queue.get(batch=True)
            left -= len([pickle.loads(each) for each in got])
            if not got:
                time.sleep(PAUSE)
        task.result()
        return (time.process_time() - began) / FLOOD


def put(name: str, message: bytes, count: int) -> None:
    """In a worker: sends the same message again and again."""
    queue = Queue(name)
    for _ in range(count):
        queue.put(message)


class Costs(NamedTuple):
    """What was measured and the model rests on: seconds of a job's start, of a call, a message."""

    start: float
    call: float
    message: float


def costs_table(passed: Passed, costs: Costs) -> str:
    """What passes through the client, in Markdown."""
    lines = [
        ("start of a job in a worker, with compilation", f"{costs.start:.1f} s", ""),
        ("a call, client to worker", f"{1000 * costs.call:.1f} ms", mean_bytes(passed.sent)),
        ("a message, worker to client", f"{1000 * costs.message:.1f} ms", mean_bytes(passed.got)),
    ]
    table = pd.DataFrame(lines, columns=["what", "time", "bytes"])
    return table.to_markdown(index=False, disable_numparse=True)


def mean_bytes(sizes: Sequence[int]) -> str:
    """Their mean and the largest."""
    return f"{sum(sizes) / len(sizes):,.0f} (at most {max(sizes):,})"


def seconds_known(experiments: Iterable[Experiment], rows: pd.DataFrame) -> dict[Run, float]:
    """Seconds of training of all trials of those experiments that have all of their rows."""
    rows = rows[rows["seed"] == 0]
    took = dict(zip(zip(rows["digest"], rows["trial"], strict=True), rows["seconds"], strict=True))
    runs = [[Run(each, i) for i in range(each.trials)] for each in experiments]
    known = [each for each in runs if all(run.key in took for run in each)]
    return {run: took[run.key] for each in known for run in each}


def whole(parts: Sequence[Sequence[float]], count: int, start: float) -> float:
    """Seconds until the last of some parts is done.

    Args:
        parts: seconds of training of each trial of each part, in the order in which they begin.
        count: of workers, each of which begins the next part as soon as it has done one.
        start: seconds that each part takes besides.
    """
    free = [0.0] * count
    for each in parts:
        heapq.heapreplace(free, free[0] + start + sum(each))
    return max(free)


def model_line(
    name: str, jobs: list[Job], took: dict[Run, float], count: int, costs: Costs
) -> dict:
    """A suite on so many workers."""
    parts = [[took[run] for run in part] for part in split(jobs, count)]
    seconds = whole(parts, count, costs.start)
    alone = whole([[took[run] for run in job] for job in jobs], 1, costs.start)
    messages = min(count / PAUSE, MESSAGES)
    return {
        "suite": name,
        "jobs": len(jobs),
        "workers": count,
        "parts": len(parts),
        "minutes": f"{seconds / 60:.1f}",
        "speed-up": f"{alone / seconds:.1f}",
        "longest trial": f"{max(took.values()) / 60:.1f} min",
        "sending calls": f"{costs.call * len(parts):.1f} s",
        "client busy": f"{messages * costs.message:.0%}",
    }


def model_table(costs: Costs) -> str:
    """Suites on more workers than there are, in Markdown."""
    lines = []
    for name in SUITES:
        rows = store.read_suite(RESULTS / name)
        took = seconds_known(suites.load(name).experiments, rows)
        by_experiment: dict[Experiment, list[Run]] = {}
        for run in took:
            by_experiment.setdefault(run.experiment, []).append(run)
        jobs = grouped(by_experiment)
        lines += [model_line(name, jobs, took, count, costs) for count in WORKERS]
    return pd.DataFrame(lines).to_markdown(index=False, disable_numparse=True)


def main(name: str = "quick", pattern: str = "*") -> None:
    """Runs the study and writes what it has found into the document."""
    jax.config.update("jax_platforms", "cpu")
    experiments = fitting(suites.load(name).experiments, pattern, name)
    first = Place(usable_cores()[0])
    local = ran(experiments, lambda loops: Workers(loops, [first]))
    print(f"local: {local.seconds:.0f} s", flush=True)
    found = {}
    for count in (1, 2):
        found[count], passed = on_cluster(experiments, count)
        print(f"{count} workers: {found[count].seconds:.0f} s", flush=True)
    message = pickle.dumps(Told("0", [bytes(round(sum(passed.got) / len(passed.got)))], False))
    start, call = sum(passed.start) / len(passed.sent), passed.sending / len(passed.sent)
    costs = Costs(start, call, flooded(message))
    for part, text in (
        (
            "scaling",
            f"Suite `{name}`, experiments `{pattern}`, seed 0:\n\n{scaling_table(local, found)}",
        ),
        ("costs", costs_table(passed, costs)),
        ("model", model_table(costs)),
    ):
        print(text, flush=True)
        document.put(part, text, PAGE)


if __name__ == "__main__":
    main(*sys.argv[1:])
