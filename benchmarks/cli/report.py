"""`report`: a page with figures and statistics of each suite."""

from benchmarks.cli import arguments
from benchmarks.cli.chosen import with_own_cell


def add(commands) -> None:
    """Adds the command."""
    text = "write a page with figures and statistics of each suite, from what has been run"
    parser = arguments.add_command(commands, "report", text, _command)
    parser.add_argument("suites", nargs="+", metavar="SUITE", help="see `list`")
    arguments.add_cell(parser, "your own cell, run before")
    arguments.add_out(parser)


def _command(options) -> None:
    from benchmarks.report import page  # matplotlib, which no worker and no other command needs

    own = None
    if options.cell:
        names = dict.fromkeys(options.suites)
        experiments = {name: with_own_cell(name, options.cell, options.out) for name in names}
        own = page.Own(options.cell, experiments)
    page.write(options.suites, options.out, own, arguments.console())
