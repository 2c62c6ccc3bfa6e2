import pandas as pd
import pytest

from benchmarks.report import readings_figure

LINES = pd.DataFrame(
    [
        ("literal", "1.5", 10, 0, "fails", 9, True),
        ("literal", "7.1", 10, 0, "slower", 3, False),
        ("plain", "1.5", 10, 0, "fails", 9, True),
        ("plain", "7.1", 10, 0, "agrees", 1, False),
        ("half", "7.1", 0, 10, "not drawn", None, None),
    ],
    columns=["variant", "row", "trials", "missing", "verdict", "ratio", "bounded"],
)


def test_every_figure_has_the_signs_of_all_verdicts_beside_it():
    narrow = readings_figure.narrow_grids(LINES)
    assert list(narrow) == ["Readings 1 to 3"]
    for figure in (readings_figure.grid(LINES), *narrow.values()):
        (legend,) = figure.legends
        assert [text.get_text() for text in legend.get_texts()] == ["agrees", "slower", "fails"]


@pytest.mark.parametrize(
    ("readings", "parts"),
    [(8, ["1 to 8"]), (9, ["1 to 5", "6 to 9"]), (16, ["1 to 8", "9 to 16"])],
)
def test_many_readings_stand_in_parts_as_wide_as_a_phone(readings, parts):
    more = [LINES[:2].assign(variant=f"reading{i}") for i in range(readings)]
    narrow = readings_figure.narrow_grids(pd.concat(more))
    assert list(narrow) == [f"Readings {part}" for part in parts]


def test_a_sign_stands_where_its_row_and_reading_meet():
    """The reading with the most rows that agree comes first; the third has not been run."""
    (axes,) = readings_figure.grid(LINES).axes
    assert [text.get_text() for text in axes.get_xticklabels()] == ["plain", "literal", "half"]
    drawn = {line.get_marker(): line.get_xydata().tolist() for line in axes.lines}
    signs = {line.get_label(): line.get_marker() for line in readings_figure.verdict_handles(LINES)}
    assert drawn[signs["agrees"]] == [[0, 1]]
    assert drawn[signs["slower"]] == [[1, 1]]
    assert sorted(drawn[signs["fails"]]) == [[0, 0], [1, 0]]
