"""What a user wants other than a suite has it."""

import math
import operator
from dataclasses import replace
from pathlib import Path

import pytest
from flax import nnx

from benchmarks import suites
from benchmarks.cli.changes import Changes
from benchmarks.cli.chosen import beside, chosen, searched
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


def choose(experiments, rates, folder):
    """As if a search had chosen these rates."""
    line = dict.fromkeys(search.CHOSEN_COLUMNS, 1)
    names = [
        {"task": e.task, "delay": e.delay, "cell": e.cell, "recipe": e.recipe_digest, "rate": rate}
        for e, rate in zip(experiments, rates, strict=True)
    ]
    search.save([line | name for name in names], folder)


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


def test_a_delay_that_the_suite_has_is_the_suites_own():
    """Its settings were searched there, and it has its own number of trials."""
    own = [each for each in suites.load("lags").experiments if each.delay == 1000]
    wanted = chosen("lags", "lag-2c-1000.*", Changes(delays=(1000,)))
    identity = operator.attrgetter("name", "digest", "trials")  # rates not yet known are nan
    assert list(map(identity, wanted)) == [identity(e) for e in own if e.task == "lag-2c"]
    (ours,) = chosen("lags", "adding-100.lstm", Changes(delays=(100,)))
    assert ours in suites.load("lags").experiments


def test_another_delay_has_the_settings_of_the_nearest_below():
    own = {each.delay: each for each in chosen("lags", "adding-*.lstm")}
    found = chosen("lags", "adding-*.lstm", Changes(delays=(120, 70, 20)))
    assert [each.delay for each in found] == [120, 70, 20]
    assert [each.rate for each in found] == [own[near].rate for near in (100, 50, 50)]
    assert [each.settings for each in found] == [own[near].settings for near in (100, 50, 50)]
    (far,) = chosen("lags", "adding-*.lstm", Changes(delays=(3000,)))
    known = max(delay for delay, each in own.items() if not math.isnan(each.rate))
    assert far.rate == own[known].rate  # 1000 may not have been searched yet


@pytest.mark.parametrize("delay", [10, 31, 45, 100])
def test_a_window_of_half_the_delay_stays_one(delay):
    (found,) = chosen("remedies", "latch-ii-*.rnn-window", Changes(delays=(delay,)))
    assert found.recipe.learner.window == delay // 2


def test_what_was_searched_at_another_delay_or_size_is_used(tmp_path):
    changes = Changes(delays=(60,), hidden=7)
    (own,) = chosen("quick", "adding-60.gru", changes, tmp_path)
    choose([own], [0.0777], tmp_path / "quick")
    (found,) = chosen("quick", "adding-60.gru", changes, tmp_path)
    assert found.rate == 0.0777
    assert (
        chosen("quick", "adding-60.gru", replace(changes, hidden=8), tmp_path)[0].rate == own.rate
    )
    assert chosen("quick", "*.gru", replace(changes, rate=0.5), tmp_path)[0].rate == 0.5


def test_what_was_searched_in_a_folder_is_used_there(tmp_path):
    (own,) = chosen("quick", "adding-40.gru")
    choose([own], [0.0777], tmp_path / "quick")
    assert chosen("quick", "adding-40.gru", out=tmp_path)[0].rate == 0.0777
    assert chosen("quick", "adding-40.gru")[0].rate == own.rate


@pytest.mark.parametrize(
    ("suite", "name", "changes"),
    [
        ("smoke", "adding-20.gru", Changes(hidden=8)),  # lstm97 of the same suite has its size
        ("streams", "hello-5.rnn", Changes(hidden=8)),
        ("rivals", "reber-15-9.elman", Changes(budget=2500)),  # others are tested more rarely
    ],
)
def test_changes_are_those_of_the_experiments_that_are_named(suite, name, changes):
    (found,) = chosen(suite, name, changes)
    assert found.name == name
    if changes.hidden:
        assert found.recipe.model.hidden == changes.hidden
    if changes.budget:
        assert found.recipe.budget == changes.budget


def test_there_is_nothing_to_search_where_rates_are_fixed(specs):
    fixed = suites.load("smoke")
    with pytest.raises(UsageError, match="nothing to search but for a cell of one's own"):
        fixed.require_searchable(own=False)
    fixed.require_searchable(own=True)
    with pytest.raises(UsageError, match=r"nothing to search$"):
        suites.load("paper").require_searchable(own=True)
    suites.load("quick").require_searchable(own=False)


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
    own = chosen("quick", "adding-*", changes)
    assert [each.cell for each in own] == ["a.Mine", "b.Mine"]
    choose(own, [0.2, 0.3], tmp_path / "quick")
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


def test_beside_an_own_cell_stand_those_that_it_can_replace(specs, tmp_path):
    """Nets of 1997 have the size of the paper, whatever the user's are to have."""
    changes = Changes(cells=specs[:1], hidden=4, rate=0.1)
    cells = {each.cell for each in beside("smoke", "reber-*", changes)}
    assert cells == {"rnn", "lstm", "gru"}
    assert beside("quick", "*.Mine", changes) == []
    (own,) = chosen("quick", "adding-40.gru", out=tmp_path)
    choose([own], [0.0777], tmp_path / "quick")
    others = beside("quick", "adding-40.*", Changes(cells=specs[:1]), tmp_path)
    rates = {each.cell: each.rate for each in others}
    assert rates["gru"] == 0.0777


def test_what_has_been_chosen_is_not_searched_again(specs, tmp_path, monkeypatch):
    changes = Changes(cells=specs[:1])
    wanted = chosen("quick", "*", changes)
    choose(wanted[1:], [0.2] * (len(wanted) - 1), tmp_path / "quick")
    again = []
    monkeypatch.setattr(search, "search", lambda bases, *_: again.extend(bases))
    found = searched("quick", "*", changes, tmp_path, None)
    assert [each.name for each in again] == [wanted[0].name]
    assert [each.rate for each in found[1:]] == [0.2] * (len(wanted) - 1)


def test_an_edited_cell_keeps_what_was_chosen_for_it(specs, tmp_path):
    changes = Changes(cells=specs[:1])
    before = chosen("quick", "adding-*", changes)
    choose(before, [0.2], tmp_path / "quick")
    path = Path(specs[0].partition(":")[0])
    path.write_text(path.read_text() + "\n# edited\n")
    (after,) = chosen("quick", "adding-*", changes, tmp_path)
    assert (after.rate, after.recipe_digest) == (0.2, before[0].recipe_digest)
    assert after.digest != before[0].digest


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
