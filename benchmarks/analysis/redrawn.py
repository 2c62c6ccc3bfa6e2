"""How sure is a verdict? Trials drawn anew, and whether they still agree with the paper."""

from collections.abc import Mapping, Sequence

import numpy as np
import pandas as pd

from benchmarks.analysis import bootstrap, paper_rows, tables
from benchmarks.analysis.paper_rows import FACTOR, Compared
from benchmarks.analysis.statistics import cost, proportion


def comparison(
    compared: Sequence[Compared],
    rows: pd.DataFrame,
    guessed: Mapping[str, str] = tables.NOTHING,
) -> pd.DataFrame:
    """`paper_rows.comparison`, and whether each line agrees when its trials are drawn anew.

    An experiment's trials are drawn from its own, with replacement, as many as there are, apart
    from those of all others; which ones depends on its digest alone, so that an experiment that
    stands under several readings is drawn once for all of them. What the paper reports stays.

    Args:
        compared: experiments of the paper's own method, with means of all trials.
        rows: the experiments' rows.
        guessed: as there.

    Returns:
        A column redrawn besides: `[resample]`, 1 or 0; None where trials are missing.
    """
    lines = paper_rows.comparison(compared, rows, guessed)
    by_digest = dict(iter(rows.groupby("digest")))
    entries = []
    for line, each in zip(lines.to_dict("records"), compared, strict=True):
        digest = each.experiment.digest
        entries.append(
            None if line["missing"] else _agrees(line, by_digest[digest], int(digest, 16))
        )
    return lines.assign(redrawn=pd.Series(entries, lines.index, dtype=object))


def _agrees(line: dict, rows: pd.DataFrame, seed: int) -> np.ndarray:
    drawn = bootstrap.redrawn(len(rows), seed)
    solved = (rows["outcome"] == "solved").to_numpy()[drawn].sum(1)
    enough = {count: _enough(line, int(count)) for count in set(solved)}
    found = np.array([enough[count] for count in solved])
    bounds = line["paper_sequences"] / FACTOR, line["paper_sequences"] * FACTOR
    found[found] = bootstrap.beyond(cost(rows)[drawn[found]], *bounds) == 0
    return found.astype(int)


def _enough(line: dict, solved: int) -> bool:
    """Whether the line would agree if so many trials were solved, with the paper's mean."""
    high = proportion(solved, line["trials"]).high
    changed = {"solved": solved, "high": high, "ratio_low": 1.0, "ratio_high": 1.0}
    return paper_rows.verdict(line | changed) == "agrees"
