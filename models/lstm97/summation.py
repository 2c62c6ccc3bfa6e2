"""Adding to picked places of an array in a way that the CPU's compiler can put into a loop.

A scatter does it, too, but XLA makes no single kernel of a loop on a CPU that has one; and among
the many small kernels of a loop left in pieces, work was seen to go to and fro between threads.
"""

import jax


def add_at(array: jax.Array, places: tuple[jax.Array, ...], numbers: jax.Array) -> jax.Array:
    """`array.at[places].add(numbers)`, added in order, with all places in bounds.

    Args:
        array: `[..., *block]`, the leading axes as many as there are `places`.
        places: index of each leading axis, `[n]` int32 each.
        numbers: `[n, *block]`.
    """
    return jax.lax.platform_dependent(array, places, numbers, cpu=_one_by_one, default=scatter_at)


def scatter_at(array: jax.Array, places: tuple[jax.Array, ...], numbers: jax.Array) -> jax.Array:
    """The same as `add_at`, by a scatter on every platform."""
    return array.at[places].add(numbers, mode="promise_in_bounds")


def _one_by_one(array, places, numbers):
    block = (1,) * len(places) + numbers.shape[1:]
    start_of_block = [places[0].dtype.type(0)] * (numbers.ndim - 1)

    def one(i, array):
        place = *(axis[i] for axis in places), *start_of_block
        added = jax.lax.dynamic_slice(array, place, block) + numbers[i].reshape(block)
        return jax.lax.dynamic_update_slice(array, added, place)

    return jax.lax.fori_loop(0, len(numbers), one, array)
