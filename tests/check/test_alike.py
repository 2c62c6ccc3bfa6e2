import pandas as pd
import pytest

from benchmarks.check.studies import alike
from benchmarks.check.studies.kills import Case

CASES = (Case("tiny", "two-sequence-20.gru", 2000, 3),)


@pytest.mark.slow
def test_rows_of_two_jobs_are_those_of_one(tmp_path):
    once, shared = (
        alike.rows(alike.Way("x", parts=parts), tmp_path / str(parts), CASES) for parts in (1, 2)
    )
    assert len(once) == 3
    found = alike.line(alike.Way("two jobs"), shared, once)
    assert found["rows the same"] == "3 of 3"
    assert found["smallest p"] == "1.00"


def test_other_rows_are_counted_and_worse_ones_have_a_small_p():
    first = pd.DataFrame({name: range(1000, 1020) for name in alike.SHOWN}).assign(
        experiment="a", trial=range(20), outcome="solved", jax="1", budget=10**5
    )
    first["sequences"] = first["sequences"].astype("Int64")
    first.loc[19, ["outcome", "sequences"]] = "spent", pd.NA
    worse = first.assign(sequences=first["sequences"] * 50, jax="2")
    worse.loc[0, "sequences"] = first.loc[0, "sequences"]  # and one is unsolved either way
    found = alike.line(alike.Way("y"), worse[::-1], first)
    assert found["rows the same"] == "2 of 20"
    assert (found["what is different"], found["jax"]) == ("y", "2")
    assert float(found["smallest p"]) < 0.01
