import itertools
import math

import numpy as np
import pandas as pd
import pytest

from benchmarks.report import drawing


@pytest.mark.parametrize("count", [1, 2, 6, 24])
def test_lines_are_moved_apart_evenly_and_a_little(count):
    shifts = list(drawing.apart(map(str, range(count))).values())
    assert sum(shifts) == pytest.approx(0)
    assert max(shifts) - min(shifts) <= 0.08 + 1e-12
    steps = [b - a for a, b in itertools.pairwise(shifts)]
    assert steps == pytest.approx([steps[0]] * len(steps) if steps else [])
    assert all(step > 0 for step in steps)


@pytest.mark.parametrize(("cells", "rows"), [(["a"], 1), ([f"c{i}" for i in range(24)], 3)])
def test_the_legend_is_as_wide_as_the_figure_at_most(cells, rows):
    drawn = []
    figure = drawing.together({"one": drawn.append, "two": drawn.append}, drawing.looks(cells))
    assert figure.axes == drawn
    assert [axis.get_title("left") for axis in figure.axes] == ["one", "two"]
    figure.draw_without_rendering()
    (legend,) = figure.legends
    assert len({text.get_window_extent().y0 for text in legend.get_texts()}) == rows
    assert legend.get_window_extent().x0 >= 0
    assert legend.get_window_extent().x1 <= figure.bbox.x1


@pytest.mark.parametrize(
    ("delays", "moved"), [((50,), 0.0), ((50, 100), 0.15 * math.log10(2)), ((10, 1000), 0.2)]
)
def test_delays_are_moved_aside_by_a_small_part_of_their_range(delays, moved):
    found = drawing.beside(pd.Series(delays), 0.1)
    assert list(np.log10(found) - np.log10(delays)) == pytest.approx([moved] * len(delays))
