"""`tune`: searches the learning rate of every cell on a suite's tasks."""

from benchmarks.cli import arguments
from benchmarks.cli.chosen import chosen, search_rates, tuned_by
from benchmarks.errors import UsageError


def add(commands) -> None:
    """Adds the command."""
    text = "search the learning rate of every cell on a suite's tasks"
    parser = arguments.add_command(commands, "tune", text, _command, resumes=True)
    arguments.add_experiments(parser)
    arguments.add_cell(parser)
    arguments.add_out(parser)


def _command(options) -> None:
    suite, cell, out = options.suite, options.cell, options.out
    by = tuned_by(suite)
    if by != suite:
        raise UsageError(f"suite {suite} uses the rates of {by}; tune that one")
    experiments = chosen(suite, options.pattern, cell, None, out)
    search_rates(suite, experiments, cell, out, arguments.console())
