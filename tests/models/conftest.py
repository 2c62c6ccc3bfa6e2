import jax
import pytest


@pytest.fixture
def float64():
    """Arrays are in double precision unless they say otherwise."""
    with jax.enable_x64(True):
        yield
