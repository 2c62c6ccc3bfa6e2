"""The examples of docs/PYTHON.md and of the notebook, each run as a script without a main guard."""

import json
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

DOCS = Path(__file__).parents[1] / "docs"
NOTEBOOK = json.loads((DOCS / "own_cell.ipynb").read_text())
CODE = [cell for cell in NOTEBOOK["cells"] if cell["cell_type"] == "code"]
SCRIPTS = {
    "PYTHON.md": re.findall(r"```python\n(.*?)```", (DOCS / "PYTHON.md").read_text(), re.DOTALL),
    "own_cell.ipynb": ["".join(cell["source"]) for cell in CODE],
}


@pytest.mark.slow
@pytest.mark.parametrize("name", SCRIPTS)
def test_examples_run(name, tmp_path):
    script = tmp_path / "script.py"
    script.write_text("\n\n".join(SCRIPTS[name]))
    path = os.pathsep.join([str(DOCS.parent), *filter(None, sys.path)])
    done = subprocess.run(
        [sys.executable, "-W", "error", script],
        env=os.environ | {"PYTHONPATH": path},
        cwd=tmp_path,
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stderr
    assert done.stderr == ""


def test_the_notebook_has_the_output_of_a_whole_run_and_is_small():
    assert [cell["execution_count"] for cell in CODE] == list(range(1, len(CODE) + 1))
    outputs = [each for cell in CODE for each in cell["outputs"]]
    assert {each["output_type"] for each in outputs} <= {"stream", "execute_result"}
    assert {each.get("name", "stdout") for each in outputs} == {"stdout"}
    assert any("image/png" in each.get("data", {}) for each in outputs)
    assert (DOCS / "own_cell.ipynb").stat().st_size < 100_000
