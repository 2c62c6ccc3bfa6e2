import jax.numpy as jnp
import numpy as np
import pytest
from flax import nnx

from models.gru import GRU
from models.gru_variants import MGU, ResetAfterGRU
from models.mut import MUT1, MUT2
from models.mut_separate import MUT1Separate, MUT2Separate
from tests.models.case import N_IN, H, close, named, walk, walked, weights64
from tests.models.cases import CASE

pytestmark = pytest.mark.usefixtures("float64")


def of_flax(W_x, b, W_h):
    theirs = nnx.GRUCell(N_IN, H, param_dtype=jnp.float64, rngs=nnx.Rngs(0))
    nnx.update(theirs, {"dense_i": {"kernel": W_x, "bias": b}, "dense_h": {"kernel": W_h}})
    return theirs


def test_without_its_recurrent_bias_the_reset_after_gru_is_that_of_flax():
    w, xs = weights64(ResetAfterGRU)
    w["b_hh"] = jnp.zeros(H)
    close(walked(ResetAfterGRU, w, xs), walk(of_flax(w["W_x"], w["b"], w["W_h"]), xs))


def test_the_reset_after_gru_is_that_of_torch_with_two_biases_per_gate():
    w, xs = weights64(ResetAfterGRU)
    rng = np.random.default_rng(1)
    W_x, W_h = np.asarray(w["W_x"]).T, np.asarray(w["W_h"]).T
    recurrent = np.concatenate([rng.standard_normal(2 * H), np.asarray(w["b_hh"])])
    outer = np.asarray(w["b"]) - np.append(recurrent[: 2 * H], np.zeros(H))
    h = np.zeros(H)
    for x, mine in zip(np.asarray(xs), walked(ResetAfterGRU, w, xs), strict=True):
        a, b = np.split(W_x @ x + outer, 3), np.split(W_h @ h + recurrent, 3)
        r, z = (1 / (1 + np.exp(-a[i] - b[i])) for i in range(2))
        h = (1 - z) * np.tanh(a[2] + r * b[2]) + z * h
        close(mine, h)


@pytest.mark.parametrize(("reset_bias", "same"), [(0.0, False), (1e3, True)])
def test_the_place_of_the_reset_is_what_tells_the_two_grus_apart(reset_bias, same):
    w, xs = weights64(ResetAfterGRU)
    w["b"], w["b_hh"] = w["b"].at[:H].set(reset_bias), jnp.zeros(H)
    before = {"W_x": w["W_x"], "W_h": w["W_h"][:, : 2 * H], "W_hh": w["W_h"][:, 2 * H :]}
    a, b = walked(ResetAfterGRU, w, xs), walked(GRU, before | {"b": w["b"]}, xs)
    assert np.allclose(a, b, rtol=1e-12, atol=1e-13) == same


def test_an_mgu_is_a_gru_whose_reset_gate_is_its_open_update_gate():
    w, xs = weights64(MGU)
    f, h = jnp.split(w["W_x"], 2, -1)
    b_f, b_h = jnp.split(w["b"], 2)
    gru = {
        "W_x": jnp.concatenate([f, -f, h], -1),
        "W_h": jnp.concatenate([w["W_hf"], -w["W_hf"]], -1),
        "W_hh": w["W_hh"],
        "b": jnp.concatenate([b_f, -b_f, b_h]),
    }
    close(walked(MGU, w, xs), walked(GRU, gru, xs))


def test_mut2_with_separate_matrices_is_a_gru():
    w, xs = weights64(MUT2Separate)
    (z, r, h), (hz, hr) = jnp.split(w["W_x"], 3, -1), jnp.split(w["W_h"], 2, -1)
    b_z, b_r, b_h = jnp.split(w["b"], 3)
    gru = {
        "W_x": jnp.concatenate([r, -z, h], -1),
        "W_h": jnp.concatenate([hr, -hz], -1),
        "W_hh": w["W_hh"],
        "b": jnp.concatenate([b_r, -b_z, b_h]),
    }
    close(walked(MUT2Separate, w, xs), walked(GRU, gru, xs))


def test_mut1_with_one_matrix_is_a_case_of_that_with_separate_ones():
    """The map is multiplied out; not the other way round, as the three maps may differ freely."""
    separate = named(CASE[MUT1Separate], weights64(MUT1Separate)[0])
    w, xs = weights64(MUT1Separate)
    rng = np.random.default_rng(1)
    W_u = jnp.asarray(rng.standard_normal((H, 2 * H)))
    W_xu = jnp.asarray(separate["xh"].T)
    one = {"W_xu": W_xu, "W_u": W_u, "W_hr": w["W_hr"], "W_hh": w["W_hh"], "b": w["b"]}
    w["W_x"] = jnp.concatenate([W_xu @ W_u, W_xu], -1)
    close(walked(MUT1Separate, w, xs), walked(MUT1, one, xs))


@pytest.mark.parametrize(("reset_bias", "same"), [(0.0, False), (1e3, True)])
def test_gru_differs_from_flax_by_the_place_of_the_reset_only(reset_bias, same):
    w, xs = weights64(GRU)
    w["b"] = w["b"].at[:H].set(reset_bias)
    recurrent = jnp.concatenate([w["W_h"], w["W_hh"]], -1)
    theirs = of_flax(w["W_x"], w["b"], recurrent)
    assert np.allclose(walked(GRU, w, xs), walk(theirs, xs), rtol=1e-12, atol=1e-13) == same


def test_mut2_is_a_gru_once_its_input_map_is_multiplied_out():
    weights, xs = weights64(MUT2)
    w = named(CASE[MUT2], weights)
    flipped = {
        "xr": w["xu"],
        "hr": w["hr"],
        "b_r": w["b_r"],
        "xz": -w["uz"] @ w["xu"],
        "hz": -w["hz"],
        "b_z": -w["b_z"],
        "xh": w["uh"] @ w["xu"],
        "hh": w["hh"],
        "b_h": w["b_h"],
    }
    close(walked(MUT2, weights, xs), CASE[GRU].unroll(flipped, xs)[0])
