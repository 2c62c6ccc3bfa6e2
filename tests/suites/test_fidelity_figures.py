"""Figures of docs/FIDELITY.md that are no cell of a table: sums and shares of committed rows."""

import functools

import pandas as pd
import pytest
from scipy import stats

from benchmarks.analysis import paper_rows
from benchmarks.running import store
from benchmarks.suites import best_readings, fidelity, paper, readings, rivals
from benchmarks.suites.common import RESULTS

TABLE_1 = ("1.5", "1.6", "1.7", "1.8", "1.9")


@functools.cache
def rows_of(folder):
    return store.read_suite(RESULTS / folder)


def trials(suite, row, variant=""):
    (own,) = [c.experiment for c in suite.COMPARED if (c.row, c.variant) == (row, variant)]
    rows = rows_of(suite.SUITE.name)
    return rows[rows["digest"] == own.digest]


def solved(rows):
    return rows[rows["outcome"] == "solved"]


# What came out


def test_literal_reber_strings_are_solved_in_20_of_150_trials():
    found = pd.concat(trials(paper, row) for row in TABLE_1)
    assert (len(solved(found)), len(found)) == (20, 150)
    assert paper_rows.reference().loc[list(TABLE_1), "sequences"].agg(["min", "max"]).tolist() == [
        8440,
        39_740,
    ]


def test_unsolved_reber_nets_have_half_or_nearly_all_strings_wrong():
    found = pd.concat(trials(paper, row) for row in TABLE_1)
    unsolved = found[found["outcome"] != "solved"]
    wrong = unsolved["test_wrong"] / unsolved["test_size"]
    assert wrong.between(0.3, 0.7).sum() == 61  # of 130, 47 %
    assert (wrong > 0.85).sum() == 51  # 39 %


def test_one_full_gradient_trial_is_as_fast_as_the_paper():
    assert trials(fidelity, "1.9", "full-gradient")["sequences"].min() == 3000


def test_2a_is_not_shown_to_be_learnt_more_often_where_the_cell_joins_later():
    table = []
    for variant in ("", "from-start"):
        found = trials(fidelity if variant else paper, "2.8", variant)
        table.append([len(solved(found)), len(found) - len(solved(found))])
    assert table == [[4, 14], [0, 18]]
    assert stats.fisher_exact(table).pvalue == pytest.approx(0.10, abs=0.005)


REBER_CHANGES = {  # solved of 60, both rates together, and p beside the literal 13
    "full-gradient": (39, 0.000003),
    "shortcuts": (23, 0.07),
    "stepwise": (21, 0.16),
    "plain-delta": (1, 0.001),
    "half-reset": (6, 0.13),
    "all-legal": (9, 0.48),
    "identity-h": (11, 0.82),
    "input-gates": (9, 0.48),
    "in-order": (11, 0.82),
    "stepwise-plain-delta-bias": (7, 0.22),
    "shortcuts-bias": (37, 1.6e-5),
    "stepwise-shortcuts-bias": (39, 2.9e-6),
    "stepwise-calibrated": (37, 1.6e-5),
    "full-shortcuts": (31, 0.0012),
    "full-shortcuts-bias": (52, 4.3e-13),
}


@pytest.mark.parametrize("variant", REBER_CHANGES)
def test_changes_of_reber_rows_beside_the_literal_ones(variant):
    counts = []
    for suite, name in ((paper, ""), (fidelity, variant)):
        found = pd.concat(trials(suite, row, name) for row in ("1.6", "1.9"))
        counts.append([len(solved(found)), len(found) - len(solved(found))])
    among, p = REBER_CHANGES[variant]
    assert counts == [[13, 47], [among, 60 - among]]
    assert stats.fisher_exact(counts).pvalue == pytest.approx(p, rel=0.06)


@pytest.mark.parametrize(
    ("one", "other", "p"),
    [
        ("shortcuts-bias", "shortcuts", 0.02),
        ("full-shortcuts-bias", "shortcuts-bias", 0.003),
        ("full-shortcuts-bias", "full-gradient", 0.01),
    ],
)
def test_changes_of_reber_rows_beside_one_another(one, other, p):
    counts = [REBER_CHANGES[name][0] for name in (one, other)]
    table = [[count, 60 - count] for count in counts]
    assert float(f"{stats.fisher_exact(table).pvalue:.1g}") == p


def test_table_1_with_three_changes():
    found = {row: trials(fidelity, row, "full-shortcuts-bias") for row in TABLE_1}
    assert [len(rows) for rows in found.values()] == [30] * 5
    assert [len(solved(rows)) for rows in found.values()] == [24, 28, 22, 22, 24]  # 120 of 150
    means = [solved(rows)["sequences"].mean() for rows in found.values()]
    assert [round(mean, -2) for mean in means] == [46_700, 31_900, 25_800, 22_000, 19_500]
    ratios = means / paper_rows.reference().loc[list(TABLE_1), "sequences"]
    assert [round(ratios.min(), 1), round(ratios.max(), 1)] == [1.2, 2.3]
    assert (
        paper_rows.reference().loc[list(TABLE_1), "success_percent"].mul(0.3).round().sum() == 148
    )


def test_squashing_at_a_lag_of_50_and_the_fastest_reber_trial():
    there = [solved(trials(paper, "3.1")), solved(trials(fidelity, "3.1", "identity-h"))]
    assert [len(each) for each in there] == [17, 11]
    p = stats.fisher_exact([[17, 3], [11, 9]]).pvalue
    assert p == pytest.approx(0.08, abs=0.005)
    assert trials(fidelity, "1.9", "stepwise-plain-delta-bias")["sequences"].min() == 2750


FURTHER = [
    *("end-error", "end-error-centred-g", "centred-g", "identity-h", "all-legal", "shortcuts"),
    *("input-gates", "half-reset", "in-order", "stepwise-plain-delta-bias", "simulator"),
]
FURTHER_ROWS = {
    "plain-delta": ("1.6", "1.9", "2.8", "3.1", "3.2", "3.3", "3.4", "3.5"),
    "linear-output": ("7.2", "7.3", "8.1", "8.2"),
}


def test_four_of_41_further_variants_agree():
    found = paper_rows.comparison(fidelity.COMPARED, rows_of("fidelity"))
    pairs = found[["variant", "row"]].values.tolist()
    more = [name in FURTHER or row in FURTHER_ROWS.get(name, ()) for name, row in pairs]
    further = found[more]
    agree = further[further["verdict"] == "agrees"]
    assert len(further) == 41
    assert set(zip(agree["variant"], agree["row"], strict=True)) == {
        ("half-reset", "5.2"),
        ("half-reset", "5.3"),
        ("half-reset", "6.2"),
        ("simulator", "9.1"),
    }


def test_rtrl_is_slower_than_in_the_paper_and_does_not_break_at_high_rates():
    found = paper_rows.comparison(rivals.COMPARED, rows_of("rivals"))
    small = found[found["row"].isin(["2.1", "2.2", "2.3"]) & (found["variant"] == "")]
    assert small["solved"].tolist() == [1, 10, 18]
    assert small["ratio"].round(1).tolist() == [4.7, 3.1, 3.0]
    theirs = paper_rows.reference().loc[["2.1", "2.2", "2.3"], "success_percent"]
    assert theirs.tolist() == [78, 56, 22]
    assert found[found["row"] == "2.4"]["solved"].tolist() == [0, 0, 0]
    plain = found[found["variant"] == "plain-delta"]["solved"].tolist()
    assert plain == [0, 0, 1]
    for ours, literal in zip(plain[1:], [10, 18], strict=True):
        table = [[ours, 18 - ours], [literal, 18 - literal]]
        assert stats.fisher_exact(table).pvalue < 0.001


def test_with_p_100_no_rival_solves_a_trial():
    """RTRL and full BPTT as in the paper, the chunker on 2a not as there, on 2b as there."""
    found = paper_rows.comparison(rivals.COMPARED, rows_of("rivals"))
    found = found[found["row"].isin(["2.5", "2.6", "2.7", "2.10"]) & (found["variant"] == "")]
    assert (found["solved"] == 0).all()
    assert found.groupby("row")["trials"].sum().eq(18).all()
    verdicts = dict(zip(found["row"], found["verdict"], strict=True))
    assert verdicts == {"2.5": "agrees", "2.6": "agrees", "2.7": "fails", "2.10": "agrees"}
    assert paper_rows.reference().loc["2.7", "success_percent"] == 33


def test_solved_and_other_trials_of_9_2():
    found = trials(paper, "9.2")
    assert solved(found)["sequences"].median() == pytest.approx(212_000, abs=500)
    others = found[found["outcome"] != "solved"]
    wrong = others["test_wrong"] / others["test_size"]
    near = [(wrong - classes / 8).abs() < 0.015 for classes in (1, 2)]
    assert (len(wrong), (near[0] | near[1]).sum(), (wrong > 0.5).sum()) == (17, 10, 6)


# Which one reading agrees with the most rows?


@functools.cache
def lines():
    found = paper_rows.comparison(readings.COMPARED, rows_of("readings"))
    choices = [set(variant.split("-")) - {"literal"} for variant in found["variant"]]
    return found.assign(choices=choices)


def under(chosen=(), without=(), rows=readings.ROWS):
    """Lines of these rows, of readings with all of some choices and without any of others."""
    found = lines()
    own = found["choices"].map(lambda each: set(chosen) <= each and not set(without) & each)
    return found[own & found["row"].isin(rows)]


def test_eleven_rows_agree_under_a_reading_and_none_under_all():
    agrees = lines()["verdict"] == "agrees"
    by_row = agrees.groupby(lines()["row"])
    assert by_row.any().sum() == 11
    assert by_row.all().sum() == 0
    assert not by_row.any()[[*TABLE_1, "2.8", "2.9"]].any()
    assert (len(rows_of("readings")), len(lines())) == (2520, 268)


def test_linear_outputs():
    adding = under(["linear"], rows=["7.1"])
    assert len(adding) == 8
    assert (adding["solved"] == 10).all()
    assert adding["mean"].agg(["min", "max"]).tolist() == pytest.approx([83_600, 131_000], rel=5e-3)
    ratios = under(["linear"], rows=["4.1", "4.2"])["ratio"]
    assert [round(ratios.min(), 2), round(ratios.max(), 2)] == [0.23, 0.36]
    noisy = under(["linear"], ["full"], rows=["6.1", "6.2"]).set_index(["row", "variant"])
    assert (noisy.drop(("6.1", "plain-half-linear"))["verdict"] == "agrees").all()
    assert len(noisy) == 8
    full = under(["linear", "full"], rows=["6.1", "6.2"])
    agrees = (full["verdict"] == "agrees").groupby(full["row"]).sum()
    assert agrees.to_dict() == {"6.1": 3, "6.2": 0}


def test_small_weights():
    truncated = under(["small"], ["full"], rows=["3.1", "3.2"])
    assert len(truncated) == 8
    assert (truncated["solved"] == 10).all()
    full = under(["small", "full"], rows=["3.1", "3.2"])
    assert (full["verdict"] == "agrees").groupby(full["row"]).sum().to_dict() == {
        "3.1": 4,
        "3.2": 1,
    }
    assert under(["small", "linear"], ["plain"], ["8.1"])["solved"].tolist() == [0, 0]


def test_reber_strings_by_reading():
    literal = under(rows=TABLE_1).groupby("variant")["solved"].sum()
    full = under(["full"], ["plain"], TABLE_1)
    assert full.groupby("variant")["solved"].sum().tolist() == [34, 26]
    assert full["ratio"].agg(["min", "max"]).tolist() == pytest.approx([3.5, 11.3], abs=0.05)
    assert literal[["plain-half-full", "plain-full-small-linear"]].tolist() == [13, 9]
    truncated = literal.drop(full["variant"].unique()).drop(
        ["plain-half-full", "plain-full-small-linear"]
    )
    steps = truncated.index.str.contains("steps")
    assert truncated[steps].agg(["min", "max"]).tolist() == [2, 10]
    assert truncated[~steps].agg(["min", "max"]).tolist() == [0, 9]
    changed = pd.concat([under(["full"], rows=TABLE_1), under(["steps"], ["full"], TABLE_1)])
    assert changed["variant"].nunique() == 8
    assert set(changed["verdict"]) == {"fails", "slower"}


def test_2a_and_2b():
    found = under(["steps"], ["plain"], ["2.8"])
    assert (found["solved"] == 10).all()
    assert sorted(set(found["mean"])) == [54_750, 57_900]
    assert under(rows=["2.9"])["solved"].sum() == 0


def test_the_error_without_its_slope():
    multiplied = under(["plain"], ["linear", "full"], ["8.1"])
    assert multiplied["mean"].tolist() == pytest.approx([414_000, 513_000], rel=2e-3)
    assert under(["plain", "full"], ["linear"], ["8.1"])["solved"].tolist() == [0, 0]
    assert under(["plain"], ["small"], ["3.1"])["solved"].max() == 2
    assert under(["full"], ["small"], ["3.1"])["solved"].max() == 2
    assert under(["plain"], rows=["9.1"])["solved"].agg(["min", "max", "sum"]).tolist() == [
        7,
        9,
        65,
    ]
    assert (under([], ["plain"], ["9.1"])["solved"] == 10).all()


def test_the_full_gradient_breaks_multiplication():
    assert under(["full"], rows=["8.1"])["solved"].max() == 7
    assert under(["full"], ["linear"], ["8.1"])["solved"].sum() == 0


def test_reber_strings_under_the_best_reading():
    found = pd.concat(trials(best_readings, row, "steps-small-linear") for row in TABLE_1)
    assert (len(solved(found)), len(found)) == (18, 150)


@pytest.mark.parametrize("row", [f"3.{number}" for number in range(1, 10)])
def test_2c_under_the_best_reading_is_that_with_small_weights(row):
    under = [c for c in best_readings.COMPARED if (c.row, c.variant) == (row, "steps-small-linear")]
    alone = [c for c in fidelity.COMPARED if (c.row, c.variant) == (row, "small-weights")]
    assert [c.experiment.digest for c in under] == [c.experiment.digest for c in alone]
    assert len(alone) == 1


def test_of_the_rows_that_had_no_part_in_the_choice_one_agrees_literally():
    table = paper_rows.comparison(paper.COMPARED, rows_of("paper"))
    others = table[~table["row"].isin(readings.ROWS)]
    assert len(others) == 13
    assert others.loc[others["verdict"] == "agrees", "row"].tolist() == ["4.3"]


# The search (S5)


def test_the_lstm_of_compare_on_two_sequence_did_better_in_the_search():
    chosen = rows_of("compare").query("task == 'two-sequence' and cell == 'lstm'")
    tried = rows_of("compare/search").query("task == 'two-sequence' and cell == 'lstm'")
    tried = tried[tried["rate"].isin(chosen["rate"])]
    assert (len(solved(tried)), len(tried)) == (4, 4)
    assert (len(solved(chosen)), len(chosen)) == (17, 20)


def test_the_vanilla_net_of_remedies_on_the_latch_at_20_steps():
    mine = "experiment.str.startswith('latch') and delay == 20 and cell == 'rnn'"
    tried = rows_of("remedies/search").query(mine)
    by_rate = (tried["outcome"] == "solved").groupby(tried["rate"]).agg(["sum", "size"])
    assert by_rate["size"].tolist() == [1] * 9 + [4] * 3
    assert by_rate["sum"].tolist()[9:] == [2, 2, 2]
    assert by_rate["sum"].iloc[:9].sum() == 7
    found = rows_of("remedies").query(mine)
    assert (len(solved(found)), len(found)) == (9, 20)


# Streams and the net of 2000


def streams_of(name):
    rows = rows_of("streams")
    return rows[rows["experiment"] == name]


@pytest.mark.parametrize(
    ("name", "counts", "published", "p"),
    [
        ("gers00-resets-9.standard", (78, 64), 74, 0.17),
        ("gers00-9.forget", (60, 40), 18, 0.001),
    ],
)
def test_nets_that_find_a_perfect_solution_and_make_no_error_on_other_streams(
    name, counts, published, p
):
    found = streams_of(name)
    fresh = (solved(found)["test_wrong"] == 0).sum()
    assert (len(solved(found)), fresh, len(found)) == (*counts, 100)
    table = [[fresh, 100 - fresh], [published, 100 - published]]
    assert stats.fisher_exact(table).pvalue == pytest.approx(p, rel=0.05)


@pytest.mark.parametrize(
    ("cell", "count", "prefix"),
    [
        ("lstm97", 0, 7),
        ("lstm97-biased", 0, 8),
        ("lstm97-started", 0, 8),
        ("lstm97-four", 1, 13),
        ("cells-only", 2, 13),
        ("lstm97-shortcuts", 5, 25),
        ("lstm97-both", 15, 15),
    ],
)
def test_nets_between_those_of_1997_and_2000(cell, count, prefix):
    found = streams_of(f"gers00-resets-9.{cell}")
    unsolved = found[found["outcome"] != "solved"]
    assert (len(solved(found)), len(found)) == (count, 20)
    assert round(unsolved["prefix"].mean()) == prefix


@pytest.mark.parametrize(
    ("cell", "other", "p"),
    [
        ("standard", "cells-only", 1.3e-8),
        ("lstm97-both", "lstm97-four", 1.0e-5),
        ("lstm97-both", "standard", 0.77),
    ],
)
def test_inputs_that_feed_the_outputs_make_the_difference(cell, other, p):
    table = [
        [len(solved(rows)), len(rows) - len(solved(rows))]
        for rows in (streams_of(f"gers00-resets-9.{each}") for each in (cell, other))
    ]
    assert stats.fisher_exact(table).pvalue == pytest.approx(p, rel=0.05)
