import pandas as pd
import pytest

from benchmarks.analysis import remedies
from benchmarks.analysis.remedies import Remedy

KNOWN = [Remedy("rnn", "nobody", None), Remedy("clip", "A 2013", "rnn"), Remedy("odd", "B", "rnn")]


def lines(**solved):
    """Of 20 trials each on two tasks, except those of `odd`, on another."""
    return pd.DataFrame(
        [
            {"task": task, "cell": cell, "trials": 20, "solved": n}
            for cell, counts in solved.items()
            for task, n in zip(("a-100", "b-100", "c-100"), counts, strict=True)
            if n is not None
        ]
    )


LINES = lines(rnn=(0, 1, None), clip=(20, 15, 5), odd=(None, None, 0))


def flow(**left):
    """Rows of what is left at delay 100 and, misleadingly, 200, before and after training."""
    return pd.DataFrame(
        [
            {"task": task, "delay": delay, "cell": cell, "time": time, "distance": d, "median": m}
            for cell, (before, after) in left.items()
            for task, factor in (("a", 1), ("b", 100))
            for delay in (100, 200)
            for time, number in (("before", before), ("after", after))
            for d, m in ((1, 1.0), (delay, number * factor * (1 if delay == 100 else 7)))
        ]
    )


def told(flow_rows=None):
    return remedies.effects(KNOWN, LINES, flow_rows).set_index("remedy")


def test_success_is_compared_on_what_both_have():
    found = told()
    assert found.loc["clip", "solved"].startswith("35/40 (")
    assert found.loc["clip", "without"].startswith("1/40 (")
    assert found.loc["clip", "effect"] == (
        "Solves 35 of 40 trials, more than without it (1 of 40). "
        "More: a-100 (20 of 20, without it 0), b-100 (15 of 20, without it 1)."
    )
    assert found.loc["rnn", "effect"] == "Solves 1 of 40 trials."
    assert found.loc["odd", "effect"] == "Solves 0 of 20 trials."
    assert set(found["tried"]) == {""}


def test_what_the_search_tried_is_summed_over_tasks():
    searched = LINES.assign(with_success=[1, 2, 3, 4, 5, 6], configurations=12)
    found = remedies.effects(KNOWN, searched).set_index("remedy")
    assert found["tried"].to_dict() == {"rnn": "3/24", "clip": "12/36", "odd": "6/12"}


def test_columns_without_any_entry_are_left_out_of_the_table():
    found = remedies.effects(KNOWN, LINES)
    assert list(remedies.table(found)) == ["remedy", "source", "solved", "without"]
    short = remedies.short(remedies.effects(KNOWN, LINES, flow(clip=(1e-3, 0.02))))
    assert list(short) == ["remedy", "solved", "without", "left\nbefore", "left\nafter"]
    assert short["without"].tolist() == ["", "1/40", ""]


@pytest.mark.parametrize(
    ("own", "word"), [(20, "more than"), (1, "fewer than"), (9, "not clearly other than")]
)
def test_a_difference_needs_intervals_that_do_not_meet(own, word):
    known = [Remedy("clip", "A", "rnn")]
    found = remedies.effects(known, lines(rnn=(10, None, None), clip=(own, None, None)))
    assert f", {word} without it" in found["effect"][0]


def test_a_sum_over_tasks_does_not_hide_where_a_difference_comes_from():
    known = [Remedy("clip", "A", "rnn")]
    found = remedies.effects(known, lines(rnn=(20, 0, 10), clip=(0, 20, 9)))
    assert found["effect"][0] == (
        "Solves 29 of 60 trials, not clearly other than without it (30 of 60). "
        "More: b-100 (20 of 20, without it 0). Fewer: a-100 (0 of 20, without it 20)."
    )


def test_gradients_are_told_at_the_whole_delay_of_100():
    found = told(flow(rnn=(1e-5, 1e-4), clip=(1e-3, 0.02)))
    assert found.loc["clip", "left before"] == "0.01"  # the geometric mean of 1e-3 and 1e-1
    assert found.loc["clip", "effect"].endswith(
        "Of an error, 0.2 is left after training (0.01 before it), without it 0.001."
    )
    assert found.loc["rnn", "effect"].endswith("is left after training (0.0001 before it).")
    assert found.loc["odd", "left after"] == ""


def test_gradients_are_compared_at_the_delays_that_both_have():
    """Of a half-finished run, that of the plain net at 50 is missing."""
    both = flow(rnn=(1e-5, 0.5), clip=(1e-5, 0.6))
    further = both[both["cell"] == "clip"].assign(delay=50, distance=50, median=0.01)
    short = both[both["delay"] == 100].assign(delay=20)
    short["distance"] = short["distance"].where(short["distance"] == 1, 20)
    found = remedies.effects(KNOWN, LINES, pd.concat([short, further])).set_index("remedy")
    assert found.loc["clip", "effect"].endswith(
        "Of an error, 6 is left after training (0.0001 before it), without it 5."
    )


def test_nothing_left_anywhere_is_0():
    found = told(flow(rnn=(0.0, 1e-4)))
    assert found.loc["rnn", "left before"] == "0"
