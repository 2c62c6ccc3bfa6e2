"""What a user wants other than a suite has it."""

import pytest
from flax import nnx

from benchmarks import suites
from benchmarks.cli.changes import Changes
from benchmarks.cli.chosen import beside, chosen
from benchmarks.cli.main import main
from benchmarks.errors import UsageError
from benchmarks.running import search, store
from benchmarks.suites import sizes
from models.gru import GRU
from models.wrappers import Stack

pytestmark = pytest.mark.usefixtures("one_worker")

TASK = """
from dataclasses import dataclass

from tasks.two_sequence import TwoSequence3a


@dataclass(frozen=True)
class Mine(TwoSequence3a):
    pass
"""

CELL = """
from flax import nnx


class Mine(nnx.GRUCell):
    def __init__(self, n_in, n_hidden, *, {argument}=0, rngs):
        super().__init__(n_in, n_hidden, rngs=rngs)
"""


@pytest.fixture
def specs(tmp_path):
    """Two cells of one name in two files."""
    for name in ("a", "b"):
        (tmp_path / f"{name}.py").write_text(CELL.format(argument=name))
    return tuple(f"{tmp_path / name}.py:Mine" for name in ("a", "b"))


@pytest.fixture
def task(tmp_path):
    (tmp_path / "mine.py").write_text(TASK)
    return f"{tmp_path / 'mine.py'}:Mine(T=12, N=2)"


def test_nothing_changes_without_changes():
    quick = suites.load("quick")
    assert Changes().applied(quick) == list(quick.experiments)
    assert Changes(trials=3).whole
    assert not Changes(rate=0.1).whole


def test_sizes():
    (each,) = chosen("quick", "adding-40.gru", Changes(hidden=5, layers=2))
    assert (each.recipe.model.cell, each.recipe.model.hidden) == (Stack(GRU, 2), 5)
    (each,) = chosen("quick", "adding-40.gru", Changes(weights=200))
    counts = [sizes.weights(GRU, h, 2, 1) for h in range(1, 10)]
    best = min(range(9), key=lambda i: abs(counts[i] - 200)) + 1
    assert 1 < best < 9
    assert each.recipe.model.hidden == best


def test_delays_budget_rate_and_trials():
    changes = Changes(delays=(60, 7), budget=4000, rate=0.5, trials=2)
    found = chosen("quick", "lag-2c-*.rnn", changes)
    assert [each.name for each in found] == ["lag-2c-60.rnn", "lag-2c-7.rnn"]
    assert [each.recipe.task.q for each in found] == [60, 7]
    assert {(each.recipe.budget, each.rate, each.trials) for each in found} == {(4000, 0.5, 2)}


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        (Changes(delays=(0,)), "no task can have a delay of 0: of "),
        (Changes(budget=7), "budget must be a multiple of 2000"),
    ],
)
def test_what_does_not_fit(changes, message):
    with pytest.raises(UsageError, match=message):
        chosen("quick", "*", changes)


def test_the_paper_keeps_its_nets():
    with pytest.raises(UsageError, match="part of what it reproduces"):
        chosen("paper", "*", Changes(hidden=3))


def test_two_cells_of_one_name_have_settings_of_their_own(specs, tmp_path):
    changes = Changes(cells=specs)
    cells = [each.cell for each in chosen("quick", "adding-*", changes)]
    assert cells == ["a.Mine", "b.Mine"]
    line = dict.fromkeys(search.CHOSEN_COLUMNS, 1) | {"task": "adding", "delay": 40}
    lines = [
        line | {"cell": cell, "rate": rate} for cell, rate in zip(cells, [0.2, 0.3], strict=True)
    ]
    search.save(lines, tmp_path / "quick")
    found = chosen("quick", "adding-*", changes, tmp_path)
    assert [each.rate for each in found] == [0.2, 0.3]
    assert {each.cell for each in beside("quick", "adding-*", changes)} == {
        "rnn",
        "lstm",
        "gru",
        "mut1",
        "mut2",
        "mut3",
    }


def test_an_own_cell_of_compare_has_the_weights_of_the_others_and_no_settings_of_theirs():
    (lstm,) = chosen("compare", "adding-100.lstm")
    (own,) = chosen("compare", "adding-100.*", Changes(cells=("flax.nnx:GRUCell",), rate=0.1))
    assert own.settings.given() == {}
    aim = lstm.recipe.model
    near = [
        abs(sizes.weights(nnx.GRUCell, h, 2, 1) - sizes.weights(aim.cell, aim.hidden, 2, 1))
        for h in range(1, 40)
    ]
    assert near[own.recipe.model.hidden - 1] == min(near)


def test_a_task_of_ones_own(task):
    found = chosen("quick", "*", Changes(task=task, rate=0.1))
    assert [each.name for each in found[:2]] == ["Mine-12.rnn", "Mine-12.lstm"]
    assert len(found) == 6
    assert {each.recipe.task.N for each in found} == {2}
    assert {each.recipe.budget for each in found} == {100_000}


def test_own_cells_on_an_own_task_run_and_stand_in_one_table(specs, task, tmp_path, capsys):
    arguments = ["tiny", "--task", task, "--cell", specs[0], "--cell", specs[1]]
    arguments += ["--hidden", "4", "--budget", "2000", "--rate", "0.03", "--trials", "1"]
    assert main(["run", *arguments, "--out", str(tmp_path)]) == 0
    rows = store.read_suite(tmp_path / "tiny")
    assert set(rows["experiment"]) == {"Mine-12.a.Mine", "Mine-12.b.Mine"}
    assert set(rows["budget"]) == {2000}
    shown = capsys.readouterr().out
    assert "a.Mine" in shown
    assert "b.Mine" in shown


@pytest.mark.parametrize(
    ("option", "value"),
    [("--rate", "0"), ("--rate", "fast"), ("--delay", "5,"), ("--hidden", "-1"), ("--layers", "0")],
)
def test_numbers_that_are_none(option, value, capsys):
    assert main(["run", "quick", option, value]) == 2
    assert capsys.readouterr().err.count("\n") == 1
