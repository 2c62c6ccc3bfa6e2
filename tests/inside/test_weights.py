import jax
import numpy as np
import pytest
from flax import nnx

from benchmarks.inside import weights
from benchmarks.suites.cells import CORE
from models.lstm97.net import Net97
from models.network import Recurrent
from tests.cells.complex_lru import ComplexLRU
from tests.cells.leaky import Leaky

N_IN, H = 3, 4
RECURRENT = {
    "rnn": {"W_hh"},
    "lstm": {"W_h"},
    "gru": {"W_h", "W_hh"},
    "mut1": {"W_hr", "W_hh"},
    "mut2": {"W_h", "W_hh"},
    "mut3": {"W_hz", "W_hr", "W_hh"},
}


def measured(model):
    network = model.build(N_IN, 2, nnx.Rngs(0))
    rows = weights.recurrent_rows(network, N_IN)
    return rows, weights.measured(nnx.state(network, nnx.Param), rows), network


@pytest.mark.parametrize("cell", RECURRENT)
def test_recurrent_weights_are_found_and_orthogonal_ones_have_radius_1(cell):
    rows, found, network = measured(Recurrent(CORE[cell], H))
    assert set(rows) == RECURRENT[cell]
    assert all(which.all() and len(which) == H for which in rows.values())
    blocks = sum(getattr(network.cell, name).shape[1] // H for name in rows)
    assert len(found.radii) == blocks
    np.testing.assert_allclose(list(found.radii.values()), 1, rtol=1e-5)


def test_recurrent_weights_of_other_cells():
    rows, found, _ = measured(Recurrent(Leaky, H))
    assert rows["inner.kernel"].tolist() == [False] * N_IN + [True] * H
    assert set(found.radii) == {"inner.kernel"}
    rows, _, _ = measured(Recurrent(nnx.LSTMCell, H))
    assert set(rows) == {f"h{gate}.kernel" for gate in "ifgo"}
    rows, found, _ = measured(Recurrent(ComplexLRU, H))
    assert set(rows) == {"C"}
    assert found.norms["B"] > 0
    rows, _, _ = measured(Net97(2, 1))
    assert set(rows) == {"W_h"}


def test_norms_are_of_all_weights():
    _, found, network = measured(Recurrent(CORE["gru"], H))
    assert set(found.norms) == {"W_x", "W_h", "W_hh", "b", "readout.kernel", "readout.bias"}
    kernel = np.asarray(network.readout.kernel[...])
    assert found.norms["readout.kernel"] == pytest.approx(np.sqrt((kernel**2).sum()))
    total = sum(norm**2 for norm in found.norms.values())
    leaves = jax.tree.leaves(nnx.state(network))
    assert total == pytest.approx(sum((np.asarray(leaf) ** 2).sum() for leaf in leaves), rel=1e-5)


def test_spectral_radius():
    turn = np.array([[np.cos(1), -np.sin(1)], [np.sin(1), np.cos(1)]])
    assert weights.spectral_radius(1.3 * turn) == pytest.approx(1.3)  # a complex pair
    assert weights.spectral_radius(np.triu(np.full((3, 3), 9.0), 1)) == pytest.approx(0)
    assert weights.spectral_radius(np.diag([0.5, -2.0, 1.0])) == pytest.approx(2)
    matrix = np.random.default_rng(0).normal(size=(5, 5)) / 3
    powers = np.linalg.matrix_power(matrix, 128)  # Gelfand: |A^k|^(1/k)
    limit = np.linalg.norm(powers) ** (1 / 128)
    assert weights.spectral_radius(matrix) == pytest.approx(limit, rel=0.02)
