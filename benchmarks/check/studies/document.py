"""The parts of docs/CHECK.md that studies write."""

from pathlib import Path

from benchmarks.running.files import write
from benchmarks.suites.common import RESULTS

PAGE = Path(__file__).parents[3] / "docs" / "CHECK.md"
ROWS = RESULTS / "local" / "study"


def put(name: str, text: str) -> None:
    """Puts a text between the page's markers of that name."""
    write(PAGE, spliced(PAGE.read_text("utf-8"), name, text))


def spliced(page: str, name: str, text: str) -> str:
    """The page with the part between `<!-- name -->` and `<!-- end name -->` replaced."""
    start, end = f"<!-- {name} -->", f"<!-- end {name} -->"
    before, _, rest = page.partition(start)
    _, found, after = rest.partition(end)
    if not found:
        raise ValueError(f"the page has no part between {start} and {end}")
    return f"{before}{start}\n{text.strip()}\n{end}{after}"
