"""How fast is it? `python -m benchmarks speed`: timings beside their alternatives, in one run."""

import time
from collections.abc import Iterable
from pathlib import Path

import jax
import pandas as pd
from rich.console import Console

from benchmarks.running import files
from benchmarks.running.workers import usable_cores
from benchmarks.speed import machine, plan, rows, table
from benchmarks.speed.timing import Group, Workers, measured

REPETITIONS = 5
SECONDS = 0.25  # of one timing


def run(folder: Path, console: Console) -> None:
    """Measures all that `plan` has for this machine, prints it, and writes its files.

    Raises:
        UsageError: the folder cannot be written, or a process was killed.
    """
    files.require_writable(folder)
    cores = usable_cores()
    place = plan.Places(cores).all
    with Workers() as workers:
        origin = workers.ask(place, machine.origin)[0]
        if workers.ask(place, jax.default_backend)[0] == "cpu":
            found = measure(workers, plan.cpu(cores), REPETITIONS, SECONDS, console)
            found += measure(workers, plan.compiling(cores), 1, SECONDS, console)
        else:
            found = measure(workers, plan.accelerator(cores), REPETITIONS, SECONDS, console)
    report(folder, rows.frame([row | origin for row in found]), console)


def measure(
    workers: Workers, groups: Iterable[Group], repetitions: int, seconds: float, console: Console
) -> list[dict]:
    """Rows of all groups; says how far it is."""
    groups, found = list(groups), list[dict]()
    for number, group in enumerate(groups, 1):
        began = time.monotonic()
        found += measured(workers, group, repetitions, seconds)
        text = f"[{number}/{len(groups)}] {group.section}: {group.name}"
        console.print(f"{text}, {time.monotonic() - began:.0f} s", highlight=False, markup=False)
    return found


def report(folder: Path, found: pd.DataFrame, console: Console) -> None:
    """Prints the tables; writes measurements.csv and table.md.

    Raises:
        UsageError: the folder cannot be written.
    """
    for each in table.terminal(found):
        console.print()
        console.print(each)
    console.print()
    console.print(table.RULES, highlight=False)
    console.print(table.origin(found), highlight=False)
    rows.save(folder / "measurements.csv", found)
    files.write(folder / "table.md", table.page(found))
