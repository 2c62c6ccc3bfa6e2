"""How errors flow through kept networks, against networks that were trained in the test."""

import io
import shutil
from dataclasses import replace

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from flax import nnx
from rich.console import Console

from benchmarks.cli.main import main
from benchmarks.errors import UsageError
from benchmarks.learning.experiment import Settings
from benchmarks.learning.lanes import Lanes, Run
from benchmarks.learning.program import TEST, numbered, setups
from benchmarks.running import networks, store, trained_flow
from benchmarks.running.rows import path_of
from tests.support.tiny import EXPERIMENT, RECIPE

TRIED = replace(EXPERIMENT, settings=Settings(clip=1.0, scale=0.7), trials=3)
SILENT = Console(file=io.StringIO())


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """Rows and networks of three trials, as a run keeps them."""
    home = tmp_path_factory.mktemp("kept")
    lanes = Lanes(5, [Run(TRIED, i) for i in range(3)], keep_weights=True)
    while lanes.busy:
        for result in lanes.block():
            for row, weights in zip(result.rows, result.weights, strict=True):
                networks.write(home, row, weights)
                store.add(path_of(TRIED, home), [row])
    return home


def norms(network, trial):
    """|d error / d state| from the last state back to the first, by jax alone."""
    task, key = RECIPE.task, setups(5, [trial], [0.1]).key[0]
    sequence = task.sample(numbered(key, TEST, jnp.int32(0), 1)[0])
    end = int(sequence.length)

    def error(offsets):
        h = jnp.zeros(4)
        for x, offset in zip(sequence.inputs[:end], offsets, strict=True):
            h, y = network.cell(h + offset, x)
        return RECIPE.learner.objective(task).loss(network.readout(y), sequence.targets[end - 1])

    return np.linalg.norm(jax.grad(error)(jnp.zeros((end, 4))), axis=1)[::-1]


def test_rows_are_quartiles_over_networks_before_and_after_training(folder):
    trained_flow.run([TRIED], 5, folder, SILENT)
    found = trained_flow.read(folder)
    rows = store.read(path_of(TRIED, folder)).sort_values("trial")
    task, model = RECIPE.task, RECIPE.model
    first, last = [], []
    for row in rows.to_dict("records"):
        key = jax.random.fold_in(setups(5, [row["trial"]], [0.1]).key[0], 0)
        start = model.build(task.n_in, task.n_out, nnx.Rngs(key), scale=0.7)
        first.append(norms(start, row["trial"]))
        last.append(norms(networks.read(folder, row, start), row["trial"]))
    for time, each in (("before", first), ("after", last)):
        own = found[found["time"] == time].set_index("distance")
        assert list(own.index) == list(range(1, 11))
        assert set(own["networks"]) == {3}
        for d in own.index:
            left = [one[d - 1] / one[0] for one in each]
            expected = np.quantile(left, [0.25, 0.5, 0.75])
            np.testing.assert_allclose(
                own.loc[d, ["low", "median", "high"]].astype(float), expected, rtol=1e-3
            )


def test_what_is_measured_is_not_measured_again(folder):
    trained_flow.run([TRIED], 5, folder, SILENT)
    before = path_of(TRIED, folder, "flow").read_bytes()
    trained_flow.run([TRIED, replace(TRIED, cell="gru")], 5, folder, SILENT)
    assert path_of(TRIED, folder, "flow").read_bytes() == before


def test_more_networks_are_measured_anew(folder, tmp_path):
    copy = tmp_path / "copy"
    shutil.copytree(folder, copy)
    shutil.rmtree(copy / "flow", ignore_errors=True)
    kept = trained_flow.kept(TRIED, 5, copy)
    last = networks.path_of(kept.iloc[-1].to_dict(), copy)
    (tmp_path / "aside").write_bytes(last.read_bytes())
    last.unlink()
    trained_flow.run([TRIED], 5, copy, SILENT)
    fewer = trained_flow.read(copy)
    last.write_bytes((tmp_path / "aside").read_bytes())
    trained_flow.run([TRIED], 5, copy, SILENT)
    found = trained_flow.read(copy)
    assert set(found["networks"]) == {len(kept)} != set(fewer["networks"])
    assert len(found) == len(fewer)


def test_without_networks_there_is_nothing_to_measure(folder, tmp_path, capsys):
    with pytest.raises(UsageError, match="no networks of these experiments"):
        trained_flow.run([replace(TRIED, rate=0.5)], 5, folder, SILENT)
    assert main(["flow", "quick", "adding-40.rnn", "--out", str(tmp_path)]) == 2
    assert "keep some with: python -m benchmarks run" in capsys.readouterr().err
    assert main(["flow", "gradient-flow", "--out", str(tmp_path)]) == 2
    assert "suite gradient-flow trains nothing" in capsys.readouterr().err
    assert list(tmp_path.iterdir()) == []


def test_distances_reach_from_the_error_to_the_whole_delay():
    for delay in (2, 10, 100, 500):
        found = trained_flow.distances(delay)
        assert found[0] == 1
        assert found[-1] == delay
        assert len(found) <= trained_flow.DISTANCES
        assert found == sorted(set(found))
