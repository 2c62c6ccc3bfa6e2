"""`flow`: how errors flow back through kept networks, before and after training."""

from benchmarks import suites
from benchmarks.cli import arguments
from benchmarks.cli.chosen import chosen
from benchmarks.errors import UsageError
from benchmarks.running import trained_flow


def add(commands) -> None:
    """Adds the command."""
    text = "measure how errors flow back through kept networks, before and after training"
    parser = arguments.add_command(commands, "flow", text, _command, resumes=True)
    arguments.add_experiments(parser)
    arguments.add_changes(parser)
    arguments.add_out(parser)
    arguments.add_seed(parser)


def _command(options) -> None:
    name = options.suite
    if not suites.load(name).trains:
        raise UsageError(f"suite {name} trains nothing: `run {name}` measures its initial networks")
    experiments = chosen(name, options.pattern, arguments.changes(options), options.out)
    home = arguments.folder(options.out, name)
    trained_flow.run(experiments, options.seed, home, arguments.console())
