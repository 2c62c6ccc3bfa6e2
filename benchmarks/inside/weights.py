"""What becomes of a network's weights: norms, and spectral radii of the recurrent ones.

Pure functions of a network.
"""

from typing import NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
from flax import nnx

from models.network import Network


class Weights(NamedTuple):
    """Of a network at one moment of its training, by the names of its weights.

    Attributes:
        norms: Frobenius norm of all weights of a name.
        radii: spectral radius, the largest absolute eigenvalue, of each square block of the
            recurrent matrices; blocks of one matrix are numbered from 0.
    """

    norms: dict[str, float]
    radii: dict[str, float]


def recurrent_rows(network: Network, n_in: int) -> dict[str, np.ndarray]:
    """Which rows of the cell's matrices the state is multiplied by, by name, `[rows]` bool.

    Found without knowing the cell: with no input and a random state, exactly the weights from the
    state (and from units that it drives in the same step) have an effect. Matrices without any
    such row are left out.
    """
    graph, params = nnx.split(network.cell, nnx.Param)
    keys = iter(jax.random.split(jax.random.key(0), 100))

    def random(leaf):
        return jax.random.normal(next(keys), leaf.shape, leaf.dtype)

    carry = jax.tree.map(random, network.cell.initialize_carry((n_in,), nnx.Rngs(0)))
    step = nnx.merge(graph, params)(carry, jnp.zeros(n_in))
    mix = jax.tree.map(random, step)  # a sum with random signs: no two effects cancel

    def effect(params):
        after = nnx.merge(graph, params)(carry, jnp.zeros(n_in))
        pairs = zip(*map(jax.tree.leaves, (after, mix)), strict=True)
        return sum(jnp.vdot(a, b).real for a, b in pairs)

    gradients = _named(jax.device_get(jax.grad(effect)(params)))
    rows = {name: np.any(g != 0, -1) for name, g in gradients.items() if g.ndim == 2}
    return {name: which for name, which in rows.items() if which.any()}


def measured(params, rows: dict[str, np.ndarray]) -> Weights:
    """Norms and radii of a network's weights.

    Args:
        params: of the whole network; those of its cell are below `cell`.
        rows: `recurrent_rows` of the network.
    """
    named = _named(params)
    radii = {}
    for name, which in rows.items():
        recurrent = named[f"cell.{name}"][which]
        size, width = recurrent.shape
        blocks = np.split(recurrent, width // size, -1) if width % size == 0 else []
        for i, block in enumerate(blocks):
            radii[name if len(blocks) == 1 else f"{name}[{i}]"] = spectral_radius(block)
    norms = {name.removeprefix("cell."): float(np.linalg.norm(w)) for name, w in named.items()}
    return Weights(norms, radii)


def spectral_radius(matrix: np.ndarray) -> float:
    """Largest absolute eigenvalue of a square matrix."""
    return float(np.abs(np.linalg.eigvals(matrix)).max())


def _named(params: nnx.State) -> dict[str, np.ndarray]:
    leaves = jax.tree_util.tree_leaves_with_path(nnx.to_pure_dict(params))
    return {
        jax.tree_util.keystr(path, simple=True, separator="."): np.asarray(leaf)
        for path, leaf in leaves
    }
