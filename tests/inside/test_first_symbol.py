"""What hidden units hold of the first symbol of 2a, against loops in NumPy."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from flax import nnx

from benchmarks import suites
from benchmarks.inside import first_symbol
from benchmarks.learning.program import TRAIN, numbered, setups
from models.rivals.chunker import ChunkerNet
from models.rivals.shortcut import ShortcutNet
from tasks.lag import HS97_2A_P4
from tests.support import rivals

BOTH = [[3, 0, 1, 2], [4, 0, 1, 2]]


def test_there_are_two_sequences():
    np.testing.assert_array_equal(first_symbol.both(HS97_2A_P4), BOTH)


@pytest.mark.parametrize("net", [ShortcutNet(2, 3.0), ChunkerNet(2, 3.0)])
def test_a_line_has_means_over_networks_of_the_largest_difference_among_units(net):
    networks = [net.build(5, 5, nnx.Rngs(seed)) for seed in range(3)]
    apart, last = [], []
    for each in networks:
        of_net = each.automatizer if isinstance(net, ChunkerNet) else each
        W_x, W_h = np.asarray(of_net.W_x[...]), np.asarray(of_net.W_h[...])
        states = []
        for sequence in BOTH:
            u = np.zeros(2)
            states.append([])
            for symbol in sequence:
                u = rivals.f(W_x[symbol] + u @ W_h)
                states[-1].append(u)
        apart.append(np.abs(np.subtract(*states)).max(1))
        last.append([states[0][-1], states[1][-1]])
    line = first_symbol.line(networks, HS97_2A_P4)
    means = np.mean(apart, 0)
    for step in (1, 2, 3):
        assert line[f"after {step}"] == pytest.approx(means[step - 1], abs=1e-5)
    assert line["at the end"] == pytest.approx(means[3], abs=1e-5)
    assert line["unit at the end"] == pytest.approx(np.mean(last), abs=1e-5)
    held = sum(each[3] > first_symbol.HELD for each in apart)
    assert line["told apart"] == f"{held}/3"


def test_networks_are_those_of_a_run_on_its_sequences():
    """Full backpropagation in float64 on the sequences of a trial's training stream."""
    (experiment,) = (e for e in suites.load("rivals").experiments if e.name == "lag-2a-10-4.rtrl")
    network = first_symbol.trained(experiment, first_symbol.BLOCK, 2, seed=5)[1]
    key = setups(5, [1], [experiment.rate]).key[0]
    drawn = jax.vmap(HS97_2A_P4.sample)(numbered(key, TRAIN, jnp.int32(0), first_symbol.BLOCK))
    (begun,) = first_symbol.trained(experiment, 0, 2, seed=5)[1:]
    names = ("W_x", "W_h", "direct", "kernel")
    weights = [np.asarray(getattr(begun, name)[...], np.float64) for name in names]
    for inputs, targets in zip(np.asarray(drawn.inputs), np.asarray(drawn.targets), strict=True):
        moves = rivals.shortcut_bptt(*weights, inputs, targets)[1]
        weights = [w + experiment.rate * m for w, m in zip(weights, moves, strict=True)]
    for name, expected in zip(names, weights, strict=True):
        np.testing.assert_allclose(getattr(network, name)[...], expected, rtol=0.02, atol=0.02)


@pytest.mark.parametrize(
    ("arguments", "why"),
    [
        (["lag-2b-100.chunker"], "lag-2b-100.chunker is not of task 2a"),
        (["nothing"], "no experiment of rivals is called 'nothing'"),
        (["lag-2a-1-4.rtrl", "--sequences", "50"], "must be a multiple of 1000, not 50"),
    ],
)
def test_what_cannot_be_shown_is_told_in_a_line(capsys, arguments, why):
    with pytest.raises(SystemExit) as caught:
        first_symbol.main(arguments)
    assert caught.value.code == 2
    assert why in capsys.readouterr().err


def test_the_table_has_a_line_for_each_experiment(capsys):
    first_symbol.main(["lag-2a-1-4.rtrl", "lag-2a-10-4.rtrl", "--sequences", "1000"])
    printed = capsys.readouterr().out
    assert "6 trials, 1000 sequences" in printed
    assert printed.count("\n|") == 2 + 2
