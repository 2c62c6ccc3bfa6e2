"""Layers of flax's GRU as one cell."""

from flax import nnx


class StackedGRU(nnx.RNNCellBase):
    """Each layer is fed by the output of the one below."""

    def __init__(self, n_in, n_hidden, *, layers=2, rngs):
        self.n_hidden = n_hidden
        widths = [n_in] + [n_hidden] * (layers - 1)
        self.layers = nnx.List([nnx.GRUCell(n, n_hidden, rngs=rngs) for n in widths])

    def initialize_carry(self, input_shape, rngs=None, carry_init=None):
        return tuple(layer.initialize_carry(input_shape, rngs) for layer in self.layers)

    def __call__(self, carry, x):
        new = []
        for layer, h in zip(self.layers, carry, strict=True):
            h, x = layer(h, x)
            new.append(h)
        return tuple(new), x
