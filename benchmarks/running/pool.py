"""Where calls are made: by workers on this machine, or by those of a cluster."""

import contextlib
import importlib
from collections import deque
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from typing import Any, Protocol

from rich.console import Console

from benchmarks.errors import UsageError
from benchmarks.running.workers import Call, Workers


class Pool(Protocol):
    """Workers, wherever they are; `Workers` says more."""

    @property
    def device(self) -> str:
        """What all of them compute on."""

    @property
    def where(self) -> str:
        """Which cluster and how many workers, for a person; empty on this machine."""

    def __len__(self) -> int: ...

    def run(self, calls: deque[tuple[int, Call]]) -> Iterator[tuple[int, Any] | None]:
        """What the calls yield, as it comes, each item with the number of its call."""


Start = Callable[[bool], AbstractContextManager[Pool]]
"""Starts workers, told whether they compile loops as wholes."""


@contextlib.contextmanager
def opened(cluster: str | None, console: Console) -> Iterator[Start]:
    """How workers are started: on this machine or, if one is named, on a cluster.

    Args:
        cluster: address of a Dask scheduler; `local` or `slurm`, with `:N` for so many workers or
            jobs; None for this machine without Dask.
        console: for what there is to say of the cluster.

    Raises:
        UsageError: no cluster can be had, or its workers do not fit this process.
    """
    if cluster is None:
        yield Workers
        return
    try:
        module = importlib.import_module("benchmarks.running.cluster")
    except ImportError as error:
        raise UsageError(f"a cluster needs Dask: pip install '.[cluster]' ({error})") from error
    with module.connected(cluster, console) as found:
        yield found.workers
