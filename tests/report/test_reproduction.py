import re

from benchmarks.report import reproduction
from benchmarks.suites.common import RESULTS


def test_the_page_is_that_of_the_committed_rows():
    assert reproduction.PAGE.read_text("utf-8") == reproduction.text()


def test_the_page_has_all_rows_in_the_order_of_the_paper():
    rows = re.findall(r"^\| (\d\.\d) ", reproduction.text(), re.MULTILINE)
    table = (RESULTS / "paper" / "table.md").read_text()
    assert rows == re.findall(r"^\| (\d\.\d) ", table, re.MULTILINE)
    assert rows == sorted(rows)


def test_readings_that_agree_come_first():
    (line,) = (line for line in reproduction.text().splitlines() if line.startswith("| 7.1 "))
    cell = line.split("|")[-2].strip()
    assert cell.startswith("**linear-output: 50/50, 84.8k (agrees)**<br>plain-delta: ")
    assert cell.count("**") == 2
