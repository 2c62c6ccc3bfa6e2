"""`--cluster`: what can be wrong is one line, and what is right is a table."""

import gc
import os
import stat
import sys
from pathlib import Path

import dask
import pytest
from distributed import Client

from benchmarks.cli.main import main
from benchmarks.running import cluster, store

ROOT = Path(__file__).parents[2]
SBATCH = """#!{python}
import pathlib, subprocess, sys
number = len(list(pathlib.Path({folder!r}).glob("*.out"))) + 1
with open(f"{folder}/{{number}}.out", "w") as out:
    subprocess.Popen(["bash", *sys.argv[1:]], stdout=out, stderr=out, start_new_session=True)
print("Submitted batch job", number)
"""


@pytest.fixture
def sbatch(tmp_path, monkeypatch):
    """A SLURM that runs every job at once on this machine, and cancels none."""
    for name, text in (("sbatch", SBATCH), ("scancel", "#!/bin/sh\n")):
        path = tmp_path / name
        path.write_text(text.format(python=sys.executable, folder=str(tmp_path)))
        path.chmod(path.stat().st_mode | stat.S_IXUSR)
    monkeypatch.setenv("PATH", f"{tmp_path}:{os.environ['PATH']}")


@pytest.fixture
def told(tmp_path, capsys, monkeypatch):
    """A function that runs on a cluster and returns the one line that tells what is wrong."""
    monkeypatch.setattr(cluster, "PATIENCE", 0.5)

    def told(name, command="run"):
        suite = "tiny" if command == "run" else "quick"
        out = tmp_path / "out"
        assert main([command, suite, "*gru", "--cluster", name, "--out", str(out)]) == 2
        printed = capsys.readouterr()
        assert printed.err.count("\n") == 1
        assert (printed.out, out.exists()) == ("", False)
        return printed.err

    return told


@pytest.mark.parametrize("command", ["run", "search"])
@pytest.mark.parametrize("name", ["tcp://127.0.0.1:9", "127.0.0.1:9", "nowhere.invalid:8786"])
def test_nobody_answers(told, name, command):
    assert f"no scheduler of Dask answers at {name} (" in told(name, command)


@pytest.mark.parametrize("name", ["127.0.0.1:9", "odd://x:1"])
def test_a_client_without_a_scheduler_is_gone_before_another_is_made(told, name):
    """Collected while another starts its loop, it would wait for that one's lock for ever."""
    gc.collect()
    gc.disable()
    try:
        told(name)
        assert not [one for one in gc.get_objects() if type(one) is Client]
    finally:
        gc.enable()


@pytest.mark.parametrize("name", ["", "locale", "local:0", "slurm:x", "odd://x:1"])
def test_no_address_at_all(told, name):
    assert f"no scheduler of Dask answers at {name}" in told(name)


def test_dask_is_not_installed(told, monkeypatch):
    monkeypatch.delitem(sys.modules, "benchmarks.running.cluster")
    monkeypatch.setitem(sys.modules, "distributed", None)
    assert "a cluster needs Dask: pip install '.[cluster]'" in told("local")


def test_no_slurm(told, monkeypatch, tmp_path):
    monkeypatch.setenv("PATH", str(tmp_path))
    assert "there is no sbatch here" in told("slurm")


@pytest.mark.usefixtures("sbatch")
def test_a_slurm_that_nobody_has_described(told):
    assert "what a job gets is not set: jobqueue.slurm.cores; see docs/" in told("slurm:2")


@pytest.mark.slow
def test_on_this_machine(tmp_path, capsys):
    assert main(["run", "tiny", "two-*gru", "--cluster", "local:1", "--out", str(tmp_path)]) == 0
    assert "\nlocal:1, 1 worker\n" in "\n" + capsys.readouterr().out
    assert len(store.read_suite(tmp_path / "tiny")) == 4


@pytest.mark.slow
@pytest.mark.usefixtures("sbatch")
def test_on_slurm(tmp_path, capsys):
    settings = {"cores": 1, "memory": "4GB", "walltime": "0:10:00", "job-script-prologue": []}
    with dask.config.set({f"jobqueue.slurm.{name}": value for name, value in settings.items()}):
        out = tmp_path / "out"
        assert main(["run", "tiny", "two-*gru", "--cluster", "slurm:1", "--out", str(out)]) == 0
    assert "slurm:1 has no workers yet; waiting for the first." in capsys.readouterr().out
    assert len(store.read_suite(out / "tiny")) == 4
