"""Figures of many cells: a row for each."""

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from benchmarks.learning.curves import Quartiles
from benchmarks.report import drawing, figures, row_figure, sections
from tests.support.made_up import points, rows
from tests.support.tiny import experiment

BUDGET = experiment().recipe.budget
NEEDED = {
    "all": (10, 20, 30, 40),
    "half": (10, 20, None, None),
    "a quarter": (30, None, None, None),
    "none": (None, None, None, None),
}


def made(needed):
    """Lines and rows of cells that need so many sequences each."""
    known = {
        cell: replace(experiment(rate=i + 1.0), task="t", delay=5, cell=cell, trials=4)
        for i, cell in enumerate(needed)
    }
    labels = {"task": "t", "delay": 5, "seed": 0}
    found = pd.concat(
        rows(each, *needed[cell], cell=cell, **labels) for cell, each in known.items()
    )
    return sections.labelled(list(known.values()), found), found


def drawn(draws):
    """Lines and points of the only panel, `(marker, x, y)`, its cells, and what is said of them."""
    (draw,) = draws.values()
    axis = drawing.alone(draw).axes[0]
    marks = [(line.get_marker(), *map(list, line.get_data())) for line in axis.lines]
    cells = [each.get_text() for each in axis.get_yticklabels()]
    return marks, cells, [each.get_text() for each in axis.texts]


def test_a_row_has_median_quartiles_and_solved_trials():
    marks, cells, said = drawn(row_figure.curves(*made(NEEDED))[0])
    assert marks == [
        ("None", [10, 30], [0, 0]),
        ("o", [20], [0]),
        ("None", [10, BUDGET], [1, 1]),
        (">", [BUDGET], [1]),
        ("o", [20], [1]),
        ("None", [30, BUDGET], [2, 2]),
        (">", [BUDGET], [2]),
    ]
    assert cells == list(NEEDED)
    assert said == ["4/4", "2/4", "1/4", "0/4"]


def test_learning_curves_are_rows_of_when_they_fall_below_half_of_chance():
    """Chance is one half, as of two-sequence: a quarter, strictly."""
    lines, _ = made({"a": (10,) * 4})
    shares = [0.1, 0.1, 0], [0.3, 0.2, 0], [0.6, 0.25, 0.25]
    curve = Quartiles(np.array([10.0, 20, 40]), *map(np.array, shares))
    draws, heights = row_figure.learning(lines, {lines["digest"][0]: curve})
    assert drawn(draws) == (
        [("None", [10, 40], [0, 0]), (">", [40], [0]), ("o", [20], [0])],
        ["a"],
        ["0%"],
    )
    assert heights == {"t-5": drawing.AROUND + drawing.LINE}


@pytest.mark.parametrize("count", [drawing.FEW, drawing.FEW + 1])
def test_pages_have_rows_where_there_are_many_cells(count):
    cells = {f"cell{i}": (10, 20, 30, None) for i in range(count)}
    lines, found = made(cells)
    looks = drawing.looks(list(cells))
    pictures = [
        sections._curves(lines, found, looks),
        *sections.learning_pictures(lines, found, points(found), looks),
    ]
    for picture in pictures:
        expected = cells if count <= drawing.FEW else row_figure.LOOKS
        assert list(picture.looks) == list(expected)
        height = picture.panels["t-5"].get_figheight()
        assert (height > drawing.PANEL - 0.1) == (count <= drawing.FEW)
        assert (
            "upper quartile" in picture.statistic or "ends of the line" in picture.statistic
        ) == (count > drawing.FEW)


@pytest.mark.parametrize("count", [drawing.FEW, drawing.FEW + 1])
def test_success_against_delay_has_bars_rather_than_bands_where_there_are_many_cells(count):
    cells = {f"cell{i}": (10, 20, None, None) for i in range(count)}
    lines, _ = made(cells)
    both = pd.concat([lines, lines.assign(delay=50)])
    (draw,) = figures.delays(both, drawing.looks(list(cells))).values()
    axis = drawing.alone(draw).axes[0]
    assert len(axis.collections) == count
    kinds = {type(each).__name__ for each in axis.collections}
    assert kinds == {"FillBetweenPolyCollection" if count <= drawing.FEW else "LineCollection"}
    if count > drawing.FEW:
        ends = axis.collections[0].get_segments()[0][:, 1]
        assert ends.tolist() == pytest.approx(lines.loc[0, ["low", "high"]].tolist())
