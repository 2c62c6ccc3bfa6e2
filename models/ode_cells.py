"""Cells that take steps of a differential equation: its step size is how slowly they forget.

The step size is a constant that the authors tune, not a weight. Here it is kept among the weights,
so that trials that differ in it share a program, but no gradient reaches it.

Example:
    >>> import jax.numpy as jnp
    >>> from flax import nnx
    >>> from models.network import Recurrent
    >>> for cell in (AntisymmetricRNN, CoRNN, LEM):
    ...     network = Recurrent(cell, hidden=16).build(n_in=2, n_out=1, rngs=nnx.Rngs(0))
    ...     network(jnp.zeros((3, 50, 2)), length=jnp.array([50, 20, 1])).shape
    (3, 50, 1)
    (3, 50, 1)
    (3, 50, 1)
"""

import jax
import jax.numpy as jnp
from flax import nnx

from models.cell import Cell, input_kernel, memory_steps, recurrent_kernel, zero_bias
from models.products import product

Pair = tuple[jax.Array, jax.Array]


def _fixed(size: nnx.Param) -> jax.Array:
    """A step size as a number that is not learnt."""
    return jax.lax.stop_gradient(size[...])  # FIDELITY C20


class _TwoStates(Cell):
    """A cell with a second state z beside its output y."""

    carried = ("y", "z")
    settings = ("memory",)

    def initialize_carry(self, input_shape, rngs=None, carry_init=None):
        """As `Cell.initialize_carry`, for the pair (y, z), each `[..., H]`."""
        draw = super().initialize_carry
        return draw(input_shape, rngs, carry_init), draw(input_shape, rngs, carry_init)


class AntisymmetricRNN(Cell):
    r"""Euler steps of an equation that neither decays nor explodes (Chang et al. 2019).

    .. math::

        h_t = h_{t-1} + \epsilon \odot
            \tanh((W - W^\top - \gamma I) h_{t-1} + V x_t + b)

    Chang et al. 2019, "AntisymmetricRNN: A Dynamical System View on Recurrent Neural Networks",
    without gate. A memory of m steps is a step size of 1/m: at most 1/m is written in a step.

    Weights: H ((H - 1)/2 + n_in + 2), of them H step sizes, which are not learnt.

    Attributes:
        gamma: strength of diffusion, which makes up for what Euler's method adds.
        V: `[n_in, H]`.
        W: `[H (H - 1) / 2]`, what lies above the diagonal, row by row; the rest is zero.
        b: `[H]`.
        epsilon: `[H]`, step sizes.
    """

    settings = ("memory",)
    gamma = 0.01  # FIDELITY C21

    def __init__(
        self,
        in_features: int,
        hidden_features: int,
        *,
        memory: float | jax.Array | None = None,
        rngs: nnx.Rngs,
    ):
        H = self.hidden_features = hidden_features
        self.V = input_kernel(in_features, H, rngs)
        draw = nnx.initializers.normal(H**-0.5)  # FIDELITY C3
        self.W = nnx.Param(draw(rngs.params(), (H * (H - 1) // 2,), jnp.float32))
        self.b = zero_bias(H)
        self.epsilon = nnx.Param(1 / memory_steps(100.0 if memory is None else memory, H, rngs))

    def __call__(self, carry: jax.Array, x: jax.Array) -> tuple[jax.Array, jax.Array]:
        """One step: (h `[..., H]`, x `[..., n_in]`) -> (new h, new h)."""
        turned = carry @ self._antisymmetric().T - self.gamma * carry
        h = carry + _fixed(self.epsilon) * jnp.tanh(turned + product(x, self.V) + self.b)
        return h, h

    def _antisymmetric(self) -> jax.Array:
        """W minus its transpose, `[H, H]`, to multiply a column from the left."""
        H = self.hidden_features
        upper = jnp.zeros((H, H), self.W.dtype).at[jnp.triu_indices(H, 1)].set(self.W[...])
        return upper - upper.T


class CoRNN(_TwoStates):
    r"""Coupled oscillators, driven and damped (Rusch & Mishra 2021).

    .. math::

        z_t &= z_{t-1} + \Delta t \odot (\tanh(W_{yz} y_{t-1} + W_{zz} z_{t-1} + W_{xz} x_t + b)
            - \gamma y_{t-1} - \epsilon z_{t-1}) \\
        y_t &= y_{t-1} + \Delta t \odot z_t

    Rusch & Mishra 2021, "Coupled Oscillatory Recurrent Neural Network (coRNN)". Left alone, an
    oscillator shrinks by :math:`\sqrt{1 - \epsilon \Delta t}` in a step; a memory of m steps makes
    that :math:`e^{-1/m}`.

    Weights: H (n_in + 2H + 2), of them H step sizes, which are not learnt.

    Attributes:
        carried: names of the vectors of the carry.
        gamma: square of the frequency.
        epsilon: damping.
        W_x: `[n_in, H]`.
        W_yz: `[H, H]`.
        W_zz: `[H, H]`.
        b: `[H]`.
        dt: `[H]`, step sizes.
    """

    gamma = 1.0  # FIDELITY C22
    epsilon = 1.0

    def __init__(
        self,
        in_features: int,
        hidden_features: int,
        *,
        memory: float | jax.Array | None = None,
        rngs: nnx.Rngs,
    ):
        H = self.hidden_features = hidden_features
        self.W_x = input_kernel(in_features, H, rngs)
        self.W_yz = recurrent_kernel(H, 1, rngs)
        self.W_zz = recurrent_kernel(H, 1, rngs)
        self.b = zero_bias(H)
        self.dt = nnx.Param(_fading(memory, H, rngs) / self.epsilon)

    def __call__(self, carry: Pair, x: jax.Array) -> tuple[Pair, jax.Array]:
        """One step: ((y, z) each `[..., H]`, x `[..., n_in]`) -> ((new y, new z), new y)."""
        y, z = carry
        dt = _fixed(self.dt)
        driven = product(x, self.W_x) + product(y, self.W_yz) + product(z, self.W_zz) + self.b
        z = z + dt * (jnp.tanh(driven) - self.gamma * y - self.epsilon * z)
        y = y + dt * z
        return (y, z), y


def _fading(memory: float | jax.Array | None, H: int, rngs: nnx.Rngs) -> jax.Array:
    """Damping per step `[H]` under which the amplitude falls by e in `memory` steps."""
    if memory is None:
        return jnp.full(H, 0.06, jnp.float32)
    return -jnp.expm1(-2 / memory_steps(memory, H, rngs))


class LEM(_TwoStates):
    r"""Long expressive memory: two coupled states with step sizes of their own (Rusch et al. 2022).

    .. math::

        \Delta t &= \delta \odot \sigma(W_{xs} x_t + W_{ys} y_{t-1} + b_s) \\
        \overline{\Delta t} &= \delta \odot \sigma(W_{xu} x_t + W_{yu} y_{t-1} + b_u) \\
        z_t &= (1 - \Delta t) \odot z_{t-1}
            + \Delta t \odot \tanh(W_{xz} x_t + W_{yz} y_{t-1} + b_z) \\
        y_t &= (1 - \overline{\Delta t}) \odot y_{t-1}
            + \overline{\Delta t} \odot \tanh(W_{xy} x_t + W_{zy} z_t + b_y)

    Rusch et al. 2022, "Long Expressive Memory for Sequence Modeling". A memory of m steps, at
    least 2, makes :math:`\delta = 2/m`: gates start half open, and each state is kept for m steps.

    Weights: H (4n_in + 4H + 5), of them H step sizes, which are not learnt.

    Attributes:
        carried: names of the vectors of the carry.
        W_x: `[n_in, 4H]`, columns s, u, z, y.
        W_y: `[H, 3H]`, columns s, u, z.
        W_zy: `[H, H]`.
        b: `[4H]`, s, u, z, y.
        dt: `[H]`, the largest step sizes, δ.
    """

    def __init__(
        self,
        in_features: int,
        hidden_features: int,
        *,
        memory: float | jax.Array | None = None,
        rngs: nnx.Rngs,
    ):
        H = self.hidden_features = hidden_features
        self.W_x = input_kernel(in_features, 4 * H, rngs)
        self.W_y = recurrent_kernel(H, 3, rngs)
        self.W_zy = recurrent_kernel(H, 1, rngs)
        self.b = zero_bias(4 * H)
        self.dt = nnx.Param(
            2 / memory_steps(2.0 if memory is None else memory, H, rngs)
        )  # FIDELITY C23

    def gates(self, carry: Pair, x: jax.Array) -> dict[str, jax.Array]:
        """Step sizes and candidates of z and y in one step, each `[..., H]`."""
        y, z = carry
        xs, xu, xz, xy = jnp.split(product(x, self.W_x) + self.b, 4, -1)
        ys, yu, yz = jnp.split(product(y, self.W_y), 3, -1)
        dt = _fixed(self.dt)
        of_z, of_y = dt * jax.nn.sigmoid(xs + ys), dt * jax.nn.sigmoid(xu + yu)
        candidate_z = jnp.tanh(xz + yz)
        new = _moved(z, of_z, candidate_z)
        candidate_y = jnp.tanh(xy + product(new, self.W_zy))
        return {"dt z": of_z, "dt y": of_y, "candidate z": candidate_z, "candidate y": candidate_y}

    def __call__(self, carry: Pair, x: jax.Array) -> tuple[Pair, jax.Array]:
        """One step: ((y, z) each `[..., H]`, x `[..., n_in]`) -> ((new y, new z), new y)."""
        of_z, of_y, candidate_z, candidate_y = self.gates(carry, x).values()
        y, z = _moved(carry[0], of_y, candidate_y), _moved(carry[1], of_z, candidate_z)
        return (y, z), y


def _moved(old: jax.Array, step: jax.Array, new: jax.Array) -> jax.Array:
    return (1 - step) * old + step * new
