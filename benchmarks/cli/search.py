"""`search`: searches rate and start of every cell on a suite's tasks."""

from benchmarks import suites
from benchmarks.cli import arguments
from benchmarks.cli.chosen import chosen, other_delays
from benchmarks.running import search
from benchmarks.running.pool import opened


def add(commands) -> None:
    """Adds the command."""
    text = "search learning rate, clipping and initial memory of cells on a suite's tasks"
    parser = arguments.add_command(commands, "search", text, _command, resumes=True)
    arguments.add_experiments(parser)
    parser.add_argument(
        "--configurations",
        type=arguments.positive,
        default=search.CONFIGURATIONS,
        metavar="N",
        help=f"how many to try for each cell and task; default: {search.CONFIGURATIONS}",
    )
    arguments.add_shape(parser)
    arguments.add_out(parser)
    arguments.add_cluster(parser)


def _command(options) -> None:
    suite = options.suite
    changes = arguments.changes(options)
    suites.load(suite).require_searchable(changes.to_search)
    wanted, console = chosen(suite, options.pattern, changes, options.out), arguments.console()
    with opened(options.cluster, console) as start:
        search.search(
            wanted,
            options.configurations,
            arguments.folder(options.out, suite),
            console,
            other_delays(suite, changes, options.out),
            start,
        )
