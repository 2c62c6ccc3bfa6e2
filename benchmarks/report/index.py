"""The page that all pages of a folder of results are reached from."""

from pathlib import Path

from benchmarks import suites
from benchmarks.report import html
from benchmarks.running import files


def page_of(home: Path, suite: str) -> Path:
    """The page of a suite in the folder of all suites' results."""
    return home / suite / "report" / f"{suite}.html"


def write(home: Path) -> Path:
    """Writes the index of the pages that there are; returns its path.

    Raises:
        UsageError: the folder cannot be written.
    """
    there = [suites.load(name) for name in suites.names() if page_of(home, name).exists()]
    inspected = {
        page.stem: page.relative_to(home).as_posix()
        for page in sorted(home.glob("*/inspect/*/*.html"))
    }
    page = html.rendered("index.html", suites=there, inspected=inspected)
    files.write(home / "index.html", page)
    return home / "index.html"
