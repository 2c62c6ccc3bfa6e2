"""`inspect`: trains one trial and draws what happens inside its network."""

import fnmatch
import shlex

from benchmarks import suites
from benchmarks.cli import arguments
from benchmarks.cli.chosen import chosen, searched
from benchmarks.errors import UsageError


def add(commands) -> None:
    """Adds the command."""
    text = "train one trial and draw what happens inside its network"
    parser = arguments.add_command(commands, "inspect", text, _command)
    parser.add_argument("suite", nargs="?", help="needed where several have the experiment")
    parser.add_argument("pattern", metavar="EXPERIMENT", help="adding-40.lstm, say")
    arguments.add_seed(parser)
    arguments.add_cell(parser, "your own cell on the same task")
    arguments.add_out(parser)


def _command(options) -> None:
    arguments.require_matplotlib()
    from benchmarks.inside import inspection  # matplotlib, which no worker needs
    from benchmarks.report import index

    suite, pattern = options.suite or suite_with(options.pattern), options.pattern
    cell, out = options.cell, options.out
    require_one(suite, [each.name for each in chosen(suite, pattern, cell, None, out)], pattern)
    console = arguments.console()
    (experiment,) = searched(suite, pattern, cell, None, out, console)
    home = arguments.folder(out, suite) / "inspect" / experiment.name
    command = f"python -m benchmarks inspect {suite} {experiment.name} --seed {options.seed}"
    for option, given in (("cell", cell), ("out", out)):
        command += f" --{option} {shlex.quote(str(given))}" if given else ""
    inspection.draw(experiment, options.seed, home, command, console)
    index.write(arguments.folder(out, suite).parent)
    console.print(f"Made by: {command}", highlight=False, soft_wrap=True)


def require_one(suite: str, names: list[str], pattern: str) -> None:
    """Only one experiment can be inspected.

    Raises:
        UsageError: there are several.
    """
    if len(names) > 1:
        raise UsageError(
            f"{pattern!r} is the name of {len(names)} experiments of "
            f"{suite} ({', '.join(names[:3])}, ...); only one can be inspected"
        )


def suite_with(name: str) -> str:
    """The suite that has an experiment of this name.

    Raises:
        UsageError: none has, or several.
    """
    homes = [
        suite
        for suite in suites.names()
        if any(fnmatch.fnmatchcase(each.name, name) for each in suites.load(suite).experiments)
    ]
    if not homes:
        raise UsageError(f"no experiment {name!r} in any suite; see python -m benchmarks list")
    if len(homes) > 1:
        raise UsageError(
            f"{name!r} is an experiment of {', '.join(homes)}; "
            f"name the suite: python -m benchmarks inspect {homes[0]} {shlex.quote(name)}"
        )
    return homes[0]
