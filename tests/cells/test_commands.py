"""Every command takes every cell of this folder; minutes, so `make smoke` runs it."""

from pathlib import Path

import pytest

import benchmarks
from benchmarks.cli.main import main

pytestmark = pytest.mark.slow

HERE = Path(__file__).parent
SPECS = [
    *(
        f"{HERE}/{spec}"
        for spec in (
            "peephole_lstm.py:PeepholeLSTM",
            "min_gru.py:MinGRU",
            "complex_lru.py:ComplexLRU",
            "irnn.py:IRNN",
            "stacked_gru.py:StackedGRU",
            "layer_norm_lstm.py:LayerNormLSTM",
        )
    ),
    "flax.nnx:GRUCell",
    "flax.nnx:OptimizedLSTMCell",
]
LABELS = [spec.rpartition(":")[2] for spec in SPECS]
CELLS = [word for spec in SPECS for word in ("--cell", spec)]
TASK = "two-sequence-20"


@pytest.fixture(scope="module")
def out(tmp_path_factory):
    """A folder with the results of all cells on one task."""
    folder = tmp_path_factory.mktemp("results")
    assert main(["run", "tiny", f"{TASK}*", *CELLS, "--out", str(folder)]) == 0
    return folder


def test_run(out):
    rows = benchmarks.load(out / "tiny")
    assert sorted(rows["experiment"].unique()) == sorted(f"{TASK}.{label}" for label in LABELS)
    assert (rows.groupby("experiment").size() == 4).all()
    assert set(rows["outcome"]) <= {"solved", "spent"}
    assert (rows["outcome"] == "solved").any()


def test_table(out, capsys):
    assert main(["table", "tiny", f"{TASK}*", *CELLS, "--out", str(out)]) == 0
    shown = capsys.readouterr().out
    assert all(label[:8] in shown for label in LABELS)


def test_report(out):
    assert main(["report", "tiny", "--only", f"{TASK}*", *CELLS, "--out", str(out)]) == 0
    page = (out / "tiny" / "report" / "tiny.html").read_text()
    assert all(label in page for label in LABELS)


@pytest.mark.parametrize("spec", SPECS, ids=LABELS)
def test_inspect(spec, tmp_path):
    label = spec.rpartition(":")[2]
    assert main(["inspect", "tiny", f"{TASK}.{label}", "--cell", spec, "--out", str(tmp_path)]) == 0
    (page,) = (tmp_path / "tiny" / "inspect").glob("*/*.html")
    assert label in page.read_text()


def test_check(tmp_path, capsys):
    baseline = ["--baseline", str(tmp_path / "baseline.csv")]
    assert main(["baseline", "tiny", *CELLS, *baseline]) == 0
    assert main(["check", "tiny", *CELLS, *baseline]) == 0
    assert (
        f"{3 * len(SPECS)} experiments: " in capsys.readouterr().out
    )  # "too few trials", at so few


@pytest.mark.parametrize("spec", SPECS, ids=LABELS)
def test_from_python(spec, out):
    rows = benchmarks.run("tiny", f"{TASK}*", cell=spec, trials=1)
    (row,) = rows.to_dict("records")
    same = benchmarks.load(out / "tiny").query("digest == @row['digest'] and trial == 0")
    (other,) = same.to_dict("records")
    assert (row["outcome"], row["seen"], row["test_error"]) == (
        other["outcome"],
        other["seen"],
        other["test_error"],
    )
