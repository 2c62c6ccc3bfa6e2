"""PyTorch's own recurrent layers, trained one trial after the other, as a case to be timed."""

import importlib
import importlib.util
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from benchmarks.speed.ours import RATE
from benchmarks.speed.timing import MissingError
from benchmarks.speed.work import CLIP, Work

LAYERS = {"rnn": "RNN", "lstm": "LSTM", "gru": "GRU"}
"""Names of the layers of `torch.nn` by those of our cells. Its GRU resets after the product."""


def torch_or_missing():
    """The package.

    Raises:
        MissingError: it is not installed.
    """
    if importlib.util.find_spec("torch") is None:
        raise MissingError("PyTorch is not installed")
    return importlib.import_module("torch")


@dataclass(frozen=True)
class Torch:
    """Training steps of one trial.

    Attributes:
        work: what is trained.
        threads: threads that PyTorch may use.
        updates: training steps in a call.
    """

    work: Work
    threads: int
    updates: int

    @property
    def amount(self) -> float:
        """Sequences that a call trains on."""
        return self.updates * self.work.batch

    def prepare(self) -> Callable[[], object]:
        """A fresh trial and a batch.

        Raises:
            MissingError: PyTorch is not installed.
        """
        torch = torch_or_missing()
        trial = TorchTrial(self.work)

        def train() -> None:
            torch.set_num_threads(self.threads)
            for _ in range(self.updates):
                trial.step()

        return train


class TorchTrial:
    """One trial: layer, readout, Adam and a batch that it trains on again and again.

    Attributes:
        layer: the recurrent layer; inputs are `[T, batch, n_in]`.
        readout: linear map to the output.

    Raises:
        MissingError: PyTorch is not installed.
    """

    def __init__(self, work: Work):
        self.torch = torch_or_missing()
        nn = self.torch.nn
        sequences = work.sequences(trials=1)
        n_in, hidden = sequences.inputs.shape[-1], work.hidden
        self.layer = getattr(nn, LAYERS[work.cell])(n_in, hidden)
        self.readout = nn.Linear(hidden, sequences.targets.shape[-1])
        self.parameters = [*self.layer.parameters(), *self.readout.parameters()]
        self.adam = self.torch.optim.Adam(self.parameters, lr=RATE, fused=True)
        self.inputs = self._tensor(np.swapaxes(sequences.inputs[0], 0, 1))
        self.targets = self._tensor(sequences.targets[0])
        self.last = self._tensor(sequences.last[0])

    def loss(self):
        """Squared error at the last step of each sequence, averaged over the batch."""
        states = self.layer(self.inputs)[0]
        ends = states[self.last, self.torch.arange(len(self.last))]
        return ((self.readout(ends) - self.targets) ** 2).sum(-1).mean()

    def step(self) -> None:
        """Forward, backward, clipping, Adam."""
        self.adam.zero_grad()
        self.loss().backward()
        self.torch.nn.utils.clip_grad_norm_(self.parameters, CLIP)
        self.adam.step()

    def _tensor(self, array: np.ndarray):
        return self.torch.tensor(np.array(array))
