"""The cells that suites compare, by the names that tables and the command line give them."""

from models.cell import Cell
from models.gru import GRU
from models.gru_variants import MGU, MinGRU, ResetAfterGRU
from models.layer_norm_rnn import LayerNormRNN
from models.leaky_rnn import LeakyRNN
from models.lru import LRU
from models.lstm import LSTM
from models.lstm_variants import JANET, ChronoLSTM, CoupledLSTM, NoForgetLSTM
from models.minimal_lstm import MinimalLSTM
from models.mut import MUT1, MUT2, MUT3
from models.mut_separate import MUT1Separate, MUT2Separate
from models.ode_cells import LEM, AntisymmetricRNN, CoRNN
from models.orthogonal_rnn import OrthogonalRNN
from models.peephole_lstm import CIFG, FGR, NFG, NIAF, NIG, NOAF, NOG, PeepholeLSTM
from models.recurrent_highway import RecurrentHighway
from models.relu_rnn import IRNN, IndRNN
from models.rnn import RNN, GaussianRNN, SparseRNN
from models.scrn import SCRN
from models.slstm import SLSTM
from models.wrappers import Stack

CORE: dict[str, type[Cell]] = {
    "rnn": RNN,
    "lstm": LSTM,
    "gru": GRU,
    "mut1": MUT1,
    "mut2": MUT2,
    "mut3": MUT3,
}

ALL: dict[str, type[Cell]] = {
    **CORE,
    "irnn": IRNN,
    "orthogonal-rnn": OrthogonalRNN,
    "indrnn": IndRNN,
    "scrn": SCRN,
    "chrono-lstm": ChronoLSTM,
    "no-forget-lstm": NoForgetLSTM,
    "coupled-lstm": CoupledLSTM,
    "janet": JANET,
    "peephole-lstm": PeepholeLSTM,
    "nig": NIG,
    "nfg": NFG,
    "nog": NOG,
    "niaf": NIAF,
    "noaf": NOAF,
    "cifg": CIFG,
    "fgr": FGR,
    "minimal-lstm": MinimalLSTM,
    "slstm": SLSTM,
    "reset-after-gru": ResetAfterGRU,
    "mgu": MGU,
    "mingru": MinGRU,
    "mut1-separate": MUT1Separate,
    "mut2-separate": MUT2Separate,
    "lru": LRU,
    "antisymmetric-rnn": AntisymmetricRNN,
    "cornn": CoRNN,
    "lem": LEM,
}
"""The core cells first, then families."""

LAYERED: dict[str, Stack] = {  # FIDELITY C30
    "indrnn-2": Stack(IndRNN, 2),
    "mingru-2": Stack(MinGRU, 2),
    "lru-2": Stack(LRU, 2),
}
"""Two layers of cells whose units do not see each other's past, which their authors stack."""

EVERY: dict[str, type[Cell] | Stack] = {
    **ALL,
    **LAYERED,
    "gaussian-rnn": GaussianRNN,
    "sparse-rnn": SparseRNN,
    "layer-norm-rnn": LayerNormRNN,
    "leaky-rnn": LeakyRNN,
    "rhn": RecurrentHighway,
}
"""Also those that suite `remedies` has and suite `compare` has not."""
