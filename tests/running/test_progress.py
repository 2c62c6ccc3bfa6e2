import io
from dataclasses import replace

import numpy as np
import pytest
from rich.console import Console

from benchmarks.learning.lanes import BlockResult, Run
from benchmarks.learning.states import State
from benchmarks.running import progress
from benchmarks.running.jobs import Part
from benchmarks.running.progress import View
from tests.support.tiny import EXPERIMENT

FIRST, SECOND = EXPERIMENT, replace(EXPERIMENT, cell="gru")
SOLVED = {"outcome": "solved", "seen": 80, "budget": 400}
SPENT = {"outcome": "spent", "seen": 400, "budget": 400}


def shown(terminal):
    """All that is printed while two experiments of two trials run."""
    console = Console(file=io.StringIO(), force_terminal=terminal, width=80)
    with View(console, {FIRST: 2, SECOND: 2}) as view:
        for each in (FIRST, SECOND):
            view.show(BlockResult(each, 0, 0.0, [], []))
        view.show(BlockResult(FIRST, 160, 2.0, [SOLVED], []))
        view.show(BlockResult(SECOND, 80, 1.0, [SOLVED], []))
        first = view.watched[FIRST.name]
        assert (first.total, first.completed, first.speed) == (800, 160 + 320, 80)
        view.show(BlockResult(FIRST, 320, 4.0, [SPENT], []))
        view.show(BlockResult(SECOND, 80, 1.0, [SOLVED], []))
        view.progress.refresh()
    return console.file.getvalue()


def test_blocks_that_a_dead_worker_had_done_count_once():
    runs = [Run(FIRST, 0), Run(FIRST, 1)]
    state = State([run.key for run in runs], [], np.array([40, 40]), np.array([4.0, 4.0]), [[], []])
    row = SOLVED | {"digest": FIRST.digest, "trial": 0, "seconds": 8.0}

    def block(seen, *rows):
        return FIRST.digest, (seen, seen / 10, list(rows), [])

    first = [([], None), ([block(80)], state), ([block(80, row)], None)]  # then it dies
    second = [([], None), ([block(40)], None)]
    part, totals = Part(0, runs), []
    with View(Console(file=io.StringIO()), {FIRST: 2}) as view:
        for each in first + second:
            for result in part.follow(each):
                view.show(result)
            watched = view.watched[FIRST.name]
            totals.append((watched.seen, watched.seconds))
    assert totals == [(0, 0.0), (80, 8.0), (160, 16.0), (120, 12.0), (160, 16.0)]


def test_without_a_terminal_one_line_for_each_experiment():
    assert shown(terminal=False).splitlines() == [
        "[1/2] two-sequence-10.rnn: 1/2 solved of 2, 480 sequences, 80/s",
        "[2/2] two-sequence-10.gru: 2/2 solved of 2, 160 sequences, 80/s",
    ]


@pytest.mark.parametrize("terminal", [False, True])
def test_it_tells_which_cluster_and_when_its_workers_change(terminal):
    console = Console(file=io.StringIO(), force_terminal=terminal, width=100)
    with View(console, {FIRST: 2}) as view:
        for where in ["", "", "it, 1 worker", "it, 1 worker", "it, 2 workers"]:
            view.place(where)
        view.progress.refresh()
    told = console.file.getvalue()
    if terminal:
        assert "0/1 it, 2 workers" in told
    else:
        assert told == "it, 1 worker\nit, 2 workers\n"


def test_without_a_terminal_a_sign_of_life(monkeypatch):
    monkeypatch.setattr(progress, "QUIET_SECONDS", -1)
    assert "... two-sequence-10.rnn: 1/1 solved of 2, 160 sequences" in shown(terminal=False)


@pytest.mark.parametrize(
    "text", ["all experiments", "2/2", "[1/2] two-sequence-10.rnn: 1/2 solved"]
)
def test_on_a_terminal_bars_and_lines(text):
    assert text in shown(terminal=True)
