import pandas as pd
import pytest

from benchmarks.suites import compare, sizes
from benchmarks.suites.cells import EVERY
from models.wrappers import Stack
from tests.models.cases import CASE

ROWS = pd.read_csv(sizes.FILE)


def counted(name, h, n_in, n_out):
    """Weights of a net by the formula in the cell's docstring, and those of its readout."""
    cell = EVERY[name]
    one, layers = (cell.cell, cell.layers) if isinstance(cell, Stack) else (cell, 1)
    _, of, _ = CASE[one].weights
    return of(n_in, h) + (layers - 1) * of(h, h) + n_out * (h + 1)


@pytest.mark.parametrize("name", EVERY)
def test_the_file_has_the_nearest_size(name):
    """On the tasks of all widths; of two sizes as near as each other, the smaller one."""
    for row in ROWS[ROWS["cell"] == name].itertuples():
        n_in, n_out, H = row.n_in, row.n_out, row.hidden
        target = 4 * 16 * (n_in + 16 + 1) + n_out * (16 + 1)  # an LSTM's, and its readout's
        off = [abs(counted(name, h, n_in, n_out) - target) for h in (H - 1, H, H + 1)]
        assert off.index(min(off)) == 1, row


@pytest.mark.parametrize("name", EVERY)
def test_weights_are_those_that_the_cells_promise(name):
    assert sizes.weights(EVERY[name], 13, 3, 2) == counted(name, 13, 3, 2)


def test_the_file_has_the_tasks_of_compare():
    assert set(sizes.WIDTHS) == {(p.task.n_in, p.task.n_out) for p in compare.POINTS}
    assert len(ROWS) == len(sizes.WIDTHS) * len(EVERY)


GROWTH = {
    "square": lambda h: 4 * h * (h + 9) + h + 1,
    "line": lambda h: 7 * h + 3,
    "cube": lambda h: h**3,
    "root": lambda h: int(300 * h**0.5),
    "constant": lambda h: 50,
}


@pytest.mark.parametrize("growth", GROWTH.values(), ids=GROWTH)
def test_the_nearest_size_is_found_however_weights_grow(growth, monkeypatch):
    built = []
    monkeypatch.setattr(sizes, "weights", lambda _, h, *widths: built.append(h) or growth(h))
    for target in [1, 60, 110, 900, 5_000, 10**6, 10**8]:
        built.clear()
        found = growth(sizes.matched(None, target, 2, 1))
        assert abs(found - target) == min(
            abs(growth(h) - target) for h in range(1, 1 + sizes.LARGEST)
        )
        assert len(set(built)) < 18
