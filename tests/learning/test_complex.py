"""Complex weights train downhill, as the same cell written in real numbers does."""

import jax
import jax.numpy as jnp
import numpy as np
from flax import nnx

from benchmarks.learning.lanes import Lanes, Run
from models.network import Recurrent
from tests.cells.complex_lru import ComplexLRU
from tests.support.tiny import experiment

DECAY = 0.9


class _Linear(nnx.RNNCellBase):
    """s = DECAY s + B x with complex B; the output is the imaginary part through tanh."""

    num_feature_axes = 1

    def __init__(self, n_in, n_hidden, *, rngs):
        draw = jax.random.normal(rngs.params(), (2, n_in, n_hidden)) / 4
        self.keep(draw[0], draw[1])
        self.n_hidden = n_hidden

    def step(self, s, real, imaginary):
        s = (DECAY * s[0] + real, DECAY * s[1] + imaginary)
        return s, jnp.tanh(s[1] + 0.1 * s[0] * s[1])

    def initialize_carry(self, input_shape, rngs=None, carry_init=None):
        return (jnp.zeros(self.n_hidden), jnp.zeros(self.n_hidden))


class InComplexNumbers(_Linear):
    def keep(self, real, imaginary):
        self.B = nnx.Param(real + 1j * imaginary)

    def __call__(self, carry, x):
        added = x @ self.B[...]
        return self.step(carry, jnp.real(added), jnp.imag(added))


class InReals(_Linear):
    def keep(self, real, imaginary):
        self.real, self.imaginary = nnx.Param(real), nnx.Param(imaginary)

    def __call__(self, carry, x):
        return self.step(carry, x @ self.real[...], x @ self.imaginary[...])


def trained(cell):
    tried = experiment(rate=0.02, model=Recurrent(cell, hidden=4))
    lanes = Lanes(0, [Run(tried, 0)])
    for _ in range(6):  # 48 updates
        lanes.advance()
    return lanes


def test_complex_weights_learn_as_their_real_and_imaginary_parts_do():
    in_complex, in_reals = trained(InComplexNumbers), trained(InReals)
    assert in_complex.run.weights == in_reals.run.weights
    B, (real, imaginary) = weights(in_complex, "B"), weights(in_reals, "real", "imaginary")
    np.testing.assert_allclose(B[0], real + 1j * imaginary, rtol=1e-4, atol=1e-5)
    errors = [np.asarray(lanes._inspection().error[0]) for lanes in (in_complex, in_reals)]
    np.testing.assert_allclose(*errors, rtol=1e-4, atol=1e-5)
    start = Lanes(0, [Run(experiment(model=Recurrent(InReals, hidden=4)), 0)])
    assert errors[0].mean() < 0.8 * float(start._inspection().error[0].mean())


def weights(lanes, *names):
    """Weights of the cell of the first trial."""
    return [np.asarray(lanes.trials.params["cell"][name][...][0]) for name in names]


class RealLRU(ComplexLRU):
    """`ComplexLRU` with the same weights, each complex one as two real ones."""

    def __init__(self, n_in, n_hidden, *, rngs):
        super().__init__(n_in, n_hidden, rngs=rngs)
        B, C = self.B[...], self.C[...]
        del self.B, self.C
        self.B_re, self.B_im = nnx.Param(B.real), nnx.Param(B.imag)
        self.C_re, self.C_im = nnx.Param(C.real), nnx.Param(C.imag)

    def initialize_carry(self, input_shape, rngs=None, carry_init=None):
        zero = jnp.zeros((*input_shape[:-1], self.n_hidden))
        return zero, zero

    def __call__(self, s, x):
        modulus, angle = jnp.exp(-jnp.exp(self.nu[...])), self.theta[...]
        a, b = modulus * jnp.cos(angle), modulus * jnp.sin(angle)
        re, im = s
        re, im = a * re - b * im + x @ self.B_re[...], a * im + b * re + x @ self.B_im[...]
        return (re, im), jnp.tanh(re @ self.C_re[...] - im @ self.C_im[...] + self.D(x))


def losses(cell, updates):
    """Training losses of one trial before each of its updates."""
    tried = experiment(rate=0.01, model=Recurrent(cell, hidden=4), inspect_every=1)
    lanes = Lanes(0, [Run(tried, 0)])
    loss = jax.jit(lambda trial, batch: lanes.run._loss(trial.params, trial, batch)[0])
    found = []
    for _ in range(updates):
        now = jax.tree.map(lambda leaf: leaf[0], (lanes.trials, lanes._training()))
        found.append(float(loss(*now)))
        lanes.advance()
    return found


def test_an_lru_learns_in_complex_numbers_as_in_reals():
    in_complex, in_reals = losses(ComplexLRU, 50), losses(RealLRU, 50)
    np.testing.assert_allclose(in_complex, in_reals, atol=1e-5)
    assert np.mean(in_complex[-5:]) < 0.8 * np.mean(in_complex[:5])
