"""`report`: a page with figures and statistics of each suite."""

from benchmarks.cli import arguments
from benchmarks.cli.chosen import chosen


def add(commands) -> None:
    """Adds the command."""
    text = "write a page with figures and statistics of each suite, from what has been run"
    parser = arguments.add_command(commands, "report", text, _command)
    parser.add_argument("suites", nargs="+", metavar="SUITE", help="see `list`")
    parser.add_argument(
        "--only", default="*", metavar="PATTERN", help="which experiments: 'adding-*'"
    )
    arguments.add_cell(parser, "your own cell, run before")
    arguments.add_out(parser)


def _command(options) -> None:
    arguments.require_matplotlib()
    from benchmarks.report import page  # matplotlib, which no worker and no other command needs

    only, cell, out, own = options.only, options.cell, options.out, None
    if cell:
        changes = arguments.changes(options)
        own = page.Own(
            tuple(cell), {name: chosen(name, only, changes, out) for name in options.suites}
        )
    experiments = {name: chosen(name, only, out=out) for name in options.suites}
    page.write(experiments, out, only, own, arguments.console())
