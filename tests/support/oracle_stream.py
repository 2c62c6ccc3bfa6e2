"""On-line learning along a stream a second time: plain Python and NumPy, in float64."""

import numpy as np

from tests.support import oracle00, oracles


class Walk:
    """The continual grammar, by the strings that have come; choices are numbers in [0, 1)."""

    alphabet = "BTPSXVE"

    def __init__(self):
        self.string = ""

    def legal(self):
        return sorted(oracles.legal_after(self.string), key=self.alphabet.index)

    def draw(self, chance):
        """The symbol that comes: each of those that may is as likely, in the alphabet's order."""
        legal = self.legal()
        return legal[int(chance * len(legal))]

    def follow(self, symbol):
        self.string += symbol
        if oracles.EMBEDDED_REBER.fullmatch(self.string):
            self.string = ""


def learn(net, chances, rate, *, decay=1.0, longest=10**9, tolerance=0.49, resets=False):
    """What a symbol for each chance leaves.

    Returns:
        The net, how many training streams have ended, and the net at the end of the last of them.
    """
    walk, ended, place, inputs, carried = Walk(), 0, 0, [], None
    tested = net
    for chance in chances:
        if place == 0:
            walk, inputs = Walk(), []
        if not inputs or (resets and walk.string == ""):
            carried = None
        symbol = walk.draw(chance)
        walk.follow(symbol)
        inputs.append(np.eye(7)[walk.alphabet.index(symbol)])
        target = np.array([float(s in walk.legal()) for s in walk.alphabet])
        # The weights change under way, so that states and their derivatives are carried along.
        net, y, carried = step(net, inputs[-1], target, carried, rate * decay**place)
        place += 1
        if (abs(y - target) >= tolerance).any() or place >= longest:
            ended, place, tested = ended + 1, 0, net
    return net, ended, tested


def step(net, x, target, carried, rate):
    """One symbol: the changed net, outputs before the change, and what goes on to the next."""
    B, S = net.blocks, net.size
    gates, cells = len(net.bias), net.blocks * net.size
    forgets = gates == 3 * B
    sources = len(net.hidden) + 1
    if carried is None:
        kinds = ("in", "forget", "cell")
        carried = np.zeros(cells), np.zeros(cells), {k: np.zeros((cells, sources)) for k in kinds}
    s, y, traces = carried
    m = np.concatenate([x, y, [1.0]])
    weights = np.vstack([net.hidden, np.append(net.bias, np.zeros(cells))])
    f = oracle00.f
    new_s, new_y, slopes, new_traces = np.zeros(cells), np.zeros(cells), {}, {}
    for k in traces:
        new_traces[k] = np.zeros((cells, sources))
    for v in range(cells):
        j = v // S
        y_out, y_in = f(m @ weights[:, j]), f(m @ weights[:, B + j])
        y_f = f(m @ weights[:, 2 * B + j]) if forgets else 1.0
        net_c = m @ weights[:, gates + v]
        g, slope = 4 * f(net_c) - 2, 4 * f(net_c) * (1 - f(net_c))
        new_s[v] = y_f * s[v] + y_in * g
        new_y[v] = y_out * (2 * f(new_s[v]) - 1)
        slopes[v] = y_out
        new_traces["in"][v] = y_f * traces["in"][v] + g * y_in * (1 - y_in) * m
        new_traces["forget"][v] = y_f * traces["forget"][v] + s[v] * y_f * (1 - y_f) * m
        new_traces["cell"][v] = y_f * traces["cell"][v] + y_in * slope * m
    outputs = oracle00.outputs(net, x, new_y)
    e = outputs * (1 - outputs) * (target - outputs)
    moved = weights.copy()
    for v in range(cells):
        j = v // S
        back = net.readout[len(x) + v] @ e
        squashed = 2 * f(new_s[v]) - 1
        e_s = slopes[v] * (1 - squashed**2) / 2 * back
        moved[:, j] += rate * slopes[v] * (1 - slopes[v]) * squashed * back * m
        moved[:, B + j] += rate * e_s * new_traces["in"][v]
        if forgets:
            moved[:, 2 * B + j] += rate * e_s * new_traces["forget"][v]
        moved[:-1, gates + v] += rate * e_s * new_traces["cell"][v][:-1]
    seen = np.concatenate([x, new_y])
    changed = net._replace(
        hidden=moved[:-1],
        bias=moved[-1, :gates],
        readout=net.readout + rate * np.outer(seen, e),
        readout_bias=net.readout_bias + rate * e,
    )
    return changed, outputs, (new_s, new_y, new_traces)
