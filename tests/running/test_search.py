import pandas as pd
import pytest

from benchmarks.errors import UsageError
from benchmarks.running import search
from tests.support.tiny import EXPERIMENT


def rows(**errors_and_sequences):
    """Two trials for each rate: a list of numbers of sequences, None unsolved."""
    return pd.DataFrame(
        [
            {
                "task": "adding",
                "cell": f"lstm@{rate}",
                "rate": float(rate),
                "outcome": "spent" if n is None else "solved",
                "sequences": n,
                "budget": 100,
                "test_error": 0.1 + 0.01 * float(rate),
            }
            for rate, sequences in errors_and_sequences.items()
            for n in sequences
        ]
    )


@pytest.mark.parametrize(
    ("trials", "rate"),
    [
        ({"1": [50, None], "2": [90, 90], "3": [10, None]}, 2),  # most solved
        ({"1": [50, 60], "2": [40, 40], "3": [90, 90]}, 2),  # then fewest sequences
        ({"3": [None, None], "2": [None, None], "1": [None, None]}, 1),  # then smallest error
    ],
)
def test_choice(trials, rate):
    chosen = search.choose(rows(**trials))
    assert chosen[["task", "cell", "rate"]].values.tolist() == [["adding", "lstm", rate]]


def test_every_rate_gets_the_same():
    trials = search.candidates([EXPERIMENT])
    assert [each.rate for each in trials] == list(search.GRID)
    assert {each.recipe for each in trials} == {EXPERIMENT.recipe}
    assert {each.trials for each in trials} == {search.TRIALS}
    assert len({each.name for each in trials}) == len(search.GRID)


def test_chosen_rates_come_back(tmp_path):
    search.save(search.choose(rows(**{"0.003": [50, 60]})), tmp_path)
    assert search.chosen_rates(tmp_path) == {("adding", "lstm"): 0.003}
    assert search.chosen_rates(tmp_path / "none") == {}


def test_other_choices_stay_in_the_file(tmp_path):
    both = search.choose(rows(**{"0.003": [50]})), search.choose(rows(**{"0.01": [50]}))
    search.save(both[0], tmp_path)
    search.save(both[0].assign(cell="gru"), tmp_path)
    search.save(both[1].assign(cell="gru"), tmp_path)
    assert search.chosen_rates(tmp_path) == {("adding", "lstm"): 0.003, ("adding", "gru"): 0.01}


def test_a_foreign_file_of_rates_is_refused(tmp_path):
    (tmp_path / "rates.csv").write_text("a\n1\n")
    with pytest.raises(UsageError, match="not a table of rates"):
        search.chosen_rates(tmp_path)
