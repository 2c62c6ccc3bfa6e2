"""The parts of pages in docs/ that studies write."""

from pathlib import Path

from benchmarks.running.files import write
from benchmarks.suites.common import RESULTS

DOCS = Path(__file__).parents[3] / "docs"
PAGE = DOCS / "CHECK.md"
RELIABILITY = DOCS / "RELIABILITY.md"
ROWS = RESULTS / "local" / "study"


def put(name: str, text: str, page: Path = PAGE) -> None:
    """Puts a text between a page's markers of that name."""
    write(page, spliced(page.read_text("utf-8"), name, text))


def spliced(page: str, name: str, text: str) -> str:
    """The page with the part between `<!-- name -->` and `<!-- end name -->` replaced."""
    start, end = f"<!-- {name} -->", f"<!-- end {name} -->"
    before, _, rest = page.partition(start)
    _, found, after = rest.partition(end)
    if not found:
        raise ValueError(f"the page has no part between {start} and {end}")
    return f"{before}{start}\n{text.strip()}\n{end}{after}"
