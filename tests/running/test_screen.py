import io

from benchmarks.analysis.tables import plain
from benchmarks.running.screen import PlainConsole


def test_texts_are_neither_markup_nor_commands():
    console = PlainConsole(file=io.StringIO(), width=60)
    hostile = "[/red] :warning: \x1b[2J\rno\x07"
    table = plain("t [bold]")
    table.add_column(hostile)
    table.add_row(hostile)
    console.print(hostile, highlight=False)
    console.print(table)
    printed = console.file.getvalue()
    assert printed.count("[/red] :warning: \\x1b[2J\\rno\\x07") == 3
    assert "t [bold]" in printed
    assert "\x1b" not in printed
