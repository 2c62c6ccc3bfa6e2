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
    others = [each.row for each in rivals.SUITE.compared]
    assert sorted(rows) == sorted([*literal, *others])
    assert (len(literal), len(set(others))) == (31, 12)  # as the page says
    assert rows == sorted(rows, key=lambda row: [int(part) for part in row.split(".")])


@pytest.fixture
def made_up(monkeypatch, tmp_path):
    """Rows of the other methods, of guesses and of one reading beside the committed ones."""
    for name in ("paper", "fidelity"):
        (tmp_path / name).symlink_to(RESULTS / name)
    for name in ("rivals", "guessing", "readings"):
        folder = tmp_path / name / "trials"
        folder.mkdir(parents=True)
        chosen = suites.load(name).experiments[:14]
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
