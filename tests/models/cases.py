"""The cases of all cells."""

from tests.models.oracles import gru, linear, lstm, lstm_kin, mut, ode, remedies, rnn

FAMILIES = (rnn, lstm, lstm_kin, gru, mut, linear, ode, remedies)
CASES = [case for family in FAMILIES for case in family.CASES]
CASE = {case.cell: case for case in CASES}
