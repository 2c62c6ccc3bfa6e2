"""What is printed is text, whoever named the folder or class that it is about."""

from rich.console import Console
from rich.text import Text

from benchmarks.errors import one_line


class PlainConsole(Console):
    """Prints texts as they are: nothing in them is markup, and no terminal obeys them."""

    def __init__(self, **options):
        """Options are those of `rich.console.Console`."""
        super().__init__(markup=False, emoji=False, **options)

    def render_str(self, text: str, **options) -> Text:
        """What becomes of each string, in a cell of a table too."""
        return super().render_str("\n".join(map(one_line, text.split("\n"))), **options)
