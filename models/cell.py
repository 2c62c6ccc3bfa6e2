"""What the modern cells share: initial weights and a carry that starts at zero."""

import jax
import jax.numpy as jnp
from flax import nnx


def input_kernel(n_in: int, n_out: int, rngs: nnx.Rngs) -> nnx.Param:
    """Weights `[n_in, n_out]` from an input; variance 1/n_in (LeCun et al. 1998).

    Every entry is drawn alike, so the kernels of several gates can be drawn as one.
    """
    draw = nnx.initializers.lecun_normal()  # FIDELITY C3
    return nnx.Param(draw(rngs.params(), (n_in, n_out), jnp.float32))


def recurrent_kernel(
    hidden: int, gates: int, rngs: nnx.Rngs, scale: float | jax.Array | None = None
) -> nnx.Param:
    """Weights `[hidden, gates * hidden]` from the state; one orthogonal block per gate.

    Orthogonal (Saxe et al. 2014): all singular values of a block are 1, or `scale`. Drawing
    the kernel as a whole would make only its rows orthogonal, and shrink each block by the root of
    `gates`.
    """
    draw = nnx.initializers.orthogonal()  # FIDELITY C3
    keys = jax.random.split(rngs.params(), gates)
    # All blocks in one QR decomposition: each one in the program costs a second of compiling.
    blocks = jax.vmap(lambda key: draw(key, (hidden, hidden), jnp.float32))(keys)
    kernel = jnp.concatenate(list(blocks), -1)
    return nnx.Param(kernel if scale is None else scale * kernel)


def zero_bias(n: int) -> nnx.Param:
    """A bias `[n]` of zeros."""
    return nnx.Param(jnp.zeros(n, jnp.float32))


def memory_bias(memory: float | jax.Array, units: int, rngs: nnx.Rngs) -> jax.Array:
    r"""Biases `[units]` of gates that keep their state for a given number of steps at the start.

    A gate of value f keeps a state for 1 / (1 - f) steps on average, so a unit that is to keep it
    for m steps gets the bias log(m - 1) (Tallec & Ollivier 2018, with net input 0 otherwise).

    Args:
        memory: the number of steps, above 1: one for all units, or a pair (low, high) between which
            each unit draws its own, uniformly; (2, T) is the chrono initialisation.
        units: number of units.
        rngs: where the draw comes from.
    """
    return jnp.log(memory_steps(memory, units, rngs) - 1)


def memory_steps(memory: float | jax.Array, units: int, rngs: nnx.Rngs) -> jax.Array:
    """Steps `[units]` that each unit is to keep its state for; arguments as of `memory_bias`."""
    low, high = jnp.broadcast_to(jnp.asarray(memory, jnp.float32), 2)
    return low + (high - low) * jax.random.uniform(rngs.params(), (units,), jnp.float32)


class Cell(nnx.RNNCellBase):
    """Base of the cells; the carry is one state vector unless a cell says otherwise.

    Every kernel is stored as `[from, to]`, so `x @ W` takes any leading batch axes. Kernels that
    multiply the same vector are stored side by side: on the CPU a loop pays for each operation.

    Attributes:
        carried: names of the vectors of the carry, for figures.
        batched: leading axes of carry and input are batch, whichever there are.
        settings: names of numbers that the constructor takes and a search may choose: "memory",
            the steps that gates keep their state for at the start (see `memory_bias`), or "scale",
            of the recurrent weights at the start. None means as the cell's authors start it.
        hidden_features: H, the number of hidden units.
        b: all biases of the cell, one per gate or candidate unit.
    """

    carried: tuple[str, ...] = ("h",)
    batched = True
    settings: tuple[str, ...] = ()

    hidden_features: int
    b: nnx.Param  # FIDELITY C2

    @property
    def num_feature_axes(self) -> int:
        """Number of trailing axes of an input that are features rather than batch."""
        return 1

    @property
    def precision(self) -> jnp.dtype:
        """That of the weights, in which the state is kept."""
        return self.b.dtype

    def initialize_carry(
        self,
        input_shape: tuple[int, ...],
        rngs: nnx.Rngs | nnx.RngStream | None = None,
        carry_init: nnx.Initializer | None = None,
    ) -> jax.Array:
        """The state before the first step, zero unless `carry_init` is given.

        Args:
            input_shape: `(..., n_in)`; leading axes are batch.
            rngs: read only where `carry_init` is given.
            carry_init: draws the state instead.

        Returns:
            `[..., H]`, in the precision of the weights.

        Raises:
            ValueError: `carry_init` without `rngs`.
        """
        shape = (*input_shape[:-1], self.hidden_features)
        if carry_init is None:
            return jnp.zeros(shape, self.precision)
        if rngs is None:
            raise ValueError("carry_init draws the state, so it needs rngs")
        stream = rngs.carry if isinstance(rngs, nnx.Rngs) else rngs
        return carry_init(stream(), shape, self.precision)
