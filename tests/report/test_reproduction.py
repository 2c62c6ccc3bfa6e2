import re

import pandas as pd
import pytest

from benchmarks import suites
from benchmarks.report import reproduction
from benchmarks.suites import rivals
from benchmarks.suites.common import RESULTS
from tests.support.made_up import rows


@pytest.fixture(scope="module")
def page():
    """That of the committed rows."""
    return reproduction.text()


def test_the_page_is_that_of_the_committed_rows(page):
    assert reproduction.PAGE.read_text("utf-8") == page


def test_the_page_has_all_rows_in_the_order_of_the_paper(page):
    rows = re.findall(r"^\| (\d+\.\d+) ", page, re.MULTILINE)
    literal = re.findall(r"^\| (\d\.\d) ", (RESULTS / "paper" / "table.md").read_text(), re.M)
    others = [each.row for each in rivals.SUITE.compared if not each.variant]
    assert sorted(rows) == sorted([*literal, *others])
    assert (len(literal), len(set(others))) == (31, 12)  # as the page says
    assert rows == sorted(rows, key=lambda row: [int(part) for part in row.split(".")])


def cells(page, row):
    """Cells of a row of the page, by their columns."""
    table = next(part for part in page.split("\n\n") if f"\n| {row} " in part)
    head, _, *body = ([each.strip() for each in line.split("|")] for line in table.splitlines())
    (own,) = (each for each in body if each[1] == row)
    return dict(zip(head, own, strict=True))


def test_figures_of_the_papers_tables_stand_beside_ours(page):
    """Read from the data by their names, as printed: fractions as percentages."""
    theirs = pd.read_csv(reproduction.paper_rows.REFERENCES[0], dtype=str).set_index("row")
    for row, own in theirs[theirs["method"] == "lstm97"].iterrows():
        found = cells(page, row)
        assert found["weights"] == own["weights"]
        for column, name in [
            ("ST1 (paper)", "sequences_st1"),
            ("test error (paper)", "test_error"),
        ]:
            assert (column in found) == pd.notna(own[name])
        wrong = own["test_wrong_fraction"]
        if pd.notna(own["test_wrong"]):
            wrong = int(own["test_wrong"]) / 2560
        assert ("test wrong (paper)" in found) == pd.notna(wrong)
        if pd.notna(wrong):
            assert found["test wrong (paper)"].endswith(f"({float(wrong):.2%})")
    assert cells(page, "4.1")["ST1 (paper)"].endswith("k (27.4k)")
    assert cells(page, "6.2")["test error (paper)"].endswith(" (0.012)")


def test_the_papers_figure_stands_alone_where_ours_has_none():
    assert reproduction._beside(float("nan"), 0.014, "{:.2g}".format) == "- (0.014)"
    assert reproduction._beside(0.01, float("nan"), "{:.2g}".format) == "0.01"
    assert reproduction._beside(float("nan"), float("nan"), "{:.2g}".format) == ""


@pytest.fixture
def made_up(monkeypatch, tmp_path):
    """Rows of the other methods, of guesses and of one reading beside the committed ones."""
    for name in ("paper", "fidelity"):
        (tmp_path / name).symlink_to(RESULTS / name)
    for name in ("rivals", "guessing", "readings"):
        folder = tmp_path / name / "trials"
        folder.mkdir(parents=True)
        suite = suites.load(name)
        variants = [e.experiment for e in suite.compared if e.variant] if name == "rivals" else []
        chosen = [each for each in suite.experiments if each not in variants][:14]
        made = pd.concat(rows(each, *[900] * each.trials) for each in chosen)
        made.assign(learner="Guessing()").to_csv(folder / "all.csv", index=False)
    monkeypatch.setattr(reproduction, "RESULTS", tmp_path)


def test_other_methods_guesses_and_readings_are_on_the_page_once_they_have_run(made_up):
    page = reproduction.text()
    assert re.search(r"Of 14 experiments with other methods, \d+ agree", page)
    assert "| G.1 " in page
    assert "16 readings, each the same" in page


def test_readings_that_agree_come_first(page):
    (line,) = (line for line in page.splitlines() if line.startswith("| 7.1 "))
    cell = line.split("|")[-2].strip()
    assert cell.startswith("**linear-output: 50/50, 84.8k (agrees)**<br>plain-delta: ")
    assert cell.count("**") == 2


def test_readings_that_fail_are_solved_counts_in_one_line(page):
    cell = cells(page, "2.9")["other readings"]
    counts = "stepwise 0/18, from-start 0/18, end-error 0/18, end-error-centred-g 0/18"
    assert cell == f"fail: {counts}"
    assert cells(page, "7.1")["other readings"].count("<br>fail: ") == 1
