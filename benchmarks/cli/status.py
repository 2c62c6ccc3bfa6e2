"""`status`: how far the runs of a results folder are."""

import time
from pathlib import Path

import pandas as pd
from rich.console import Console

from benchmarks import suites
from benchmarks.cli import arguments
from benchmarks.errors import UsageError
from benchmarks.running import search, status, store
from benchmarks.running.workers import usable_cores


def add(commands) -> None:
    """Adds the command."""
    text = "how far runs are: done, in progress, failed, left, and the time to go"
    parser = arguments.add_command(commands, "status", text, _command)
    parser.add_argument("suite", nargs="?", help="default: all that the folder has")
    arguments.add_out(parser)


def _command(options) -> None:
    console = arguments.console()
    names = [options.suite] if options.suite else suites.names()
    shown = [_show(name, arguments.folder(options.out, name), console) for name in names]
    if not any(shown):
        where = arguments.folder(options.out, names[0]).parent
        raise UsageError(f"nothing has been run in {where}; see python -m benchmarks run --help")


def _show(name: str, folder: Path, console: Console) -> bool:
    """Prints what there is of a suite; whether there is anything."""
    suite = suites.load(name)
    if not suite.trains:
        return False
    rows = store.read_suite(folder, suite.columns)
    asked = status.requests(store.read_requests(folder), rows, suite.experiments)
    found = [
        show for show in (_run(name, asked, rows, folder, suite), _search(name, folder)) if show
    ]
    for each in found:
        console.print(each, highlight=False, markup=False, soft_wrap=True)
    return bool(found)


def _search(name: str, folder: Path) -> str:
    """What there is of a suite's search, in a line."""
    rows = store.read_suite(folder / "search")
    if rows.empty:
        return ""
    cells, chosen = rows["experiment"].nunique(), len(search.chosen(folder))
    return (
        f"{name}, search: {len(rows)} trials of {cells} experiments; settings chosen for {chosen}"
    )


def _run(
    name: str, asked: pd.DataFrame, rows: pd.DataFrame, folder: Path, suite: suites.Suite
) -> str:
    """How far a suite's runs are; empty if nothing has been asked for."""
    if asked.empty:
        return ""
    budgets = {each.digest: each.recipe.budget for each in suite.experiments}
    lines = status.lines(asked, rows, folder, budgets)
    saved = status.latest(folder)
    ago = f", last written {duration(time.time() - saved)} ago" if saved else ""
    said = [f"{name}{ago}", text(lines)]
    failed = lines[lines["failed"] != ""]
    said += [f"{each.experiment} failed: {each.failed}" for each in failed.itertuples()]
    return "\n".join(said)


def text(lines: pd.DataFrame) -> str:
    """The lines of `running.status` and their sum, for a person."""
    total = {"experiment": "all", "failed": "", **lines.sum(numeric_only=True), "seed": ""}
    total["seconds"] = lines["seconds"].sum(skipna=False) / len(usable_cores())
    shown = pd.concat([lines, pd.DataFrame([total])], ignore_index=True)
    shown["failed"] = shown["failed"].ne("").map({True: "yes", False: ""})
    shown["at most"] = [duration(each) for each in shown.pop("seconds")]
    shown = shown.rename(columns={"saved": "in progress"})
    for name in ("trials", "done", "in progress", "left"):
        shown[name] = shown[name].astype(int)
    return shown.to_string(index=False)


def duration(seconds: float) -> str:
    """A time, short: 40 s, 3 min, 2.5 h; ? if nobody knows."""
    if seconds != seconds:
        return "?"
    if seconds < 120:
        return f"{seconds:.0f} s"
    return f"{seconds / 60:.0f} min" if seconds < 7200 else f"{seconds / 3600:.1f} h"
