"""Where networks go wrong in the embedded Reber grammar, against a walk over it in plain Python."""

from collections import Counter

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from flax import nnx

from benchmarks.inside import grammar
from benchmarks.learning.lanes import named
from benchmarks.running import networks, store
from benchmarks.suites import paper
from tasks.reber import Reber
from tests.support import oracles
from tests.support.made_up import rows

SYMBOLS = "BTPSXVE"
COUNT = 60
STRINGS = jax.vmap(Reber().sample)(jax.random.split(jax.random.key(3), COUNT))


class LastSymbol:
    """A net that knows the last symbol only, and what it answers to each."""

    def __init__(self, **answers):
        self.table = np.zeros((7, 7))
        for symbol, expected in answers.items():
            for rank, each in enumerate(expected):
                self.table[SYMBOLS.index(symbol), SYMBOLS.index(each)] = 2 - 0.1 * rank

    def __call__(self, inputs, length):
        del length
        return inputs @ jnp.asarray(self.table, jnp.float32)


ANSWERS = {"B": "TP", "T": "TV", "P": "TV", "S": "SX", "X": "SX", "V": "PV", "E": "TP"}


def prefixes():
    """(string, step, what came up to there) of all steps with a target."""
    for n in range(COUNT):
        symbols = [SYMBOLS[i] for i in np.argmax(STRINGS.inputs[n], -1)]
        for step in range(int(STRINGS.length[n])):
            yield n, step, "".join(symbols[: step + 1])


def expected_place(prefix):
    """From the graph of the figure."""
    legal = oracles.legal_after(prefix)
    if prefix[-1] == "E":
        return grammar.RECALL
    return f"{prefix[-1]}, then {' or '.join(sorted(legal, key=SYMBOLS.index))}"


def test_places_are_those_of_the_graph():
    found = grammar.places(STRINGS)
    expected = np.full(found.shape, "", dtype=object)
    for n, step, prefix in prefixes():
        expected[n, step] = expected_place(prefix)
    np.testing.assert_array_equal(found, expected)
    assert len(set(found.ravel()) - {""}) == 16


def test_a_net_that_knows_the_last_symbol_goes_wrong_where_more_is_needed():
    found, visits, mistakes = grammar.wrong(LastSymbol(**ANSWERS), STRINGS), Counter(), Counter()
    for n, step, prefix in prefixes():
        legal = oracles.legal_after(prefix)
        wrong = set(ANSWERS[prefix[-1]][: len(legal)]) != legal
        assert found[n, step] == wrong
        visits[expected_place(prefix)] += 1
        mistakes[expected_place(prefix)] += wrong
    assert found.sum() == sum(mistakes.values())
    shares = grammar.shares(grammar.places(STRINGS), found)
    assert shares.to_dict() == pytest.approx({k: mistakes[k] / visits[k] for k in visits})
    assert 0.3 < shares[grammar.RECALL] < 0.7  # it always says T


def test_a_place_has_the_nets_that_fail_there_and_those_that_fail_only_there():
    # A net that knows all would need the prefix; this one fails nowhere, that one at one place.
    right = grammar.places(STRINGS)

    class Scripted:
        def __init__(self, *failed):
            legal = np.zeros((COUNT, *STRINGS.inputs.shape[1:]), np.float32)
            for n, step, prefix in prefixes():
                for symbol in oracles.legal_after(prefix):
                    legal[n, step, SYMBOLS.index(symbol)] = right[n, step] not in failed
            self.outputs = {STRINGS.inputs[n].tobytes(): legal[n] for n in range(COUNT)}

        def __call__(self, inputs, length):
            def look(x):
                return self.outputs[x.tobytes()]

            shape = jax.ShapeDtypeStruct(inputs.shape, jnp.float32)
            return jax.pure_callback(look, shape, inputs, vmap_method="sequential")

    one, other = "P, then S or X", grammar.RECALL
    found = grammar.table([Scripted(one), Scripted(one, other), Scripted(), Scripted(one)], STRINGS)
    assert found.loc[one, ["fail", "only there"]].tolist() == [3, 2]
    assert found.loc[other, ["fail", "only there"]].tolist() == [1, 0]
    assert found["fail"].sum() == 4
    assert list(found.index[:2]) == [one, other]
    assert found.loc[other, "strings"] == 1
    passing = {n for n, _, prefix in prefixes() if expected_place(prefix) == one}
    assert found.loc[one, "strings"] == pytest.approx(len(passing) / COUNT)


LITERAL = next(each.experiment for each in paper.COMPARED if each.row == "1.9")


@pytest.fixture
def folder(tmp_path):
    """Three trials, of which two are not solved."""
    made = rows(LITERAL, None, 500, None, seed=0)
    place = tmp_path / "paper"
    store.add(place / "trials" / f"{LITERAL.name}.csv", made)
    for _, row in made.iterrows():
        built = LITERAL.recipe.model.build(7, 7, nnx.Rngs(int(row["trial"])))
        params = jax.tree.map(lambda leaf: leaf[None], nnx.state(built, nnx.Param))
        networks.write(place, row, named(params, 0))
    return place


def test_unsolved_trials_are_read_and_counted(folder, capsys):
    found, trials = grammar.unsolved(LITERAL, folder)
    assert (len(found), trials) == (2, 3)
    grammar.main(["paper", LITERAL.name, "--out", str(folder.parent)])
    printed = capsys.readouterr().out
    assert f"{LITERAL.name}: 2 of 3 trials unsolved, 1000 strings" in printed
    assert printed.count("\n|") == 2 + 16


@pytest.mark.parametrize(
    ("pattern", "why"),
    [
        ("reber-3x2-01-9.lstm97", "no trial of reber-3x2-01-9.lstm97 has been run"),
        ("nothing", "no experiment of paper is called 'nothing'"),
    ],
)
def test_what_is_missing_is_told_in_a_line(folder, capsys, pattern, why):
    with pytest.raises(SystemExit) as caught:
        grammar.main(["paper", pattern, "--out", str(folder.parent)])
    assert caught.value.code == 2
    assert why in capsys.readouterr().err


def test_a_network_that_was_not_kept_is_told(folder, capsys):
    next((folder / "weights").rglob("*-2.npz")).unlink()
    with pytest.raises(SystemExit):
        grammar.main(["paper", LITERAL.name, "--out", str(folder.parent)])
    assert "trial 2 kept no network: --keep-weights" in capsys.readouterr().err
