"""What do checkpoints cost?

    python -m benchmarks.check.studies.checkpoint_cost

Times, of some trials in progress, all that is done for a checkpoint, in seconds of a processor: the
state is taken from the lanes, sent to the parent (pickled and unpickled), packed and written. The
figures go to docs/RELIABILITY.md.
"""

import pickle
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import jax
import pandas as pd

from benchmarks.check.studies import document, kills
from benchmarks.learning.lanes import Lanes, Run
from benchmarks.running import files
from benchmarks.running.checkpoint_file import Saved, packed
from benchmarks.running.checkpoints import EVERY
from benchmarks.running.jobs import LEAST_PAUSE, SHARE

TIMES = 50  # each step is repeated


def seconds(step: Callable[[], object]) -> float:
    """Processor time of a step."""
    step()
    began = time.process_time()
    for _ in range(TIMES):
        step()
    return (time.process_time() - began) / TIMES


def line(name: str, case: kills.Case, folder: Path) -> dict[str, str]:
    """What checkpoints of these trials cost."""
    lanes = Lanes(0, [Run(case.experiment, i) for i in range(case.trials)])
    lanes.block()
    state = lanes.state()
    sent = pickle.dumps(state)
    path = folder / "state.npz"
    saved = Saved({}, 0, {}, state)
    sending = seconds(lanes.state) + seconds(lambda: pickle.loads(pickle.dumps(state)))
    writing = seconds(lambda: files.write(path, packed(saved)))
    share = sending / max(LEAST_PAUSE, sending / SHARE) + writing / EVERY
    return {
        "trials": name,
        "lanes": str(len(lanes.lanes)),
        "bytes": f"{len(sent):,}",
        "taken and sent": f"{1000 * sending:.1f} ms",
        "packed and written": f"{1000 * writing:.1f} ms",
        "share of the time": f"{share:.2%}",
    }


def main() -> None:
    """Runs the study and writes what it has found into the document."""
    jax.config.update("jax_platforms", "cpu")
    with tempfile.TemporaryDirectory() as folder:
        lines = [line(name, case, Path(folder)) for name, case in kills.CASES.items()]
    document.put("cost", pd.DataFrame(lines).to_markdown(index=False), document.RELIABILITY)


if __name__ == "__main__":
    main()
