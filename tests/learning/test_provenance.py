"""Settings of jax that change numbers are part of what an experiment is."""

from dataclasses import replace

import jax
import pytest

from benchmarks.learning import provenance
from tests.support.tiny import EXPERIMENT

OTHERS = {
    "jax_default_matmul_precision": "highest",
    "jax_default_prng_impl": "rbg",
    "jax_enable_x64": True,
    "jax_threefry_partitionable": False,
}


@pytest.fixture
def change():
    """Changes a setting of jax for the time of a test."""
    before = {name: getattr(jax.config, name) for name in OTHERS}
    yield jax.config.update
    for name, value in before.items():
        jax.config.update(name, value)


def test_the_usual_settings_are_not_mentioned():
    assert provenance.provenance()["jax_settings"] == ""


@pytest.mark.parametrize("name", OTHERS)
def test_another_setting_is_named_in_a_row_and_makes_another_experiment(name, change):
    usual = EXPERIMENT.digest
    change(name, OTHERS[name])
    assert provenance.provenance()["jax_settings"] == f"{name}={OTHERS[name]}"
    assert replace(EXPERIMENT).digest != usual


def test_several_settings_are_named_in_one_order(change):
    digests = {EXPERIMENT.digest}
    for name, value in list(OTHERS.items())[::-1]:
        change(name, value)
        digests.add(replace(EXPERIMENT).digest)
    assert len(digests) == 5
    text = ", ".join(f"{name}={value}" for name, value in OTHERS.items())
    assert provenance.jax_settings() == text
