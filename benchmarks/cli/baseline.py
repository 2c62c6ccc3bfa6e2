"""`baseline`: runs what later checks compare with."""

from benchmarks.check import run
from benchmarks.cli import arguments
from benchmarks.cli.check import add_suite, require_trained
from benchmarks.cli.chosen import searched


def add(commands) -> None:
    """Adds the command."""
    text = "run what later checks compare with"
    parser = arguments.add_command(commands, "baseline", text, _command, resumes=True)
    add_suite(parser, run.BASELINE_SEED)


def _command(options) -> None:
    require_trained(options.suite)
    console = arguments.console()
    experiments = searched(options.suite, "*", arguments.changes(options), None, console)
    run.run_baseline(options.suite, experiments, options.seed, options.baseline, console)
