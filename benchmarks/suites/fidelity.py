"""What might explain the rows that disagree: changes to the literal reading of `paper`.

Each variant changes one thing against the literal experiment of a row, the last ones some things
together, and nothing else: the same seeds, trials, budget and criterion. The hypotheses stand in
docs/FIDELITY.md.
"""

from dataclasses import replace

from benchmarks.analysis.paper_rows import Compared
from benchmarks.learning.criteria import Inspection, Recent
from benchmarks.learning.learners import (
    LinearOutput,
    Online,
    PlainDelta,
    Stepwise,
    StepwisePlainDelta,
)
from benchmarks.suites import paper
from benchmarks.suites.base import PaperSuite
from models.lstm97.lag_net import CentredLagNet97, Growth, LagNet97
from models.lstm97.net import HalfReset97, IdentityH97, Net97, Shortcuts97, Simulator97
from tasks.lag import Lag2aInTurn, Lag2bEndError
from tasks.reber import Reber, ReberAllLegal, ReberInOrder

LITERAL = {each.row: each.experiment for each in paper.COMPARED}


def changed(row: str, variant: str, rate: float | None = None, **recipe) -> Compared:
    """The literal experiment of a row with one thing changed."""
    literal = LITERAL[row]
    experiment = replace(
        literal,
        task=f"{literal.task}-{variant}",
        rate=literal.rate if rate is None else rate,
        recipe=replace(literal.recipe, **recipe),
    )
    return Compared(row, experiment, variant)


def net(row: str, variant: str, **model) -> Compared:
    """The literal experiment of a row with one thing changed in its network."""
    return changed(row, variant, model=replace(_net97(row), **model))


def kind(
    row: str, variant: str, net97: type[Net97], learner: Online | None = None, **model
) -> Compared:
    """The literal experiment of a row with a network of another kind, or a learner, too."""
    net = replace(paper.of_kind(net97, _net97(row)), **model)
    return changed(row, variant, model=net, learner=learner or LITERAL[row].recipe.learner)


def _net97(row: str) -> Net97:
    """The network of a literal experiment, one of memory-cell blocks."""
    model = LITERAL[row].recipe.model
    assert isinstance(model, Net97)
    return model


ROWS_2C = tuple(f"3.{i}" for i in range(1, 10))
AS_MANY_SYMBOLS = ROWS_2C[:5]  # as the lag has steps; the other rows have fewer
AS_DRAWN = Reber(n_test=64)
"""About as many test strings as are left of 256 when those in the training set are dropped."""
FULL = Online(forward=False)  # with nets that do not truncate
STARTS = (-0.5, -1.0, -1.5, -2.0)
CALIBRATED = Shortcuts97(4, 2, "all", STARTS, STARTS, init_range=0.2)
"""Row `lstm97-both` of suite `streams`, which learns such strings there (FIDELITY N9)."""
BOTH_2A = Inspection(Lag2aInTurn.n_train + Lag2aInTurn.n_test, wrong_at_most=0)

COMPARED = (
    *(changed(row, "stepwise", learner=Stepwise()) for row in ("1.6", "1.9", "2.8", "2.9")),
    *(
        changed(
            row,
            "full-gradient",
            model=replace(_net97(row), truncate=False),
            learner=FULL,
        )
        for row in ("1.6", "1.9")
    ),
    *(net(row, "output-bias", bias="all") for row in ("1.6", "1.9")),
    *(
        changed(row, "fewer-tests", task=AS_DRAWN, criterion=Inspection(256 + 64, 0))
        for row in ("1.6", "1.9")
    ),
    *(
        changed(row, "from-start", model=LagNet97(growth=Growth(window=1, decrease=1.0)))
        for row in ("2.8", "2.9")
    ),
    *(net(row, "small-weights", init_range=0.02) for row in ROWS_2C),
    *(changed(row, "rate-01", rate=0.1) for row in ("3.1", "3.2")),
    *(
        changed(row, "plain-delta", learner=PlainDelta())
        for row in ("1.6", "1.9", *AS_MANY_SYMBOLS, "5.3", "7.1", "7.2", "7.3", "8.1", "8.2", "9.2")
    ),
    changed("2.8", "plain-delta", learner=PlainDelta(forward=False)),
    *(changed(row, "factor-2", rate=2 * LITERAL[row].rate) for row in ("7.1", "7.2", "8.1")),
    *(
        changed(row, "linear-output", learner=LinearOutput())
        for row in ("7.1", "7.2", "7.3", "8.1", "8.2")
    ),
    changed("7.1", "error-only", criterion=Recent(2000, error_below=0.01)),
    net("7.1", "weaker-gates", input_gate_bias=(-1.0, -2.0)),
    net("7.1", "output-gates", output_gate_bias=(-1.0, -2.0)),
    net("8.1", "gate-biases", input_gate_bias=(-3.0, -6.0)),
    *(net(row, "smaller-weights", init_range=0.01) for row in ("5.2", "6.2")),
    *(changed(row, "half-rate", rate=LITERAL[row].rate / 2) for row in ("5.2", "6.2")),
    changed("2.8", "centred-g", model=CentredLagNet97()),
    changed("2.9", "end-error", task=Lag2bEndError(100)),
    changed("2.9", "end-error-centred-g", task=Lag2bEndError(100), model=CentredLagNet97()),
    *(kind(row, "identity-h", IdentityH97) for row in ("1.6", "1.9", *AS_MANY_SYMBOLS)),
    *(changed(row, "all-legal", task=ReberAllLegal()) for row in ("1.6", "1.9")),
    *(kind(row, "shortcuts", Shortcuts97) for row in ("1.6", "1.9")),
    *(
        net(row, "input-gates", input_gate_bias=_net97(row).output_gate_bias)
        for row in ("1.6", "1.9")
    ),
    *(kind(row, "half-reset", HalfReset97) for row in ("1.6", "1.9", "5.2", "5.3", "6.2")),
    *(changed(row, "in-order", task=ReberInOrder()) for row in ("1.6", "1.9")),
    changed("2.8", "in-order", task=Lag2aInTurn(100), criterion=BOTH_2A),
    *(
        changed(
            row,
            "stepwise-plain-delta-bias",
            learner=StepwisePlainDelta(),
            model=replace(_net97(row), bias="all"),
        )
        for row in ("1.6", "1.9")
    ),
    *(kind(row, "simulator", Simulator97, bias="all") for row in ("5.3", "7.1", "9.1")),
    *(kind(row, "shortcuts-bias", Shortcuts97, bias="all") for row in ("1.6", "1.9")),
    *(
        kind(row, "stepwise-shortcuts-bias", Shortcuts97, Stepwise(), bias="all")
        for row in ("1.6", "1.9")
    ),
    *(
        changed(row, "stepwise-calibrated", learner=Stepwise(), model=CALIBRATED)
        for row in ("1.6", "1.9")
    ),
    *(
        kind(row, "full-shortcuts-bias", Shortcuts97, FULL, bias="all", truncate=False)
        for row in ("1.5", "1.6", "1.7", "1.8", "1.9")
    ),
    *(kind(row, "full-shortcuts", Shortcuts97, FULL, truncate=False) for row in ("1.6", "1.9")),
)
"""Variants beside the rows that they are to explain."""

EXPERIMENTS = tuple(each.experiment for each in COMPARED)
SUITE = PaperSuite("fidelity", __doc__, EXPERIMENTS, compared=COMPARED, literal=paper.SUITE)
