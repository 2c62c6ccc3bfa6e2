"""`inspect`: trains one trial and draws what happens inside its network."""

import fnmatch
import shlex
from collections.abc import Iterator

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
    arguments.add_changes(parser)
    arguments.add_out(parser)


def _command(options) -> None:
    arguments.require_matplotlib()
    from benchmarks.inside import inspection  # matplotlib, which no worker needs
    from benchmarks.report import index

    suite, pattern = options.suite or suite_with(options.pattern), options.pattern
    changes, out = arguments.changes(options), options.out
    require_one(suite, [each.name for each in chosen(suite, pattern, changes, out)], pattern)
    console = arguments.console()
    (experiment,) = searched(suite, pattern, changes, out, console)
    home = arguments.folder(out, suite) / "inspect" / experiment.name
    command = (
        f"python -m benchmarks inspect {suite} {shlex.quote(experiment.name)} --seed {options.seed}"
    )
    command += "".join(f" {option} {shlex.quote(text)}" for option, text in _given(options))
    inspection.draw(experiment, options.seed, home, command, console)
    index.write(arguments.folder(out, suite).parent)
    console.print(f"Made by: {command}", highlight=False, soft_wrap=True)


def _given(options) -> Iterator[tuple[str, str]]:
    """The other options as they were given."""
    for spec in options.cell:
        yield "--cell", spec
    for name in ("task", "hidden", "weights", "layers", "budget", "rate", "out"):
        if (value := getattr(options, name)) is not None:
            yield f"--{name}", str(value)
    if options.delay:
        yield "--delay", ",".join(map(str, options.delay))


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
