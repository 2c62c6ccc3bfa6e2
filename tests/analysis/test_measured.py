import math

import pandas as pd
import pytest

from benchmarks.analysis import tables
from benchmarks.analysis.measured import measured
from tasks.sequence import Chance
from tests.running.test_store import row

KNOWN = Chance(right=0.5, error=0.4)


def rows(*given):
    """Rows of (digest, cell) each."""
    same = {"task": "adding", "delay": 40, "rate": 0.25, "task_fields": "known"}
    return pd.DataFrame([row(i, digest=d, cell=c, **same) for i, (d, c) in enumerate(given)])


def test_an_experiment_is_what_its_rows_say():
    (one,) = measured(rows(("a", "lstm"), ("a", "lstm")), {"known": KNOWN})
    assert one == ("adding", 40, "lstm", 0.25, 2, "a", KNOWN)


def test_experiments_of_one_name_are_numbered_as_they_come():
    given = rows(("b", "Mine"), ("c", "lstm"), ("a", "Mine"), ("b", "Mine"), ("d", "Mine"))
    cells = {each.digest: each.cell for each in measured(given, {})}
    assert cells == {"b": "Mine", "c": "lstm", "a": "Mine (2)", "d": "Mine (3)"}
    assert list(cells) == ["b", "c", "a", "d"]


@pytest.mark.parametrize(("known", "at_chance"), [({"known": KNOWN}, True), ({}, False)])
def test_nothing_is_at_the_chance_of_a_task_that_nobody_knows(known, at_chance):
    given = rows(("a", "rnn")).assign(outcome="spent", test_error=0.39, bits=None)
    (line,) = tables.summary(measured(given, known), given).itertuples()
    assert line.at_chance == at_chance
    assert math.isnan(line.chance_right) != at_chance
