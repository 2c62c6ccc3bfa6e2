import io
from dataclasses import replace

import pandas as pd
import pytest
from rich.console import Console

from benchmarks.analysis import tables
from tests.support.made_up import rows
from tests.support.tiny import EXPERIMENT, experiment

SOLVER, LOSER, LATE = experiment(rate=0.1), experiment(rate=0.2), experiment(rate=0.3)


@pytest.fixture
def named():
    """Three experiments with different names, so that they can stand in one table."""
    return [
        replace(SOLVER, cell="lstm"),
        replace(LOSER, cell="rnn"),
        replace(LATE, task="adding", cell="lstm"),
    ]


def complete(named):
    return pd.concat([rows(named[0], *[40] * 5, None), rows(named[1], *[None] * 6)])


def test_summary_counts(named):
    lines = tables.summary(named, complete(named)).set_index(["task", "cell"])
    solver = lines.loc[("two-sequence-10", "lstm")]
    assert (solver.solved, solver.trials, solver.missing) == (5, 6, 0)
    assert (solver.low, solver.high) == pytest.approx((0.436, 0.970), abs=1e-3)
    assert solver.median_sequences == 40
    assert solver.test_right == pytest.approx(1 - (5 * 10 + 50) / 600)
    assert solver.seconds == 12
    assert not solver.at_chance
    loser = lines.loc[("two-sequence-10", "rnn")]
    assert loser.at_chance
    assert loser.median_sequences == float("inf")
    late = lines.loc[("adding-10", "lstm")]
    assert (late.trials, late.missing) == (0, 6)


@pytest.mark.parametrize(("error", "at_chance"), [(0.47, False), (0.48, True), (0.6, True)])
def test_at_chance_needs_the_error_of_the_best_constant(error, at_chance):
    lines = tables.summary([LOSER], rows(LOSER, None, None, test_error=error))
    assert lines.at_chance.tolist() == [at_chance]  # two-sequence: the best constant errs by 0.5


def test_a_solved_trial_is_never_at_chance():
    lines = tables.summary([LOSER], rows(LOSER, 40, None, test_error=0.5))
    assert lines.at_chance.tolist() == [False]


def test_rows_of_another_digest_are_not_mixed_in(named):
    mixed = pd.concat([complete(named), rows(SOLVER, 1, 1, digest="stale")])
    assert len(tables.current(named, mixed)) == 12
    assert tables.summary(named, mixed).trials.tolist() == [6, 6, 0]


def test_matrix_has_tasks_down_and_cells_across(named):
    wide = tables.matrix(tables.summary(named, complete(named)))
    assert list(wide.index) == ["two-sequence-10", "adding-10"]
    assert list(wide.columns) == ["lstm", "rnn"]
    assert wide.loc["two-sequence-10", "lstm"] == "5/6\n40"
    assert wide.loc["two-sequence-10", "rnn"] == "0/6\nat chance"
    assert wide.loc["adding-10", "lstm"] == "not run"
    assert wide.loc["adding-10", "rnn"] == ""


def printed(wide, width=80):
    console = Console(file=io.StringIO(), width=width)
    console.print(tables.terminal(wide, "A title"))
    return console.file.getvalue()


def test_many_cells_and_tasks_are_shown_by_families_of_those_that_have_run():
    cells = [f"cell{i}" for i in range(tables.FITTING + 1)]
    tasks = [*(f"adding-{T}" for T in (50, 100, 200, 500, 1000)), "order-6a-50"]
    wide = pd.DataFrame("3/4\n2k", index=pd.Index(tasks, name="task"), columns=cells)
    both = printed(wide)
    assert both.index("adding") < both.index("order-6a")
    assert both.count("cell8") == 2
    assert max(map(len, both.splitlines())) <= 80
    assert printed(wide[cells[1:]]).count("cell8") == 1  # tasks down
    wide.loc["order-6a-50"] = tables.NOT_RUN
    some = wide.assign(guessing="0/10\n>1.02M")
    assert "order-6a" not in printed(some)
    assert printed(some).count("guessing") == 1
    some.loc[:, cells] = tables.NOT_RUN
    assert printed(some).count("cell8") == 2


def test_a_long_name_of_a_task_is_broken_at_a_hyphen_above_its_column():
    names = ["two-sequence-100", "adding-100", "multiplication-100"]
    wide = pd.DataFrame("20/20", index=pd.Index(["lstm"], name="cell"), columns=names)
    heading = [line.split() for line in printed(wide).splitlines()[1:5]]
    assert ["two-"] in heading
    assert ["sequence", "adding", "multiplication"] in heading
    assert ["cell", "100", "100", "100"] in heading


def test_families_that_share_cells_stand_side_by_side_without_the_cells_of_others():
    """As in `streams`, where every family has but a few of many cells."""
    cells = [f"cell{i}" for i in range(tables.FITTING + 1)]
    tasks = ["online-9", "hello-5", "quotes-10", "quotes-40", "order-6b-100"]
    wide = pd.DataFrame("", index=pd.Index(tasks, name="task"), columns=cells)
    wide.loc[["online-9", "order-6b-100"], cells[:2]] = "3/4\n2k"
    wide.loc["hello-5", cells[2:4]] = "1/4"
    wide.loc[["quotes-10", "quotes-40"], cells[3:]] = tables.NOT_RUN
    wide.loc["quotes-40", "cell4"] = "0/4"
    parts = tables._fitting(wide)
    assert [list(part.columns) for part in parts] == [["online-9"], tasks[1:4], ["order-6b-100"]]
    assert [list(part.index) for part in parts] == [cells[:2], cells[2:], cells[:2]]
    turned = tables._fitting(wide.T.rename_axis("cell"))
    assert all(one.equals(other) for one, other in zip(turned, parts, strict=True))
    full = pd.DataFrame("3/4", index=pd.Index(cells, name="cell"), columns=tasks)
    (one,) = tables._fitting(full)
    assert one is full
    wide.loc["quotes-40", "cell4"] = tables.NOT_RUN
    assert [list(part.columns) for part in tables._fitting(wide)][1] == ["hello-5"]


def test_a_half_finished_run_says_what_is_missing(named):
    lines = tables.summary(named, rows(named[0], 40, 40))
    assert tables.matrix(lines).loc["two-sequence-10", "lstm"] == "2/2 of 6\n40"
    assert "16 trials have not been run" in tables.missing(lines)
    assert "two-sequence-10.rnn (6)" in tables.missing(lines)
    assert "too high" in tables.missing(lines)
    assert "too high" not in tables.missing(tables.summary(named, complete(named)))
    assert tables.missing(tables.summary(named[:2], complete(named))) == ""


def test_the_reference_stands_beside(named):
    lines = tables.summary(named, rows(named[0], 40, 40))
    reference = tables.summary(named, complete(named))
    assert tables.matrix(lines, reference).loc["two-sequence-10", "lstm"].endswith("\n(5/6)")
    assert tables.matrix(lines, reference).loc["two-sequence-10", "rnn"] == "not run\n(0/6)"


def test_page_has_everything(named):
    made = complete(named)
    page = tables.page("tiny", "A title", tables.summary(named, made), tables.origin(made))
    for text in ("5/6<br>40", "at chance", "Wilson", "0.44-0.97", "12 trials", "83.3%"):
        assert text in page
    assert "Not complete: 6 trials" in page


def test_the_terminal_table_of_six_cells_fits_80_columns():
    wide = pd.DataFrame(
        [["20/20\nat chance\n(20/20)"] * 6],
        index=pd.Index(["multiplication-30"], name="task"),
        columns=["rnn", "lstm", "gru", "mut1", "mut2", "mut3"],
    )
    console = Console(width=80)
    with console.capture() as capture:
        console.print(tables.terminal(wide, "title"))
    lines = capture.get().splitlines()
    assert max(map(len, lines)) <= 80
    for text in ("20/20", "at chance", "(20/20)"):  # nothing is wrapped or cut
        assert any(line.count(text) == 6 for line in lines)
    assert any("multiplication-30" in line for line in lines)


@pytest.mark.parametrize(
    ("number", "text"),
    [(0, "0"), (950, "950"), (12_300, "12.3k"), (1_240_000, "1.24M"), (float("inf"), ">budget")],
)
def test_quantity(number, text):
    assert tables.quantity(number) == text


def test_diverged_is_not_at_chance():
    """A loss that is nan from the start says nothing about what the cell can learn."""
    diverged = rows(EXPERIMENT, *[None] * 3, outcome="diverged", test_error=float("nan"))
    lines = tables.summary([EXPERIMENT], diverged)
    assert not lines["at_chance"].any()
    (entry,) = tables.matrix(lines)["rnn"]
    assert entry == "0/3 of 6\n3 diverged"
    assert list(tables.long(lines)[""]) == ["3 diverged"]
