import numpy as np
import pandas as pd
import pytest
from flax import nnx

from benchmarks.cli import sample
from benchmarks.cli.main import main
from benchmarks.learning.sampling import Written
from benchmarks.running import one_trial

HELLO = ["sample", "hello-5.rnn", "--budget", "50000", "--seed", "1"]


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--temperature", "0"], "must be a positive number, not 0"),
        (["--temperature", "-1"], "must be a positive number, not -1"),
        (["--temperature", "inf"], "must be a positive number, not inf"),
        (["--temperature", "warm"], "must be a positive number, not warm"),
        (["--count", "0"], "must be a whole number from 1 on, not 0"),
        (["--count", "10001"], "must be at most 10000, not 10001"),
        (["--length", "1"], "must lie between 2 and 10000, not 1"),
        (["--length", "many"], "must be a whole number from 1 on, not many"),
        (["--shown", "-1"], "must be a whole number from 1 on"),
        (["--trial", "-1"], "must be a whole number below 10000, not -1"),
        (["--trial", "10000"], "must be a whole number below 10000"),
        (["--seed", "x"], "--seed: must be a whole number"),
        (["--budget", "7"], "must be a multiple of 50000 sequences, not 7"),
    ],
)
def test_bad_options_are_one_line(arguments, message, capsys, tmp_path):
    assert main([*HELLO, *arguments, "--out", str(tmp_path)]) == 2
    error = capsys.readouterr().err
    assert message in error
    assert error.count("\n") == 1
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["hello-5.nothing"], "no experiment 'hello-5.nothing' in any suite"),
        (["streams", "hello-5.*"], "only one can be"),
        (["streams", "order-6b-100.standard"], "does not ask for next symbols"),
        (["quick", "adding-40.lstm"], "does not ask for next symbols"),
    ],
)
def test_what_cannot_be_sampled_is_one_line(arguments, message, capsys):
    assert main(["sample", *arguments]) == 2
    error = capsys.readouterr().err
    assert message in error
    assert error.count("\n") == 1


def printed(capsys, *arguments):
    """The lines that a command prints, by what they begin with."""
    assert main(list(arguments)) == 0
    return capsys.readouterr().out.splitlines()


def line(lines, start):
    (found,) = [each for each in lines if each.startswith(start)]
    return found


def test_a_net_writes_beside_the_grammar(capsys, tmp_path, monkeypatch):
    row = pd.Series({"outcome": "solved", "seen": 50_000})

    def untrained(experiment, trial, seed, console):
        assert (experiment.name, trial, seed) == ("hello-5.rnn", 3, 1)
        return experiment.recipe.model.build(4, 4, nnx.Rngs(0)), row

    monkeypatch.setattr(one_trial, "train", untrained)
    given = ["--trial", "3", "--count", "50", "--length", "12", "--shown", "2"]
    lines = printed(capsys, *HELLO, *given, "--temperature", "2", "--out", str(tmp_path))
    assert line(lines, "hello-5.rnn, trial 3 of seed 1: solved after 50k symbols; temperature 2")
    grammar = "50/50 legal (92.9% to 100.0%), 1 of them different, 12.0 symbols on average"
    assert line(lines, "grammar: ") == f"grammar: {grammar}"
    assert lines.count("  hellohellohe") == 2
    at = lines.index(line(lines, "net: "))
    assert "/50 legal (" in lines[at]
    assert all(text.startswith("  h") for text in lines[at + 1 : at + 3])


@pytest.mark.slow
def test_a_kept_network_is_used_and_is_the_one_that_is_trained_here(capsys, tmp_path, monkeypatch):
    given = [*HELLO, "--count", "50", "--out", str(tmp_path)]
    trained = line(printed(capsys, *given), "net: ")
    command = ["run", "streams", "hello-5.rnn", "--budget", "50000", "--seed", "1"]
    assert main([*command, "--trials", "1", "--keep-weights", "--out", str(tmp_path)]) == 0
    capsys.readouterr()
    monkeypatch.setattr(one_trial, "train", None)
    assert line(printed(capsys, *given), "net: ") == trained


def test_texts_are_described():
    written = Written(["BTE", "BTE", "BP"], np.array([True, True, False]))
    described = sample.described(written)
    assert described == "2/3 legal (20.8% to 93.9%), 1 of them different, 3.0 symbols on average"
    none = sample.described(written._replace(legal=np.zeros(3, bool)))
    assert none == "0/3 legal (0.0% to 56.1%)"
