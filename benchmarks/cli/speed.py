"""`speed`: times the learners against their alternatives."""

from benchmarks.cli import arguments


def add(commands) -> None:
    """Adds the command."""
    text = "time the learners against their alternatives, and write .csv and .md (10 minutes)"
    parser = arguments.add_command(commands, "speed", text, _command)
    arguments.add_out(parser)


def _command(options) -> None:
    from benchmarks import speed  # with it come cases and packages that no other command needs

    speed.run(arguments.folder(options.out, "speed"), arguments.console())
