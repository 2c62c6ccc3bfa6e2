"""How far the trials of a results folder are: from rows, checkpoints and recorded failures."""

import math
from collections.abc import Sequence
from pathlib import Path

import pandas as pd

from benchmarks.learning.experiment import Experiment
from benchmarks.running import checkpoint_file, checkpoints, failures, store
from benchmarks.running.checkpoint_file import UnreadableError


def requests(
    asked: pd.DataFrame, rows: pd.DataFrame, experiments: Sequence[Experiment]
) -> pd.DataFrame:
    """What was asked for; of rows that Python made, which asks in no file, what the suite has.

    Args:
        asked: `store.REQUEST_COLUMNS`.
        rows: the folder's rows.
        experiments: of the suite.
    """
    trials = {each.digest: each.trials for each in experiments}
    kinds = rows[~rows["digest"].isin(asked["digest"])].groupby(["experiment", "digest", "seed"])
    others = kinds.size().rename("trials").reset_index()
    others["trials"] = [
        max(n, trials.get(d, n)) for d, n in zip(others["digest"], others["trials"], strict=True)
    ]
    return pd.concat([asked, others[list(store.REQUEST_COLUMNS)]], ignore_index=True)


def lines(
    requests: pd.DataFrame, rows: pd.DataFrame, folder: Path, budgets: dict[str, int]
) -> pd.DataFrame:
    """A line for each experiment and seed that a run was asked for.

    Args:
        requests: what was asked for (`store.REQUEST_COLUMNS`).
        rows: the folder's rows.
        folder: that of the suite.
        budgets: of experiments without rows, by digest, as far as they are known.

    Returns:
        Columns: experiment; seed; trials; done; saved (unfinished, with a state to go on from);
        left (neither done nor saved); seconds (of one worker, until all are done, if none stops
        before its budget; nan where nothing tells the speed); failed (why, or empty).
    """
    saved, why = _saved(folder), failures.read(folder)
    known = budgets | dict(zip(rows["digest"], rows["budget"], strict=True))
    found = []
    for name, digest, seed, trials in requests[list(store.REQUEST_COLUMNS)].itertuples(index=False):
        mine, states = (
            each[(each["digest"] == digest) & (each["seed"] == seed) & (each["trial"] < trials)]
            for each in (rows, saved)
        )
        states = states[~states["trial"].isin(mine["trial"])]  # a row may be newer than they are
        done, waiting = len(mine), len(states)
        seen = int(mine["seen"].sum() + states["seen"].sum())
        seconds = float(mine["seconds"].sum() + states["seconds"].sum())
        ahead = (trials - done) * known.get(digest, math.nan) - int(states["seen"].sum())
        found.append(
            {
                "experiment": name,
                "seed": seed,
                "trials": trials,
                "done": done,
                "saved": waiting,
                "left": trials - done - waiting,
                "seconds": 0.0 if done == trials else ahead * seconds / (seen or math.nan),
                "failed": why.get(name, "") if done < trials else "",
            }
        )
    return pd.DataFrame(found)


def _saved(folder: Path) -> pd.DataFrame:
    """Trials in checkpoints: digest, trial, seed, seen, seconds; of copies the one further on."""
    found = []
    for path in sorted((folder / checkpoints.FOLDER).glob("*.npz")):
        try:
            saved = checkpoint_file.read(path)
        except UnreadableError:  # the run that finds it says so
            continue
        state = saved.state
        found += [
            (*key, saved.seed, int(seen), float(seconds))
            for key, seen, seconds in zip(state.keys, state.seen, state.seconds, strict=True)
        ]
    names = ["digest", "trial", "seed", "seen", "seconds"]
    table = pd.DataFrame(found, columns=names).sort_values("seen")
    return table.drop_duplicates(store.IDENTITY, keep="last")


def latest(folder: Path) -> float | None:
    """When a run has last saved something in this folder, in seconds since 1970; None if never."""
    files = [*folder.glob(f"{checkpoints.FOLDER}/*.npz"), *folder.glob("trials/*.csv")]
    return max((path.stat().st_mtime for path in files), default=None)
