"""The linear recurrent unit: a diagonal recurrence without a nonlinearity.

Example:
    >>> import jax.numpy as jnp
    >>> from flax import nnx
    >>> from models.network import Recurrent
    >>> network = Recurrent(LRU, hidden=16).build(n_in=2, n_out=1, rngs=nnx.Rngs(0))
    >>> network(jnp.zeros((3, 50, 2)), length=jnp.array([50, 20, 1])).shape
    (3, 50, 1)
"""

import jax
import jax.numpy as jnp
from flax import nnx

from models.cell import Cell, input_kernel, memory_steps
from models.parallel import held, linear_recurrence
from models.products import product


class LRU(Cell):
    r"""Linear recurrent unit: complex states that decay and turn (Orvieto et al. 2023).

    .. math::

        \lambda &= \exp(-e^\nu + i e^\theta) \\
        s_t &= \lambda \odot s_{t-1} + e^\gamma \odot (B x_t) \\
        y_t &= \mathrm{gelu}(\mathrm{Re}(C s_t) + D x_t)

    Orvieto et al. 2023, "Resurrecting Recurrent Neural Networks for Long Sequences". At the start
    :math:`\lambda` is uniform on the unit disk, or has the modulus :math:`e^{-1/m}` if a unit is
    to remember for m steps, and :math:`e^\gamma = \sqrt{1 - |\lambda|^2}`.

    Weights: H (3n_in + 2H + 3).

    Attributes:
        carried: names of the vectors of the carry: real and imaginary part of the state.
        nu: `[H]`, logarithm of minus the logarithm of the modulus.
        theta: `[H]`, logarithm of the angle.
        gamma: `[H]`, logarithm of the scale of what is written.
        W_x: `[n_in, 3H]`, columns real and imaginary part of B, D.
        W_s: `[2H, H]`, rows real part of C, minus its imaginary part.
    """

    carried = ("real", "imaginary")
    settings = ("memory",)

    def __init__(
        self,
        in_features: int,
        hidden_features: int,
        *,
        memory: float | jax.Array | None = None,
        rngs: nnx.Rngs,
    ):
        H = self.hidden_features = hidden_features
        nu = _disk(H, rngs) if memory is None else -jnp.log(memory_steps(memory, H, rngs))
        self.nu = nnx.Param(nu)
        self.theta = nnx.Param(jnp.log(2 * jnp.pi * _uniform(H, rngs)))
        # log(1 - |λ|²) / 2; expm1 is exact where the modulus is near 1
        self.gamma = nnx.Param(jnp.log(-jnp.expm1(-2 * jnp.exp(nu))) / 2)
        halved = jnp.repeat(jnp.array([0.5, 0.5, 1.0], jnp.float32) ** 0.5, H)
        self.W_x = nnx.Param(halved * input_kernel(in_features, 3 * H, rngs)[...])
        self.W_s = nnx.Param(2**0.5 * input_kernel(2 * H, H, rngs)[...])

    @property
    def precision(self) -> jnp.dtype:
        """That of its real numbers: it has no bias."""
        return self.nu.dtype

    def initialize_carry(self, input_shape, rngs=None, carry_init=None):
        """As `Cell.initialize_carry`, for real and imaginary part, each `[..., H]`."""
        draw = super().initialize_carry
        return draw(input_shape, rngs, carry_init), draw(input_shape, rngs, carry_init)

    def __call__(
        self, carry: tuple[jax.Array, jax.Array], x: jax.Array
    ) -> tuple[tuple[jax.Array, jax.Array], jax.Array]:
        """One step: ((re, im) each `[..., H]`, x `[..., n_in]`) -> ((new re, new im), y)."""
        re, im = carry
        a, b = self._decay()
        u, v, direct = self._fed(x)
        re, im = a * re - b * im + u, a * im + b * re + v
        return (re, im), self._answer(re, im, direct)

    def unrolled(self, xs: jax.Array, alive: jax.Array) -> jax.Array:
        """All steps at once: xs `[T, ..., n_in]`, alive `[T, ...]` bool -> y `[T, ..., H]`.

        As the steps one by one from a zero carry, the state held where not alive.
        """
        u, v, direct = self._fed(xs)
        decay, push = held(alive, jax.lax.complex(*self._decay()), jax.lax.complex(u, v))
        states = linear_recurrence(decay, push)
        return self._answer(states.real, states.imag, direct)

    def _decay(self) -> tuple[jax.Array, jax.Array]:
        """Real and imaginary part of λ, `[H]`."""
        modulus, angle = jnp.exp(-jnp.exp(self.nu[...])), jnp.exp(self.theta[...])
        return modulus * jnp.cos(angle), modulus * jnp.sin(angle)

    def _fed(self, x: jax.Array) -> tuple[jax.Array, jax.Array, jax.Array]:
        """What x writes, real and imaginary part, and what it adds to the output directly."""
        u, v, direct = jnp.split(product(x, self.W_x), 3, -1)
        scale = jnp.exp(self.gamma[...])
        return scale * u, scale * v, direct

    def _answer(self, re: jax.Array, im: jax.Array, direct: jax.Array) -> jax.Array:
        states = jnp.concatenate([re, im], -1)
        return jax.nn.gelu(product(states, self.W_s) + direct)  # FIDELITY C19


def _uniform(n: int, rngs: nnx.Rngs) -> jax.Array:
    """Uniform numbers `[n]` that have a finite logarithm."""
    return jax.random.uniform(rngs.params(), (n,), jnp.float32, minval=1e-6)


def _disk(n: int, rngs: nnx.Rngs) -> jax.Array:
    """ν `[n]` of numbers that lie uniformly on the unit disk: the square of their modulus is."""
    return jnp.log(-jnp.log(_uniform(n, rngs)) / 2)
