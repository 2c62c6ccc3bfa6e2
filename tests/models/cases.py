"""The cases of all cells."""

from tests.models.oracles import gru, linear, lstm, lstm_kin, mut, ode, rnn

CASES = [case for family in (rnn, lstm, lstm_kin, gru, mut, linear, ode) for case in family.CASES]
CASE = {case.cell: case for case in CASES}
