"""The command `speed`: the same work on all sides, timed in turn, reported whatever is missing."""

import io
import time
from dataclasses import dataclass, replace
from functools import partial

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from flax import nnx
from rich.console import Console

from benchmarks import speed
from benchmarks.cli.main import main
from benchmarks.learning.learners import Adam
from benchmarks.learning.program import TRAIN, setups
from benchmarks.learning.select import program
from benchmarks.speed import (
    by_weight,
    document,
    machine,
    plan,
    reference,
    rows,
    table,
    targets,
    timing,
)
from benchmarks.speed.flax_case import ADAM, Flax, FlaxNet, loss
from benchmarks.speed.machine import Product
from benchmarks.speed.ours import RATE, FirstBlock, Ours
from benchmarks.speed.timing import Alternative, Group, MissingError, Unit, Workers
from benchmarks.speed.torch_case import Torch, TorchTrial
from benchmarks.speed.work import Work
from benchmarks.suites import compare, sizes
from benchmarks.suites.common import RESULTS
from benchmarks.suites.remedies import LINES
from models.lstm import LSTM
from models.network import Recurrent
from models.rnn import RNN
from tests.support import tiny

CORES = (0, 1)
WORK = Work("lstm", hidden=3, delay=20, batch=4)
UNIT = Unit("s/call", 1.0)


# The same work on all sides


def ours(cell, updates):
    """Our program's own parameters before and after training on a first batch again and again."""
    recipe = WORK.recipe
    run = program(replace(recipe, model=Recurrent(cell, WORK.hidden)))
    setup = setups(0, [0], [RATE])
    trial = run.start(setup)
    batch = run.source.fresh(setup.key, TRAIN, jnp.zeros(1, jnp.int32), WORK.batch)
    before = trial.params
    again = jax.tree.map(lambda leaf: jnp.tile(leaf, (1, updates, *[1] * (leaf.ndim - 2))), batch)
    after = run.train(setup, jax.tree.map(jnp.copy, trial), again).params
    plain = partial(jax.tree.map, lambda leaf: np.asarray(leaf[0]))
    return tuple(nnx.to_pure_dict(plain(params)) for params in (before, after))


SLOW = pytest.mark.slow


@pytest.mark.parametrize(
    "cell",
    [nnx.OptimizedLSTMCell, *(pytest.param(c, marks=SLOW) for c in (nnx.LSTMCell, nnx.GRUCell))],
)
def test_flax_trains_as_our_program_does(cell):
    before, after = ours(cell, updates=3)
    case = Flax(WORK, cell, trials=1, updates=3)
    start, step = case.program()
    params = start(jax.random.key(0))
    nnx.replace_by_pure_dict(params, {"layer": {"cell": before["cell"]}, **_readout(before)})
    sequences = jax.tree.map(lambda leaf: jnp.asarray(leaf[0]), WORK.sequences(1))
    state = ADAM.init(params)
    for _ in range(case.updates):
        params, state = jax.jit(step)(params, state, sequences)
    trained = nnx.to_pure_dict(params)
    expected = {"layer": {"cell": after["cell"]}, **_readout(after)}
    jax.tree.map(partial(np.testing.assert_allclose, rtol=1e-4, atol=1e-6), trained, expected)


def _readout(params):
    return {"readout": params["readout"]}


def test_flax_loss_is_the_mean_squared_error_at_the_last_step():
    net = FlaxNet(nnx.LSTMCell, 2, 3, nnx.Rngs(0))
    batch = jax.tree.map(lambda leaf: jnp.asarray(leaf[0]), WORK.sequences(1))
    errors = []
    for inputs, target, last in zip(*batch, strict=True):
        unpadded = inputs[None, : int(last) + 1]
        errors.append(float((net(unpadded, last[None]) - target)[0, 0]) ** 2)
    np.testing.assert_allclose(loss(net, batch), np.mean(errors), rtol=1e-5)


def torch_weights(cell, params):
    """Our weights as PyTorch has them; its second bias is zero."""
    own = params["cell"]
    to_inputs, to_hidden = (own["W_x"], own["W_h"]) if cell is LSTM else (own["W_xh"], own["W_hh"])
    return {
        "weight_ih_l0": to_inputs.T,
        "weight_hh_l0": to_hidden.T,
        "bias_ih_l0": own["b"],
        "bias_hh_l0": 0 * own["b"],
    }


@pytest.mark.parametrize(("label", "cell"), [("lstm", LSTM), ("rnn", RNN)])
def test_torch_takes_the_step_of_our_program(label, cell):
    torch = pytest.importorskip("torch")
    before, after = ours(cell, updates=1)
    trial = TorchTrial(Work(label, WORK.hidden, WORK.delay, WORK.batch))
    with torch.no_grad():
        for name, weights in torch_weights(cell, before).items():
            getattr(trial.layer, name).copy_(torch.tensor(weights))
        trial.readout.weight.copy_(torch.tensor(before["readout"]["kernel"].T))
        trial.readout.bias.copy_(torch.tensor(before["readout"]["bias"]))
    sequences = jax.tree.map(lambda leaf: leaf[0], WORK.sequences(1))
    net = Recurrent(cell, WORK.hidden).build(2, 1, nnx.Rngs(0))
    nnx.update(net, nnx.State(before))
    outputs = [
        net(jnp.asarray(x), n + 1)[n] for x, n in zip(sequences[0], sequences[2], strict=True)
    ]
    expected = np.mean((np.stack(outputs) - sequences.targets) ** 2)
    np.testing.assert_allclose(trial.loss().item(), expected, rtol=1e-4)
    trial.step()
    for name, weights in torch_weights(cell, after).items():
        if name != "bias_hh_l0":
            stepped = getattr(trial.layer, name).detach().numpy()
            np.testing.assert_allclose(stepped, weights, rtol=1e-3, atol=1e-5)


# Timing


@dataclass(frozen=True)
class Sleep:
    """A call of known length; where it is missing, it says so."""

    seconds: float
    absent: str = ""

    amount = 2.0

    def prepare(self):
        if self.absent:
            raise MissingError(self.absent)
        return lambda: time.sleep(self.seconds)


def test_alternatives_take_turns_and_missing_ones_are_rows():
    places = plan.Places(CORES[:1])
    cases = {"long": Sleep(0.02), "absent": Sleep(0, "not there"), "short": Sleep(0.01)}
    group = Group(
        plan.PEAK,
        "naps",
        UNIT,
        {"delay": 7},
        [Alternative(n, places.one, c) for n, c in cases.items()],
    )
    with Workers() as workers:
        found = list(timing.measured(workers, group, 2, seconds=0.04))
    assert found[0] == {
        "section": plan.PEAK,
        "group": "naps",
        "unit": "s/call",
        "delay": 7,
        "alternative": "absent",
        "trials": None,
        "processes": 1,
        "note": "not there",
    }
    order = [(row["repetition"], row["alternative"]) for row in found[1:]]
    assert order == [(0, "long"), (0, "short"), (1, "long"), (1, "short")]
    for row in found[1:]:
        assert row["amount"] == 2 * row["calls"]
        assert row["figure"] == row["seconds"] / row["amount"]
        assert row["seconds"] >= row["calls"] * cases[row["alternative"]].seconds


def test_a_machine_without_compiler_or_torch(monkeypatch):
    monkeypatch.setattr(reference, "compiler", lambda: None)
    with pytest.raises(MissingError, match="no C\\+\\+ compiler"):
        reference.Reference(20, 1, 10).prepare()
    monkeypatch.setattr("importlib.util.find_spec", lambda name: None)
    with pytest.raises(MissingError, match="PyTorch is not installed"):
        Torch(WORK, threads=1, updates=1).prepare()


def test_the_first_block_compiles_its_training_and_later_ones_do_not(caplog):
    """So that what it takes longer is compiling."""
    call = FirstBlock(tiny.EXPERIMENT).prepare()
    counts = []
    with jax.log_compiles():
        for _ in range(3):
            call()
            texts = [record.getMessage() for record in caplog.records]
            counts.append(sum("Finished XLA compilation of jit(_train)" in each for each in texts))
    assert counts == [1, 1, 1]


def test_both_learners_count_the_sequences_that_they_train_on():
    case = Ours(WORK.recipe, lanes=2, updates=3, turns=2, drawn=True)
    assert case.amount == 2 * 3 * 2 * WORK.batch
    case.prepare()()


# Tables


def made_up(groups, repetitions=3):
    """Rows of all alternatives: the n-th of a group takes n times as long as the first."""
    found = []
    for group in groups:
        for number, each in enumerate(group.alternatives, 1):
            for repetition in range(repetitions):
                amount = each.case.amount * len(each.place.processes)
                seconds = number * amount * 1e-6 * (1 + repetition)
                warm = [timing.Warm(2.5, 0.5)]
                row = timing._row(group, each)
                found.append(row | timing._timing(group, each, warm, repetition, 1, seconds))
    origin = machine.origin() | {"cpu": "A processor with quite a long name @ 2.50GHz"}
    return rows.frame([row | origin for row in found])


@pytest.fixture(scope="module")
def all_rows():
    return made_up(plan.cpu(CORES) + plan.compiling(CORES))


def test_every_target_is_measured_by_the_plan(all_rows):
    assert (targets.table(all_rows)["measured"] != "not measured").all()


def test_ratios_are_formed_within_a_repetition(all_rows):
    # The C++ reference is third: ours takes a third of its time, in every repetition.
    found = rows.ratio(all_rows, plan.LEARNER97, "adding-100, 16 trials", "ours", "C++ reference")
    np.testing.assert_allclose(found, [1 / 3] * 3)
    assert rows.ratio(all_rows, plan.LEARNER97, "adding-100, 16 trials", "ours", "none") is None


@pytest.mark.parametrize("kind", ["OMEGA", "OF_LEARNERS", "OF_CELLS"])
def test_remedies_are_held_against_the_plain_step(all_rows, kind):
    own = all_rows[all_rows["section"] == plan.REMEDIES]
    names = list(own["alternative"].unique())
    assert names[0] == targets.PLAIN
    chosen = getattr(targets, kind)
    slowest = max(place for place, name in enumerate(names, 1) if name in chosen)
    assert targets.slowest_remedy(chosen)(all_rows).median == pytest.approx(slowest)


def test_every_remedy_is_of_one_kind():
    kinds = [targets.OMEGA, targets.OF_LEARNERS, targets.OF_CELLS]
    assert sorted(name for kind in kinds for name in kind) == sorted(plan.REMEDY_LINES)
    assert {name for name in LINES if name.startswith("rnn")} < set(plan.REMEDY_LINES)


def test_every_cell_of_compare_is_timed():
    assert set(plan.AT_EQUAL_WEIGHTS) == {each.cell for each in compare.EXPERIMENTS}


@pytest.mark.parametrize("group", [plan.every_cell, plan.remedies])
def test_what_no_suite_of_single_cells_has_can_be_timed(group):
    name = "lru-2" if group is plan.every_cell else "rnn-dropout"
    (alternative,) = group(plan.Places(CORES), [name], delay=20).alternatives
    replace(alternative.case, lanes=1, updates=2).prepare()()


def test_weights_are_those_of_the_cell_at_the_size_that_is_timed():
    assert by_weight.weights("lstm") == 4 * 16 * (2 + 16 + 1)
    assert by_weight.weights("gru") == 3 * 19 * (2 + 19 + 1)
    units = sizes.hidden("mingru-2", 2, 1)
    assert by_weight.weights("mingru-2") == 2 * units * (2 + 1) + 2 * units * (units + 1)


def test_time_is_told_for_each_weight_and_step(all_rows):
    lines = by_weight.lines(all_rows).set_index("cell")
    assert list(lines.index) == plan.AT_EQUAL_WEIGHTS
    # The n-th takes n microseconds for a sequence of 105 steps; the median is twice that.
    for place, (name, line) in enumerate(lines.iterrows(), 1):
        own, lstm = by_weight.weights(name), by_weight.weights("lstm")
        np.testing.assert_allclose(line["ns"].median, place * 2000 / 105 / own)
        np.testing.assert_allclose(line["ratio"], place * lstm / own)
    assert by_weight.slowest(all_rows) == max(lines["ratio"])
    shown = by_weight.columns(all_rows).set_index("cell")
    assert (shown.loc["lstm", ""], shown.loc["lru-2", ""]) == ("met", "missed")
    assert by_weight.slowest(all_rows[all_rows["section"] == plan.PEAK]) is None


def test_an_older_measurement_says_what_it_lacks(all_rows):
    new = ["indrnn-2", "mingru-2", "lru-2", "rnn-dropout"]
    older = all_rows[~all_rows["alternative"].isin(new)]
    lines = table.lines(older).set_index("alternative")
    assert list(lines.index[lines["figure"] == "not measured yet"]) == new
    assert "not measured yet" not in set(table.lines(all_rows)["figure"])
    assert table.sections(older).count("| not measured yet |") == len(new)
    assert (targets.table(older)["measured"] != "not measured").all()
    assert by_weight.columns(older)["cell"].tolist() == plan.AT_EQUAL_WEIGHTS[:-3]


def test_figures_are_in_their_units(all_rows):
    lines = table.lines(all_rows).set_index(["group", "alternative"])
    # A microsecond for a sequence of 105 steps on the average; the median is twice that.
    figure = lines.loc[("adding-100, 16 trials", "ours"), "figure"]
    np.testing.assert_allclose(figure, [2000 / 105, 1000 / 105, 3000 / 105])
    figure = lines.loc[("lstm-16, T 100", targets.OURS), "figure"]
    np.testing.assert_allclose(figure.median, 20 * 2e-3)  # ms for an update with 20 sequences
    hourly = lines.loc[("lstm-16, T 100", targets.OURS), "hourly"]
    np.testing.assert_allclose(hourly, 3600 / (100_000 * 2e-6))
    assert lines["compile_seconds"].eq(2.0).all()


def test_shares_of_peak(all_rows):
    # 1e6 operations a second at most, of XLA; half of it is the median.
    slow = rows.of(all_rows, plan.PEAK, "float32 product", "XLA, all cores")["figure"]
    assert targets.peak(all_rows, "all cores") == pytest.approx(slow.median())
    assert targets.FLOPS_97 == 2 * (88 + 88)
    # 1152 weights of the cell, 105 steps; PyTorch with one thread is the fourth of its group.
    share = targets.share_of_peak_lstm(16, 100, "PyTorch, 1 thread", times=10)(all_rows)
    assert share.median == pytest.approx(100e-9 * 6 * 1152 * 105 / 8e-7 / slow.median())


def test_tables_fit_80_columns(all_rows):
    console = Console(width=80, file=io.StringIO())
    for each in table.terminal(all_rows):
        console.print(each)
    text = console.file.getvalue()
    assert all(len(line.rstrip()) <= 80 for line in text.splitlines())
    assert "…" not in text
    for alternative in all_rows["alternative"].unique():
        assert alternative in text


def test_rows_come_back_from_disk(all_rows, tmp_path):
    rows.save(tmp_path / "measurements.csv", all_rows)
    back = rows.load(tmp_path / "measurements.csv")
    assert back.dtypes.equals(all_rows.dtypes)
    assert table.sections(back) == table.sections(all_rows)


def test_the_document_shows_the_committed_measurement():
    page = document.PAGE.read_text()
    figures = page.partition("<!-- figures -->\n")[2].partition("\n<!-- end figures -->")[0]
    if document.MEASUREMENTS.exists():
        assert figures == table.sections(rows.load(document.MEASUREMENTS))
    else:
        assert figures == "Not measured yet."


def test_results_readme_explains_every_column_of_measurements():
    text = (RESULTS / "README.md").read_text()
    first = " ".join(line.split("|")[1] for line in text.splitlines() if line.startswith("| "))
    assert set(rows.COLUMNS) <= set(first.replace(",", " ").split())


def test_representatives_are_one_of_each_kind():
    chosen = list(plan.representatives())
    kinds = [(type(e.recipe.task), e.recipe.learner.program, type(e.recipe.model)) for e in chosen]
    assert len(set(kinds)) == len(kinds)
    assert {"bptt", "forward"} <= {program for _, program, _ in kinds}


# End to end


def a_little(cores):
    """A group of each section."""
    places = plan.Places(cores, loops=True)
    learner97 = Ours(plan.ADDING97[100], lanes=2, updates=2, drawn=True)
    cases = [learner97, reference.Reference(20, 1, 10), Torch(WORK, threads=1, updates=1)]
    return [
        Group(
            plan.LEARNER97,
            "a little",
            UNIT,
            {"cell": "lstm97"},
            [Alternative(f"case {n}", places.one, case, 2) for n, case in enumerate(cases)],
        ),
        Group(plan.PEAK, "product", UNIT, {}, [Alternative("XLA", places.each, Product(8))]),
    ]


@pytest.mark.slow
def test_the_command_writes_rows_and_a_table(tmp_path, monkeypatch, capsys):
    monkeypatch.setattr(plan, "cpu", a_little)
    monkeypatch.setattr(plan, "compiling", lambda cores: [])
    monkeypatch.setattr(speed, "SECONDS", 0.001)
    assert main(["speed", "--out", str(tmp_path)]) == 0
    printed = capsys.readouterr()
    assert "a little" in printed.out
    assert printed.err == ""
    found = rows.load(tmp_path / "speed" / "measurements.csv")
    timed = found[found["note"] == ""]
    first = timed[timed["alternative"] == "case 0"]
    assert list(first["repetition"]) == list(range(speed.REPETITIONS))
    assert timed["seconds"].gt(0).all()
    assert found["device"].eq("cpu").all()
    assert "commit" in (tmp_path / "speed" / "table.md").read_text()


@pytest.mark.slow
def test_the_groups_of_an_accelerator_run_on_a_cpu_too(tmp_path):
    groups = plan.accelerator(CORES[:1], delay=20, counts=(1, 2))
    console = Console(width=80, file=io.StringIO())
    with Workers() as workers:
        origin = workers.ask(plan.Places(CORES[:1]).all, machine.origin)[0]
        found = speed.measure(workers, groups, 1, 0.001, console)
    speed.report(tmp_path, rows.frame([row | origin for row in found]), console)
    assert {row["alternative"] for row in found} == {"1 trials", "2 trials"}
    assert {row["cell"] for row in found} == {"lstm97", "lstm"}
    assert table.TITLES[plan.ACCELERATOR] in console.file.getvalue()


def test_an_unwritable_folder(tmp_path, capsys):
    (tmp_path / "file").write_text("mine")
    assert main(["speed", "--out", str(tmp_path / "file")]) == 2
    error = capsys.readouterr().err
    assert "cannot write results to" in error
    assert error.count("\n") == 1


def test_the_peers_clip_as_our_learner_does():
    assert WORK.recipe.learner == Adam(batch=4)
