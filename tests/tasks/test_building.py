import jax
import jax.numpy as jnp
import numpy as np
import pytest
import scipy.special

from tasks.building import draw_bits, erf_inv, normal

KEYS = [jax.random.key(0), jax.random.key(2**31 - 1), jax.random.fold_in(jax.random.key(5), 7)]


@pytest.mark.parametrize("key", KEYS)
@pytest.mark.parametrize("count", [1, 2, 7, 1203])
def test_words_are_those_of_jax(key, count):
    np.testing.assert_array_equal(draw_bits(key, count), jax.random.bits(key, (count,), jnp.uint32))


@pytest.mark.parametrize("impl", ["rbg", "unsafe_rbg"])
def test_keys_of_other_generators_draw_words_too(impl):
    keys = jax.random.split(jax.random.key(3, impl=impl), 4)
    keys = [jax.random.key(3, impl=impl), jax.random.fold_in(keys[0], 1), *keys]
    rows = [np.asarray(draw_bits(key, 11)) for key in keys]
    assert len(set(np.concatenate(rows).tolist())) == 11 * len(keys)
    np.testing.assert_array_equal(rows[0], draw_bits(jax.random.key(3), 11))


def test_words_of_many_keys_at_once():
    keys = jax.random.split(jax.random.key(3), 5)
    found = jax.vmap(lambda key: draw_bits(key, 11))(keys)
    for key, row in zip(keys, found, strict=True):
        np.testing.assert_array_equal(row, jax.random.bits(key, (11,), jnp.uint32))


def test_normal_numbers_are_those_of_jax():
    key = jax.random.key(1)
    found, expected = normal(draw_bits(key, 4096)), jax.random.normal(key, (4096,), jnp.float32)
    np.testing.assert_allclose(found, expected, rtol=1e-5, atol=1e-7)


def test_inverse_of_the_error_function():
    close = 1 - np.geomspace(1e-7, 0.1, 1001)
    x = np.concatenate([-close, np.linspace(-0.9, 0.9, 2002), close]).astype(np.float32)
    np.testing.assert_allclose(erf_inv(x), scipy.special.erfinv(x.astype(float)), rtol=5e-7)


def test_normal_numbers_are_finite_at_both_ends():
    ends = normal(jnp.array([0, 2**32 - 1], jnp.uint32))
    assert jnp.isfinite(ends).all()
    assert -6 < ends[0] < -5
    assert 5 < ends[1] < 6
