"""Documents against the code and the results that they speak of."""

import re
from pathlib import Path

import pytest

from benchmarks.running import flow_study, store

ROOT = Path(__file__).parents[1]
NOTES = (ROOT / "docs" / "FIDELITY.md").read_text()
SOURCES = {
    path: path.read_text()
    for part in ("tasks", "models", "benchmarks")
    for path in (ROOT / part).rglob("*.py")
}


def test_every_fidelity_note_is_cited_where_it_is_decided_and_every_citation_has_a_note():
    written = re.findall(r"^\*\*([A-Z]\d+)\. ", NOTES, re.MULTILINE)
    assert len(set(written)) == len(written)
    cited = {
        note
        for text in SOURCES.values()
        for notes in re.findall(r"# FIDELITY((?: [A-Z]\d+)+)", text)
        for note in notes.split()
    }
    assert set(written) == cited


def test_results_readme_explains_every_column():
    text = (ROOT / "results" / "README.md").read_text()
    table = "".join(line.split("|")[1] for line in text.splitlines() if line.startswith("| "))
    columns = set(store.COLUMNS) | set(store.CURVE_COLUMNS) | set(flow_study.COLUMNS)
    assert columns <= set(re.findall(r"\w+", table))


@pytest.mark.parametrize(("suite", "head"), [("compare", "| cell"), ("quick", "| task")])
def test_readme_shows_the_committed_tables(suite, head):
    """After `make results`: copy the matrices of these tables to README.md."""
    page = (ROOT / "results" / suite / "table.md").read_text()
    matrix = page[page.index(head) :].split("\n\n")[0]
    assert matrix in (ROOT / "README.md").read_text()


def test_the_figures_of_the_documents_are_those_that_make_figures_copies():
    shown = {}
    for page in [ROOT / "README.md", *sorted((ROOT / "docs").glob("*.md"))]:
        for alt, path in re.findall(r"!\[(.*?)\]\((.*?)\)", page.read_text(), re.DOTALL):
            shown.setdefault(str((page.parent / path).relative_to(ROOT)), alt)
    makefile = (ROOT / "Makefile").read_text()
    (suites,) = re.findall(r"benchmarks report (.*) --out results", makefile)
    copied = re.findall(r"cp results/(\w+)/report/\w+\.png (docs/figures/\w+\.png)", makefile)
    assert {suite for suite, _ in copied} <= set(suites.split())
    assert [path for _, path in copied] == list(shown)
    assert {path.name for path in (ROOT / "docs" / "figures").iterdir()} == {
        Path(path).name for path in shown
    }
    for path, alt in shown.items():
        assert len(alt) > 40
        picture = (ROOT / path).read_bytes()
        assert picture.startswith(b"\x89PNG")
        assert len(picture) < 300_000


BOOTSTRAP = ROOT / "benchmarks" / "analysis" / "bootstrap.py"  # draws what scipy draws


@pytest.mark.parametrize(
    "path",
    [path for path in SOURCES if path != BOOTSTRAP],
    ids=lambda path: str(path.relative_to(ROOT)),
)
def test_randomness_comes_from_keys(path):
    assert not re.search(r"(np|numpy)\.random|^import random|from random", SOURCES[path], re.M)
