import pandas as pd
import pytest

from benchmarks.analysis import readings

LINES = pd.DataFrame(
    [
        ("literal", "1.5", 0, "fails", 1.5, True),
        ("literal", "7.1", 0, "agrees", 0.49, False),
        ("plain", "1.5", 0, "agrees", 1.9, True),
        ("plain", "7.1", 0, "agrees", 2, False),
        ("plain-half", "1.5", 0, "slower", 3, False),
        ("plain-half", "7.1", 3, "incomplete", 1, False),
        ("half", "1.5", 0, "fails", 9, True),
        ("half", "7.1", 10, None, None, None),
    ],
    columns=["variant", "row", "missing", "verdict", "ratio", "bounded"],
)


def test_rows_that_agree_by_reading():
    found = readings.agreement(LINES)
    columns = ["reading", "rows", "agrees", "near", "faster", "slower", "fails"]
    assert found.columns.tolist() == columns
    assert found.values.tolist() == [
        ["plain", 2, 2, 1, 0, 0, 0],  # a lower bound of 1.9 is not near
        ["literal", 2, 1, 0, 0, 0, 1],  # an interval that reaches into the factor is not, either
        ["half", 1, 0, 0, 0, 0, 1],
        ["plain-half", 1, 0, 0, 0, 1, 0],
    ]


def test_what_a_choice_changes_is_the_difference_of_shares_of_complete_rows():
    """Of row 1.5: the other is not complete under all readings."""
    found = readings.effects(LINES).set_index("choice")
    assert found.loc["plain"].tolist() == pytest.approx([0, 1 / 2, 1 / 2])
    assert found.loc["half"].tolist() == pytest.approx([1 / 2, 0, -1 / 2])


def test_nothing_has_been_run():
    nothing = LINES.assign(missing=10)
    assert (readings.agreement(nothing)["rows"] == 0).all()
    assert readings.effects(nothing).empty


@pytest.mark.parametrize(("missing", "count"), [(0, 6), (10, 3)])
def test_what_a_choice_changes_is_a_section_once_a_row_is_complete_everywhere(missing, count):
    assert len(readings.sections(LINES.assign(missing=missing))) == count


def test_readings_that_were_chosen_stand_on_the_rows_that_did_not_choose_them():
    found = readings.sections(LINES, chosen_by=("1.5",))
    assert found[-2].startswith("## Rows that agree, of those that did not")
    shown = [[cell.strip() for cell in line.split("|")[1:5]] for line in found[-1].splitlines()[2:]]
    assert shown[:2] == [["literal", "1", "1", "0"], ["plain", "1", "1", "1"]]
    assert "luck of the choice" in found[2]
    assert not any("each choice" in each for each in found)
