"""The learner with remedies against gradients that vanish or explode."""

from dataclasses import dataclass
from typing import Any

import jax
import optax

from benchmarks.errors import UsageError
from benchmarks.learning.descents import Adaptive, Descent, Guard, Number
from benchmarks.learning.penalties import Omega, Penalty
from tasks.sequence import Objective, Task

ADAPTIVE = Adaptive()


@dataclass(frozen=True)
class Remedied:
    """Minibatch BPTT with remedies; without any, Adam on the gradient as it is.

    The loss is that of `learners.Adam`. A search may choose the threshold of the guard (the setting
    `clip`) and the strength of the penalty or, without one, the largest momentum (`strength`).

    Attributes:
        batch: sequences per update.
        descent: how gradients become steps.
        guard: what is done about large gradients.
        penalty: what is added to the loss.
        window: truncated BPTT: the state is carried through the whole sequence, but no gradient
            from one stretch of so many steps to the one before; None is the full gradient.
        dropout: share of the state's units that each readout does not see while the net learns
            (Zaremba et al. 2014); those that it sees count more, by 1 / (1 - dropout).
    """

    batch: int = 20
    descent: Descent = ADAPTIVE
    guard: Guard | None = None
    penalty: Penalty | None = None
    window: int | None = None
    dropout: float = 0.0

    summed = False

    def __post_init__(self):
        if self.window is not None and self.window < 1:
            raise UsageError(f"a window must be 1 step or more, not {self.window}")
        if not 0 <= self.dropout < 1:
            raise UsageError(f"a share to drop must be from 0 to below 1, not {self.dropout:g}")

    @property
    def program(self) -> str:
        """BPTT as it is where the remedies work on its gradient, else a program of their own."""
        within = self.penalty is not None or self.window is not None or self.dropout > 0
        return "remedied" if within else "bptt"

    def objective(self, task: Task) -> Objective:
        """The task's own link and loss."""
        return task.objective

    def optimizer(
        self, clip: Number | None = None, strength: Number | None = None
    ) -> optax.GradientTransformation:
        """The guarded descent, of all weights as one vector: less to compile.

        Args:
            clip: another threshold of the guard.
            strength: another largest momentum; read only where there is no penalty.
        """
        descent = self.descent.transformation(None if self.penalty else strength)
        return optax.flatten(self.guard.around(descent, clip) if self.guard else descent)

    def require_fit(self, task: Task, model: Any) -> None:
        """Refuses what has no meaning.

        Raises:
            UsageError: the window is longer than the sequences, or the model has not what a remedy
                works on.
        """
        if self.window is not None and self.window > task.steps:
            raise UsageError(
                f"a window of {self.window} steps is longer than the sequences of "
                f"{type(task).__name__}, which have at most {task.steps}"
            )
        cell = getattr(model, "cell", None)
        name = getattr(cell, "__name__", type(cell or model).__name__)
        if self.program == "remedied" and (cell is None or model.growth):
            raise UsageError(f"{name} is no recurrent cell with a readout: no remedy works on it")
        if isinstance(self.penalty, Omega) and not hasattr(cell, "back"):
            raise UsageError(
                f"Omega has no meaning for {name}: it is about the one recurrent matrix of a net "
                "such as RNN, whose cell has a method back"
            )


def penalised(penalty: Penalty | None, settings: dict[str, jax.Array]) -> Number:
    """The strength of a penalty in a trial with these settings."""
    return settings.get("strength", penalty.strength if penalty else 0.0)
