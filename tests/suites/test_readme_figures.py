"""Figures of README.md that are no cell of a table: sums and shares of committed rows."""

import pandas as pd

from benchmarks.running import store
from benchmarks.suites.common import RESULTS


def first_trials(cell):
    """The first trial of each configuration that the search of `compare` tried on adding."""
    rows = store.read_suite(RESULTS / "compare" / "search")
    rows = rows[
        (rows["experiment"] == f"adding-100.{cell}") & (rows["trial"] == rows["trial"].min())
    ]
    assert rows["digest"].is_unique
    return rows


def test_the_lstm_needs_a_long_memory_from_the_start():
    found = first_trials("lstm")
    short = found["memory_high"].astype(float) < 10.5  # ten steps at most
    solved = (found["outcome"] == "solved").groupby(short)
    assert solved.agg(["sum", "size"]).to_numpy().tolist() == [[10, 17], [0, 7]]


def test_most_configurations_without_a_forget_gate_solve_adding():
    found = first_trials("no-forget-lstm")
    assert ((found["outcome"] == "solved").sum(), len(found)) == (18, 24)


def test_the_lstm_is_still_learning_to_add_at_200_steps():
    rows = pd.read_csv(RESULTS / "lags" / "trials" / "adding-200.lstm.csv")
    assert (rows["outcome"] == "spent").all()
    assert ((rows["test_error"] < 0.14).sum(), len(rows)) == (5, 20)
