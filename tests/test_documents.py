"""Documents against the code and the results that they speak of."""

import re
from pathlib import Path

import pytest

from benchmarks import flow_study, store

ROOT = Path(__file__).parents[1]
NOTES = (ROOT / "docs" / "FIDELITY.md").read_text()
SOURCES = {
    path: path.read_text()
    for part in ("tasks", "models", "benchmarks")
    for path in (ROOT / part).rglob("*.py")
}


def test_every_fidelity_note_is_cited_where_it_is_decided_and_every_citation_has_a_note():
    written = set(re.findall(r"^\*\*([A-Z]\d+)\. ", NOTES, re.MULTILINE))
    cited = {
        note
        for text in SOURCES.values()
        for notes in re.findall(r"# FIDELITY((?: [A-Z]\d+)+)", text)
        for note in notes.split()
    }
    assert written == cited


def test_results_readme_explains_every_column():
    text = (ROOT / "results" / "README.md").read_text()
    table = "".join(line.split("|")[1] for line in text.splitlines() if line.startswith("| "))
    assert set(store.COLUMNS) | set(flow_study.COLUMNS) <= set(re.findall(r"\w+", table))


def test_readme_shows_the_committed_table():
    """After `make results`: copy the matrix of results/quick/table.md to README.md."""
    page = (ROOT / "results" / "quick" / "table.md").read_text()
    matrix = page[page.index("| task") :].split("\n\n")[0]
    assert matrix in (ROOT / "README.md").read_text()


@pytest.mark.parametrize("path", SOURCES, ids=lambda path: str(path.relative_to(ROOT)))
def test_randomness_comes_from_keys(path):
    assert not re.search(r"(np|numpy)\.random|^import random|from random", SOURCES[path], re.M)
