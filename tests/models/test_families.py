"""What holds for every cell of the RNN and LSTM families; their own properties have files apart."""

import jax
import pytest

from tests.models import family, test_lstm_family, test_rnn_family
from tests.models.family import over

CASES = [*test_rnn_family.CASES, *test_lstm_family.CASES]
SETTINGS = {"scale": 0.9, "memory": (5.0, 80.0)}


@pytest.fixture
def float64():
    with jax.enable_x64(True):
        yield


@pytest.mark.usefixtures("float64")
@over(CASES)
def test_outputs_and_gradients_match_numpy(case):
    family.check_against_numpy(case)


@over(CASES)
def test_hand_written_gradients_match_finite_differences(case):
    family.check_backward_by_hand(case)


@over(CASES)
def test_leading_axes_are_batch(case):
    family.check_leading_axes(case)


@over(CASES)
def test_number_of_weights(case):
    family.check_weights(case)
    family.check_summary(case)


@over(CASES)
def test_gradients_over_300_steps_are_finite_with_traced_settings(case):
    family.check_long_run(case, {name: SETTINGS[name] for name in case.cell.settings})


@over([case for case in CASES if "memory" in case.cell.settings])
@pytest.mark.parametrize("memory", [20.0, (2.0, 400.0)])
def test_state_is_kept_as_long_as_asked_for(case, memory):
    family.check_memory(case, memory)
