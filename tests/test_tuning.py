import pandas as pd
import pytest

from benchmarks import tuning
from benchmarks.errors import UsageError
from tests.tiny import EXPERIMENT


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
    chosen = tuning.choose(rows(**trials))
    assert chosen[["task", "cell", "rate"]].values.tolist() == [["adding", "lstm", rate]]


def test_every_rate_gets_the_same():
    trials = tuning.candidates([EXPERIMENT])
    assert [each.rate for each in trials] == list(tuning.GRID)
    assert {each.recipe for each in trials} == {EXPERIMENT.recipe}
    assert {each.trials for each in trials} == {tuning.TRIALS}
    assert len({each.name for each in trials}) == len(tuning.GRID)


def test_chosen_rates_come_back(tmp_path):
    tuning.save(tuning.choose(rows(**{"0.003": [50, 60]})), tmp_path)
    assert tuning.chosen_rates(tmp_path) == {("adding", "lstm"): 0.003}
    assert tuning.chosen_rates(tmp_path / "none") == {}


def test_other_choices_stay_in_the_file(tmp_path):
    both = tuning.choose(rows(**{"0.003": [50]})), tuning.choose(rows(**{"0.01": [50]}))
    tuning.save(both[0], tmp_path)
    tuning.save(both[0].assign(cell="gru"), tmp_path)
    tuning.save(both[1].assign(cell="gru"), tmp_path)
    assert tuning.chosen_rates(tmp_path) == {("adding", "lstm"): 0.003, ("adding", "gru"): 0.01}


def test_a_foreign_file_of_rates_is_refused(tmp_path):
    (tmp_path / "rates.csv").write_text("a\n1\n")
    with pytest.raises(UsageError, match="not a table of rates"):
        tuning.chosen_rates(tmp_path)
