"""`run`: trains what is missing of a suite, then prints its table."""

import contextlib
import math
from collections.abc import Sequence
from functools import partial
from pathlib import Path

from rich.console import Console

from benchmarks import suites
from benchmarks.cli import arguments
from benchmarks.cli.chosen import beside, chosen, searched
from benchmarks.cli.table import show
from benchmarks.errors import FailedError, UsageError
from benchmarks.learning.experiment import Experiment
from benchmarks.running import flow_study, networks, runner, search, store
from benchmarks.running.pool import Start, opened
from benchmarks.running.rows import ALL


def add(commands) -> None:
    """Adds the command."""
    text = "run what is missing of a suite, then print its table"
    parser = arguments.add_command(commands, "run", text, _command, resumes=True)
    arguments.add_experiments(parser)
    arguments.add_changes(parser)
    arguments.add_out(parser)
    arguments.add_seed(parser)
    arguments.add_cluster(parser)
    text = "keep the trained networks, too, in weights/"
    parser.add_argument("--keep-weights", action="store_true", help=text)
    parser.add_argument(
        "--shard",
        type=arguments.shard,
        default=ALL,
        metavar="I/N",
        help="only the Ith of N equal shares of the trials, for N jobs",
    )


def _command(options) -> None:
    name, trains = options.suite, suites.load(options.suite).trains
    if options.keep_weights and not trains:
        raise UsageError(f"suite {name} trains nothing; there are no weights to keep")
    if options.cluster and not trains:
        raise UsageError(f"suite {name} trains nothing; a cluster has nothing to do")
    chosen(name, options.pattern, arguments.changes(options), options.out)
    console = arguments.console()  # from here on there may be jobs that wait for a cluster
    with opened(options.cluster, console) as start:
        _run(options, console, start)


def _run(options, console: Console, start: Start) -> None:
    name, pattern, out = options.suite, options.pattern, options.out
    changes = arguments.changes(options)
    home, suite = arguments.folder(out, name), suites.load(name)
    shard, shared = options.shard, options.shard != ALL
    own = suite.trains and not shared
    find = partial(searched, console=console, start=start) if own else chosen
    experiments = _known(name, find(name, pattern, changes, out), console)
    if shared and changes.to_search and suite.searched:
        _require_searched(name, experiments, home)
    store.read_suite(home, suite.columns)  # refuses a foreign file before anything is written
    record(experiments, options.seed, home)
    others = beside(name, pattern, changes, out)
    table = partial(
        show, name, experiments, home, console, pattern == "*" and changes.whole, others
    )
    try:
        if suite.trains:
            keep = options.keep_weights
            runner.run(experiments, options.seed, home, console, True, keep, shard, start)
            if keep:
                _tell_not_kept(experiments, options.seed, home, console)
        else:
            flow_study.run(experiments, options.seed, home, console, shard)
    except FailedError:
        if not shared:
            with contextlib.suppress(UsageError):  # that there is nothing else
                table()
        raise
    if shared:
        where = f" --out {out}" if out else ""
        text = f"Share {shard.number} of {shard.of} is finished. When all are, with the same "
        text += f"options: python -m benchmarks table {name}{where}"
        console.print(text, highlight=False, soft_wrap=True)
    else:
        table()


def _tell_not_kept(
    experiments: Sequence[Experiment], seed: int, folder: Path, console: Console
) -> None:
    """Says of how many trials, run before, there is no network: they are not trained again."""
    found = store.read_suite(folder)
    own = found["digest"].isin([each.digest for each in experiments]) & (found["seed"] == seed)
    rows = found[own].to_dict("records")
    gone = sum(not networks.path_of(row, folder).exists() for row in rows)
    if gone:
        text = f"{gone} trials were run before without keeping their networks; to have them, run "
        console.print(f"{text}into another folder: --out", highlight=False, soft_wrap=True)


def _known(suite: str, experiments: list[Experiment], console: Console) -> list[Experiment]:
    """The experiments whose rate is known.

    Raises:
        UsageError: none is.
    """
    known = [each for each in experiments if not math.isnan(each.rate)]
    count = suites.load(suite).configurations
    command = f"python -m benchmarks search {suite} --configurations {count} --out results"
    if not known:
        raise UsageError(f"{experiments[0].name} has not been searched; first: {command}")
    if len(known) < len(experiments):
        waiting = len(experiments) - len(known)
        text = f"{waiting} experiments have not been searched and are left out; search: {command}"
        console.print(text, highlight=False, soft_wrap=True)
    return known


def _require_searched(suite: str, experiments: Sequence[Experiment], folder: Path) -> None:
    """Refuses to search in each of several jobs.

    Raises:
        UsageError: one of these has not been searched.
    """
    for each in search.unsettled(experiments, folder):
        raise UsageError(
            f"{each.name} has not been searched, which the jobs of a sweep do not do; first: "
            f"python -m benchmarks search {suite} with the same options, --cell and --out too"
        )


def record(experiments: Sequence[Experiment], seed: int, folder: Path) -> None:
    """Keeps what was asked for, so that a report can tell it from what has not been finished."""
    requests = [
        {"experiment": each.name, "digest": each.digest, "seed": seed, "trials": each.trials}
        for each in experiments
    ]
    store.add_requests(folder, requests)
