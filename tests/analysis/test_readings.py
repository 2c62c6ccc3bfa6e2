import numpy as np
import pandas as pd
import pytest

from benchmarks.analysis import readings


def drawn(agree, of=999):
    """Whether a row agrees in each resample: in so many of the first ones."""
    return (np.arange(of) < agree).astype(int)


LINES = pd.DataFrame(
    [
        ("literal", "1.5", 0, "fails", 1.5, True, drawn(0)),
        ("literal", "7.1", 0, "agrees", 0.49, False, drawn(999)),
        ("plain", "1.5", 0, "agrees", 1.9, True, drawn(960)),
        ("plain", "7.1", 0, "agrees", 2, False, drawn(970)),
        ("plain-half", "1.5", 0, "slower", 3, False, drawn(30)),
        ("plain-half", "7.1", 3, "incomplete", 1, False, None),
        ("half", "1.5", 0, "fails", 9, True, drawn(20)),
        ("half", "7.1", 10, None, None, None, None),
    ],
    columns=["variant", "row", "missing", "verdict", "ratio", "bounded", "redrawn"],
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


def test_the_interval_of_a_number_leaves_out_a_fortieth_on_either_side():
    """Both rows of `plain` agree in 960 resamples, one of them in ten more, none in the last 29."""
    found = readings.readable(LINES).set_index("reading")["agrees"]
    assert found.to_dict() == {
        "plain": "2 (0-2)",
        "literal": "1 (1-1)",
        "half": "0 (0-0)",  # in 20 of 999 one would
        "plain-half": "0 (0-1)",  # in 30
    }


def test_the_interval_of_a_change_is_of_the_difference_in_each_resample():
    """Of row 1.5, where `plain` and `plain-half` agree in 960 and 30, `half` in 20."""
    found = readings.readable_effects(LINES).set_index("choice")["difference"]
    assert found.to_dict() == {
        "plain": "+0.50 (+0.00 to +0.50)",  # 1 in ten of them, 0 in the last 39
        "half": "-0.50 (-0.50 to +0.00)",  # 1/2 in the first 20, 0 in 49
    }


def test_what_a_choice_changes_is_the_difference_of_shares_of_complete_rows():
    """Of row 1.5: the other is not complete under all readings."""
    found = readings.effects(LINES).set_index("choice")
    shares = ["without", "with", "difference"]
    assert found.loc["plain", shares].tolist() == pytest.approx([0, 1 / 2, 1 / 2])
    assert found.loc["half", shares].tolist() == pytest.approx([1 / 2, 0, -1 / 2])


def test_nothing_has_been_run():
    nothing = LINES.assign(missing=10)
    assert (readings.agreement(nothing)["rows"] == 0).all()
    assert readings.readable(nothing)["agrees"].tolist() == ["0"] * 4
    assert readings.readable_effects(nothing).empty


def test_a_choice_that_all_readings_have_made_changes_nothing_that_is_known():
    assert readings.effects(LINES[LINES["variant"] == "half"]).empty


@pytest.mark.parametrize(("missing", "count"), [(0, 6), (10, 3)])
def test_what_a_choice_changes_is_a_section_once_a_row_is_complete_everywhere(missing, count):
    assert len(readings.sections(LINES.assign(missing=missing, redrawn=[drawn(0)] * 8))) == count


def test_readings_that_were_chosen_stand_on_the_rows_that_did_not_choose_them():
    found = readings.sections(LINES, chosen_by=("1.5",))
    assert found[-2].startswith("## Rows that agree, of those that did not")
    shown = [[cell.strip() for cell in line.split("|")[1:5]] for line in found[-1].splitlines()[2:]]
    assert shown[:2] == [["literal", "1", "1 (1-1)", "0"], ["plain", "1", "1 (0-1)", "1"]]
    assert "luck of the choice" in found[2]
    assert not any("each choice" in each for each in found)
