"""The command line: `python -m benchmarks --help` tells its commands."""

import argparse
import fnmatch
import os
import shlex
import sys
from collections.abc import Iterable
from dataclasses import replace
from pathlib import Path

import jax
import pandas as pd
from rich.console import Console

from benchmarks import suites
from benchmarks.analysis import paper_rows, tables
from benchmarks.check import run
from benchmarks.check.output import Files
from benchmarks.errors import UsageError
from benchmarks.learning.experiment import Experiment
from benchmarks.running import flow_study, runner, search, store
from benchmarks.running.cell_file import cell_from
from benchmarks.suites.common import RESULTS
from models.network import Recurrent

EXAMPLES = """\
examples:
  python -m benchmarks list                      the suites
  python -m benchmarks list quick                the experiments of a suite
  python -m benchmarks run quick                 run a suite and print its table
  python -m benchmarks run quick 'adding-*'      only some experiments (a shell pattern)
  python -m benchmarks run quick --cell my.py:MyCell
                                                 the suite's tasks with your own cell, a class
                                                 made as MyCell(n_in, n_hidden, rngs=...)
  python -m benchmarks table quick               the table again, with the committed reference
  python -m benchmarks report quick lags         a page with figures and statistics of each
  python -m benchmarks inspect quick adding-40.lstm
                                                 train one trial, draw its gates and error flow
  python -m benchmarks check                     has learning got worse since the baseline?

A run that was interrupted continues where it stopped: give the same command again.
"""


def main(arguments: list[str] | None = None) -> int:
    """Runs a command.

    Returns:
        The exit status: 0, 1 when a check finds a regression, 2 on misuse, 130 when interrupted.
    """
    # This process only draws and writes; a GPU belongs to the workers that it starts.
    jax.config.update("jax_platforms", "cpu")
    kept = ""
    try:
        options = _parser().parse_args(arguments)
        if options.command in (_run, _tune, _check, _baseline):
            kept = "; finished trials are kept, the same command continues"
        return options.command(options) or 0
    except UsageError as error:
        print(f"benchmarks: {error}", file=sys.stderr)
        return 2
    except KeyboardInterrupt:
        print(f"benchmarks: interrupted{kept}", file=sys.stderr)
        return 130
    except BrokenPipeError:  # `| head` has had enough
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
    return 0


class _Parser(argparse.ArgumentParser):
    def error(self, message: str):
        raise UsageError(f"{message}; see python -m benchmarks --help")


def _parser() -> argparse.ArgumentParser:
    parser = _Parser(
        prog="python -m benchmarks",
        description="Long-time-lag tasks of Hochreiter & Schmidhuber 1997 for recurrent cells.",
        epilog=EXAMPLES,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    commands = parser.add_subparsers(required=True, metavar="COMMAND")
    listing = commands.add_parser("list", help="the suites, or the experiments of one")
    listing.add_argument("suite", nargs="?")
    listing.set_defaults(command=_list)
    for name, command, text in (
        ("run", _run, "run what is missing of a suite, then print its table"),
        ("table", _table, "print the table of what has been run, and write it as .md and .csv"),
        ("tune", _tune, "search the learning rate of every cell on a suite's tasks"),
    ):
        verb = commands.add_parser(name, help=text, description=text)
        verb.add_argument("suite", help="see `list`")
        verb.add_argument("pattern", nargs="?", default="*", help="which experiments: 'adding-*'")
        verb.add_argument("--cell", metavar="FILE:CLASS", help="your own cell on the same tasks")
        verb.add_argument("--out", type=Path, metavar="DIR", help="default: results/local")
        verb.set_defaults(command=command)
        if name != "tune":
            verb.add_argument("--trials", type=_positive, help="default: what the suite says")
        if name == "run":
            verb.add_argument("--seed", type=_seed, default=0, help="default: 0")
    text = "write a page with figures and statistics of each suite, from what has been run"
    reporting = commands.add_parser("report", help=text, description=text)
    reporting.add_argument("suites", nargs="+", metavar="SUITE", help="see `list`")
    reporting.add_argument("--cell", metavar="FILE:CLASS", help="your own cell, run before")
    reporting.add_argument("--out", type=Path, metavar="DIR", help="default: results/local")
    reporting.set_defaults(command=_report)
    text = "train one trial and draw what happens inside its network"
    inspecting = commands.add_parser("inspect", help=text, description=text)
    inspecting.add_argument("suite", nargs="?", help="needed where several have the experiment")
    inspecting.add_argument("pattern", metavar="EXPERIMENT", help="adding-40.lstm, say")
    inspecting.add_argument("--seed", type=_seed, default=0, help="default: 0")
    inspecting.add_argument("--cell", metavar="FILE:CLASS", help="your own cell on the same task")
    inspecting.add_argument("--out", type=Path, metavar="DIR", help="default: results/local")
    inspecting.set_defaults(command=_inspect)
    _add_check(commands)
    text = "time the learners against their alternatives, and write .csv and .md (10 minutes)"
    timing = commands.add_parser("speed", help=text, description=text)
    timing.add_argument("--out", type=Path, metavar="DIR", help="default: results/local")
    timing.set_defaults(command=_speed, suite="speed")
    return parser


def _add_check(commands) -> None:
    for name, command, seed, text in (
        (
            "check",
            _check,
            run.SEED,
            "run a suite; status 1 if it learns worse than before",
        ),
        ("baseline", _baseline, run.BASELINE_SEED, "run what later checks compare with"),
    ):
        verb = commands.add_parser(name, help=text, description=text)
        verb.add_argument("suite", nargs="?", default="smoke", help="default: smoke")
        verb.add_argument("--baseline", type=Path, default=run.BASELINE, metavar="FILE")
        verb.add_argument("--cell", metavar="FILE:CLASS", help="your own cell on the same tasks")
        verb.add_argument("--seed", type=_seed, default=seed, help=f"default: {seed}")
        verb.set_defaults(command=command, pattern="*", out=None)
        if name == "check":
            verb.add_argument("--junit", type=Path, metavar="FILE", help="the verdicts as XML")
            verb.add_argument(
                "--markdown", type=Path, metavar="FILE", help="the verdicts as a page"
            )


def _positive(text: str) -> int:
    if not text.isdigit() or int(text) < 1:
        raise argparse.ArgumentTypeError(f"must be a whole number from 1 on, not {text}")
    return int(text)


def _seed(text: str) -> int:
    if not text.isdigit() or int(text) >= 2**31 or int(text) == search.SEED:
        raise argparse.ArgumentTypeError(
            f"must be a whole number from 0 to 2^31 - 1 other than {search.SEED} "
            f"(the seed of the search for rates), not {text}"
        )
    return int(text)


def _list(options) -> None:
    if not options.suite:
        for name in suites.names():
            suite = suites.load(name)
            print(f"{name:10} {len(suite.EXPERIMENTS):3} experiments  {suites.title(suite)}")
        return
    for each in suites.load(options.suite).EXPERIMENTS:
        print(f"{each.name:30} {each.trials:3} trials of {each.recipe.budget:,} sequences")


def _run(options) -> None:
    experiments = _chosen(options)
    if hasattr(suites.load(options.suite), "COLUMNS"):
        flow_study.run(experiments, options.seed, _folder(options), _console())
        _show(options, experiments)
        return
    if options.cell:
        _search(options, experiments)
        experiments = _chosen(options)
    runner.run(experiments, options.seed, _folder(options), _console(), curves=True)
    _show(options, experiments)


def _check(options) -> int:
    files = Files(options.junit, options.markdown)
    experiments = _chosen(options)
    return run.run_check(
        options.suite, experiments, options.seed, options.baseline, files, _console()
    )


def _baseline(options) -> None:
    experiments = _chosen(options)
    if options.cell:
        _search(options, experiments)
        experiments = _chosen(options)
    run.run_baseline(options.suite, experiments, options.seed, options.baseline, _console())


def _table(options) -> None:
    _show(options, _chosen(options))


def _show(options, experiments: list[Experiment]) -> None:
    """Prints the suite's table, and writes table.md and table.csv."""
    folder, console = _folder(options), _console()
    suite = suites.load(options.suite)
    rows = tables.current(experiments, store.read_suite(folder, suites.columns(suite)))
    if rows.empty:
        raise UsageError(
            f"no rows of these experiments in {folder}; "
            f"make some with: python -m benchmarks run {options.suite}"
        )
    show = _show_matrix
    if hasattr(suite, "COMPARED"):
        show = _show_comparison
    elif hasattr(suite, "COLUMNS"):
        show = _show_flow
    page, lines = show(options, suite, experiments, rows, console)
    console.print(tables.origin(rows), highlight=False)
    if options.pattern == "*" and not options.cell:
        store.write(folder / "table.md", page)
        store.write(folder / "table.csv", lines.to_csv(index=False, lineterminator="\n"))
        console.print(f"More in {os.path.relpath(folder)}/table.md", highlight=False)


def _show_matrix(options, suite, experiments, rows, console) -> tuple[str, pd.DataFrame]:
    """Prints tasks by cells; returns the Markdown page and the table's lines."""
    lines = tables.summary(experiments, rows)
    reference = None
    if _folder(options) != RESULTS / options.suite:
        committed = tables.current(experiments, store.read_suite(RESULTS / options.suite))
        reference = tables.summary(experiments, committed) if len(committed) else None
    console.print(tables.terminal(tables.matrix(lines, reference), suites.title(suite)))
    console.print()
    console.print(tables.RULES + (tables.REFERENCE if reference is not None else ""))
    if lacking := tables.missing(lines):
        console.print(lacking, highlight=False)
    return tables.page(options.suite, suite, experiments, rows, reference), lines


def _show_comparison(options, suite, experiments, rows, console) -> tuple[str, pd.DataFrame]:
    """Prints the paper's figures beside ours; returns the Markdown page and the table's lines."""
    chosen = {each.digest for each in experiments}
    compared = [each for each in suite.COMPARED if each.experiment.digest in chosen]
    lines = paper_rows.comparison(compared, rows)
    console.print(paper_rows.terminal(lines, suites.title(suite)))
    console.print()
    console.print(paper_rows.RULES, highlight=False)
    for text in filter(None, [paper_rows.missing(lines), paper_rows.verdicts(lines)]):
        console.print(text, highlight=False)
    return paper_rows.page(options.suite, suite, rows), lines


def _show_flow(options, suite, experiments, rows, console) -> tuple[str, pd.DataFrame]:
    """Prints what is left of an error; returns the Markdown page and the table's lines."""
    lines = flow_study.summary(experiments, rows)
    console.print(tables.terminal(flow_study.matrix(lines), suites.title(suite), right=1))
    console.print()
    for text in filter(None, [flow_study.RULES, flow_study.missing(lines)]):
        console.print(text, highlight=False)
    return flow_study.page(options.suite, suite, lines, rows), lines


def _report(options) -> None:
    from benchmarks.report import page  # matplotlib, which no worker and no other command needs

    own = None
    if options.cell:
        names = dict.fromkeys(options.suites)
        own = page.Own(options.cell, {name: _with_own_cell(options, name) for name in names})
    page.write(options.suites, options.out, own, _console())


def _speed(options) -> None:
    from benchmarks import speed  # with it come cases and packages that no other command needs

    speed.run(_folder(options), _console())


def _inspect(options) -> None:
    from benchmarks.inside import inspection  # matplotlib, as above

    options.suite = options.suite or _suite_with(options.pattern)
    experiments = _chosen(options)
    if len(experiments) > 1:
        names = ", ".join(each.name for each in experiments[:3])
        raise UsageError(
            f"{options.pattern!r} is the name of {len(experiments)} experiments of "
            f"{options.suite} ({names}, ...); only one can be inspected"
        )
    if options.cell:
        _search(options, experiments)
        experiments = _chosen(options)
    (experiment,) = experiments
    folder, console = _folder(options), _console()
    inspection.draw(experiment, options.seed, folder / "inspect" / experiment.name, console)
    command = f"python -m benchmarks inspect {options.suite} {experiment.name}"
    command += f" --seed {options.seed}"
    for option in ("cell", "out"):
        given = getattr(options, option)
        command += f" --{option} {shlex.quote(str(given))}" if given else ""
    console.print(f"Made by: {command}", highlight=False, soft_wrap=True)


def _suite_with(name: str) -> str:
    """The suite that has an experiment of this name.

    Raises:
        UsageError: none has, or several.
    """
    homes = [
        suite
        for suite in suites.names()
        if any(fnmatch.fnmatchcase(each.name, name) for each in suites.load(suite).EXPERIMENTS)
    ]
    if not homes:
        raise UsageError(f"no experiment {name!r} in any suite; see python -m benchmarks list")
    if len(homes) > 1:
        raise UsageError(
            f"{name!r} is an experiment of {', '.join(homes)}; "
            f"name the suite: python -m benchmarks inspect {homes[0]} {shlex.quote(name)}"
        )
    return homes[0]


def _tune(options) -> None:
    by = _tuned_by(options.suite)
    if by != options.suite:
        raise UsageError(f"suite {options.suite} uses the rates of {by}; tune that one")
    _search(options, _chosen(options))


def _search(options, experiments: list[Experiment]) -> None:
    """Runs what is missing of the search for these experiments' rates, and writes its choice."""
    folder, console = _folder(options, _tuned_by(options.suite)), _console()
    searched = suites.load(_tuned_by(options.suite)).EXPERIMENTS
    searched = _with_cell(searched, options.cell) if options.cell else searched
    wanted = {(each.task, each.cell) for each in experiments}
    trials = search.candidates([each for each in searched if (each.task, each.cell) in wanted])
    text = f"{len(search.GRID)} rates x {search.TRIALS} trials for each task and cell"
    console.print(f"Searching the learning rate: {text}", highlight=False)
    runner.run(trials, search.SEED, folder / "tuning", console)
    rows = tables.current(trials, store.read_suite(folder / "tuning"))
    search.save(search.choose(rows), folder)


def _tuned_by(name: str) -> str:
    """The suite whose search gives a suite its learning rates.

    Raises:
        UsageError: the suite's rates are fixed.
    """
    suite = suites.load(name)
    if not hasattr(suite, "TUNED_BY"):
        raise UsageError(f"suite {name} has no learning rates to search")
    return suite.TUNED_BY


def _folder(options, suite: str | None = None) -> Path:
    return (options.out or RESULTS / "local").resolve() / (suite or options.suite)


def _console() -> Console:
    # A table in a file or a pipe is as wide as it must be, not cut at some default width.
    return Console() if sys.stdout.isatty() else Console(width=120)


def _chosen(options) -> list[Experiment]:
    """Experiments of the suite whose name fits the pattern; with the user's cell, if there is one.

    Raises:
        UsageError: no experiment fits.
    """
    experiments = suites.load(options.suite).EXPERIMENTS
    if options.cell:
        experiments = _with_own_cell(options, options.suite)
    fitting = [each for each in experiments if fnmatch.fnmatchcase(each.name, options.pattern)]
    if not fitting:
        raise UsageError(
            f"no experiment of {options.suite} is called {options.pattern!r}; "
            f"see: python -m benchmarks list {options.suite}"
        )
    trials = getattr(options, "trials", None)
    return [replace(each, trials=trials) for each in fitting] if trials else fitting


def _with_own_cell(options, suite: str) -> list[Experiment]:
    """The user's cell on each task of a suite, at the rates that were chosen for it."""
    rates = search.chosen_rates(_folder(options, _tuned_by(suite)))
    experiments = _with_cell(suites.load(suite).EXPERIMENTS, options.cell)
    return [replace(e, rate=rates.get((e.task, e.cell), e.rate)) for e in experiments]


def _with_cell(experiments: Iterable[Experiment], spec: str) -> list[Experiment]:
    """The user's cell on each task of a suite, otherwise as the suite's own cells."""
    cell = cell_from(spec)
    modern = [each for each in experiments if isinstance(each.recipe.model, Recurrent)]
    tasks = {(each.task, each.delay): each for each in modern}
    return [
        replace(
            each,
            cell=cell.name,
            recipe=replace(each.recipe, model=replace(each.recipe.model, cell=cell)),
        )
        for each in tasks.values()
    ]


if __name__ == "__main__":
    sys.exit(main())
