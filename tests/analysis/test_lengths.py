import pandas as pd

from benchmarks.analysis.lengths import reach
from tests.support.made_up import rows
from tests.support.tiny import EXPERIMENT


def test_the_reach_is_that_of_solved_networks():
    grown = rows(EXPERIMENT, 100, 200, None, task="t", cell="a")
    grown["test_wrong"] = [2, 4, 90]
    grown.loc[:1, ["longer_2", "longer_5", "longer_10"]] = [[0.9, 0.5, 0.1], [0.7, 0.5, 0.3]]
    never = rows(EXPERIMENT, None, None, task="t", cell="b")
    fixed = rows(EXPERIMENT, 100, 200, task="u", cell="a")  # a task that cannot grow
    found = reach(pd.concat([grown, never, fixed]))
    assert set(found["cell"]) == {"a"}
    assert set(found["networks"]) == {2}
    assert found["task"].unique().tolist() == [f"t-{grown['delay'][0]}"]
    means = found.set_index("times")["right"].round(9).to_dict()
    assert means == {1: 0.97, 2: 0.8, 5: 0.5, 10: 0.2}
    assert reach(fixed).empty
