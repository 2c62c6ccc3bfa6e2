"""`run`: trains what is missing of a suite, then prints its table."""

from benchmarks import suites
from benchmarks.cli import arguments
from benchmarks.cli.chosen import chosen, searched
from benchmarks.cli.table import show
from benchmarks.running import flow_study, runner


def add(commands) -> None:
    """Adds the command."""
    text = "run what is missing of a suite, then print its table"
    parser = arguments.add_command(commands, "run", text, _command, resumes=True)
    arguments.add_experiments(parser)
    arguments.add_cell(parser)
    arguments.add_out(parser)
    arguments.add_trials(parser)
    arguments.add_seed(parser)


def _command(options) -> None:
    suite, pattern, cell, out = options.suite, options.pattern, options.cell, options.out
    console, home = arguments.console(), arguments.folder(out, suite)
    if suites.load(suite).trains:
        experiments = searched(suite, pattern, cell, options.trials, out, console)
        runner.run(experiments, options.seed, home, console, curves=True)
    else:
        experiments = chosen(suite, pattern, cell, options.trials, out)
        flow_study.run(experiments, options.seed, home, console)
    show(suite, experiments, home, console, whole=pattern == "*" and not cell)
