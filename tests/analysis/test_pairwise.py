from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from benchmarks.analysis import pairwise
from benchmarks.analysis.statistics import holm, log_rank
from tests.support.made_up import rows
from tests.support.tiny import experiment

CELLS = [replace(experiment(rate=rate), cell=cell) for rate, cell in ((0.1, "a"), (0.2, "b"))]
SOON, LATE = [40, 80, 40, 80, 40, 80], [320, 360, 320, 360, None, None]


def pair(first, second, experiments=CELLS):
    trials = [rows(e, *n) for e, n in zip(experiments, (first, second), strict=True)]
    (line,) = pairwise.pairs(experiments, pd.concat(trials)).itertuples()
    return line


def test_a_pair_by_hand():
    line = pair(SOON, LATE)
    assert (line.task, line.first, line.second) == ("two-sequence-10", "a", "b")
    assert (line.solved, line.trials, line.other_solved, line.other_trials) == (6, 6, 4, 6)
    assert line.difference == pytest.approx(1 - 4 / 6)
    assert line.ratio == pytest.approx(60 / ((320 + 360) * 2 + 400 * 2) * 6)
    assert line.ratio_low < line.ratio < line.ratio_high
    assert line.p == line.holm == line.bh  # of one pair
    assert line.p < pairwise.ALPHA


@pytest.mark.parametrize(
    ("first", "second", "verdict"),
    [
        (SOON, LATE, "a"),
        (LATE, SOON, "b"),
        (SOON, SOON, pairwise.UNKNOWN),
        ([None] * 6, [None] * 6, pairwise.UNKNOWN),
        (SOON[:5], LATE, pairwise.INCOMPLETE),
    ],
)
def test_verdicts(first, second, verdict):
    assert pair(first, second).verdict == verdict


def test_no_verdict_where_the_means_contradict_the_test():
    line = pair(SOON, LATE)
    assert pairwise._verdict(line._replace(ratio=1.1)) == pairwise.UNKNOWN
    assert pairwise._verdict(line._replace(holm=0.06)) == pairwise.UNKNOWN


def test_p_is_corrected_for_all_pairs_of_the_page():
    three = [*CELLS, replace(experiment(rate=0.3), cell="c")]
    trials = pd.concat([rows(e, *n) for e, n in zip(three, (SOON, LATE, SOON), strict=True)])
    lines = pairwise.pairs(three, trials).set_index(["first", "second"])
    alone = pair(SOON, LATE).p
    assert lines.loc[("a", "b"), "holm"] == pytest.approx(3 * alone)
    assert lines.loc[("a", "b"), "bh"] == pytest.approx(3 * alone / 2)
    assert lines.loc[("a", "c"), "holm"] == 1


def test_cells_are_compared_on_the_same_task_only():
    other = [CELLS[0], replace(CELLS[1], task="adding")]
    trials = pd.concat([rows(e, *SOON) for e in other])
    assert pairwise.pairs(other, trials).empty
    assert pairwise.better(pairwise.pairs(other, trials)) == {}
    assert "No two cells" in pairwise.sentence(pairwise.pairs(other, trials))
    assert pairwise.readable(pairwise.pairs(other, trials)).empty


def test_the_matrix_reads_along_a_row():
    trials = pd.concat([rows(CELLS[0], *SOON), rows(CELLS[1], *LATE)])
    lines = pairwise.pairs(CELLS, trials)
    matrix = pairwise.better(lines)["two-sequence-10"]
    assert matrix.loc["a", "b"] == "better"
    assert matrix.loc["b", "a"] == "worse"
    assert matrix.loc["a", "a"] == ""
    assert "In 1 of 1 comparisons" in pairwise.sentence(lines)
    assert "a 1, b 0" in pairwise.sentence(lines)
    (text,) = pairwise.readable(lines).to_dict("records")
    assert (text["better"], text["solved"], text["of second"]) == ("a", "6/6", "4/6")


def test_false_alarms_of_equal_cells_are_as_rare_as_said():
    draw, alarms, pages = np.random.default_rng(0), 0, 80
    for _ in range(pages):
        needed = draw.choice([40, 80, 120, 160, None], size=(3, 20), p=[0.3, 0.2, 0.1, 0.1, 0.3])
        cells = [rows(CELLS[0], *trials) for trials in needed]
        p = [log_rank(cells[i], cells[j]).p for i in range(3) for j in range(i)]
        alarms += min(holm(p)) < pairwise.ALPHA
    assert alarms <= 0.05 * pages + 2 * (0.05 * 0.95 * pages) ** 0.5  # two standard deviations
