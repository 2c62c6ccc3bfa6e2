"""Cells as somebody who knows flax would write them: each is taken, trained, and recognised."""

import hashlib
from pathlib import Path

import cloudpickle
import jax
import numpy as np
import pytest

from benchmarks.learning.experiment import describe
from benchmarks.learning.lanes import Lanes, Run
from benchmarks.running.cell_file import cell_from
from models.network import Recurrent
from tests.support.tiny import experiment

HERE = Path(__file__).parent
H, IN = 4, 1  # hidden units; inputs of the tiny task
COMPLEX = 2 * (IN * H + H * H)  # of B and C
WEIGHTS = {
    "peephole_lstm.py:PeepholeLSTM": 4 * H * (IN + H + 1) + 3 * H,
    "peephole_lstm.py:PeepholeLSTM(bias=5)": 4 * H * (IN + H + 1) + 3 * H,
    "min_gru.py:MinGRU": 2 * H * (IN + 1),
    "complex_lru.py:ComplexLRU": 2 * H + COMPLEX + H * (IN + 1),
    "irnn.py:IRNN": H * (H + IN + 1),
    "stacked_gru.py:StackedGRU": 3 * H * (IN + H + 1) + 3 * H * (H + H + 1),
    "stacked_gru.py:StackedGRU(layers=1)": 3 * H * (IN + H + 1),
    "layer_norm_lstm.py:LayerNormLSTM": 4 * H * (IN + H) + 2 * 8 * H + 2 * H,
    "flax.nnx:GRUCell": 3 * H * (IN + H + 1),
    "flax.nnx:OptimizedLSTMCell": 4 * H * (IN + H + 1),
}
"""Specs, and how many weights the cells have by their equations."""

each = pytest.mark.parametrize("spec", WEIGHTS)


def made(spec):
    return cell_from(str(HERE / spec) if ".py" in spec else spec)


@each
def test_it_trains(spec):
    tried = experiment(model=Recurrent(made(spec), hidden=H))
    lanes = Lanes(0, [Run(tried, 0), Run(tried, 1)])
    readout = H + 1
    assert lanes.run.weights == WEIGHTS[spec] + readout
    before = jax.device_get(lanes.trials)
    lanes.advance()
    after = jax.device_get(lanes.trials)
    assert after.seen[:2].tolist() == [40, 40]
    for old, new in zip(*(jax.tree.leaves(t.params) for t in (before, after)), strict=True):
        assert np.isfinite(new).all()
        assert (old[:2] != new[:2]).any()


@each
def test_its_identity_is_stable(spec):
    cell = made(spec)
    assert describe(cell) == describe(made(spec))
    assert cloudpickle.loads(cloudpickle.dumps(cell)) == cell
    if ".py" in spec:
        text = (HERE / spec.partition(":")[0]).read_bytes()
        assert cell.source == hashlib.sha256(text).hexdigest()[:12]


def test_no_two_share_an_identity():
    assert len({describe(made(spec)) for spec in WEIGHTS}) == len(WEIGHTS)
