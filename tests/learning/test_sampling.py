import jax
import jax.numpy as jnp
import numpy as np
import pytest
from flax import nnx

from benchmarks.errors import UsageError
from benchmarks.learning import sampling
from benchmarks.learning.criteria import Inspection
from benchmarks.learning.experiment import Recipe
from benchmarks.learning.stream_learners import OnlineStream, Windows
from models.guess_net import A1_1
from models.lstm00.net import Net00
from models.network import Recurrent
from models.rnn import RNN
from tasks.continual_reber import ContinualReber, ContinualReberGers00
from tasks.parity import Parity
from tasks.reber import Reber
from tasks.texts import Brackets, Hello, Quotes
from tests.support import oracles
from tests.support.drawing import close

COUNT = 4000


def recipe(task, model, learner):
    return Recipe(task, model, learner, Inspection(3), 1000 * learner.batch, 1000)


def by_net(task, network, learner, temperature, count=COUNT, length=3):
    own = recipe(task, Recurrent(RNN, 4), learner)
    return sampling.by_network(network, own, jax.random.key(1), count, length, temperature)


@pytest.mark.parametrize("temperature", [0.5, 1.0, 3.0])
@pytest.mark.parametrize("learner", [Windows(), OnlineStream()], ids=["softmax", "logistic"])
def test_symbols_are_as_likely_as_the_net_says(temperature, learner):
    """Pairs behind the first symbol, from the net's outputs for each of them, in NumPy."""
    model = Net00() if isinstance(learner, OnlineStream) else Recurrent(RNN, 4)
    task = ContinualReberGers00(50) if isinstance(learner, OnlineStream) else Hello(50)
    network = model.build(task.n_in, task.n_out, nnx.Rngs(3))
    written = by_net(task, network, learner, temperature)
    first = task.alphabet[int(jnp.argmax(task.chances(task.begin())))]
    assert {text[0] for text in written.texts} == {first}
    one_hot = np.eye(task.n_in, dtype=np.float32)[[task.alphabet.index(first)]]
    net = np.asarray(network(jnp.asarray(one_hot), jnp.int32(1)), float)[0]
    share = np.exp(net) if isinstance(learner, Windows) else 1 / (1 + np.exp(-net))
    share = (share / share.sum()) ** (1 / temperature)
    share /= share.sum()
    seconds = [text[1] for text in written.texts]
    for symbol, p in zip(task.alphabet, share, strict=True):
        assert close(seconds.count(symbol) / COUNT, p, COUNT)


def test_the_net_hears_what_it_has_said():
    """A net that repeats its input: an a is followed by nothing but a."""
    task = Quotes(50, shortest=40)
    network = Recurrent(RNN, 4).build(4, 4, nnx.Rngs(0))
    state = nnx.state(network)
    state["cell"]["W_xh"][...] = 5 * jnp.eye(4)
    state["cell"]["W_hh"][...] = jnp.zeros((4, 4))
    state["readout"]["kernel"][...] = 50 * jnp.eye(4)
    nnx.update(network, state)
    written = by_net(task, network, Windows(), 1.0, 200, 20)
    assert set(written.texts) == {"a" * 20, "b" * 20}
    assert written.legal.all()


@pytest.mark.parametrize("task", [Reber(20), ContinualReber(50)])
def test_the_grammar_writes_strings_of_the_grammar(task):
    written = sampling.by_source(task, jax.random.key(0), COUNT, 20, 1.0)
    kept = float(sum(oracles.embedded_length_probability(n) for n in range(21)))
    assert close(written.legal.mean(), kept, COUNT)
    for text, legal in zip(written.texts, written.legal, strict=True):
        assert bool(oracles.EMBEDDED_REBER.fullmatch(text)) == legal
        assert legal or len(text) == 20
    for text in ("BTBTXSETE", "BPBPVVEPE"):
        p = float(oracles.embedded_probability(text))
        assert close(written.texts.count(text) / COUNT, p, COUNT)


def test_an_illegal_symbol_is_the_last_one():
    network = Recurrent(RNN, 4).build(7, 7, nnx.Rngs(0))
    written = by_net(ContinualReber(50), network, Windows(), 1.0, 500, 50)
    assert not written.legal.all()
    for text, legal in zip(written.texts, written.legal, strict=True):
        if legal:
            assert oracles.EMBEDDED_REBER.fullmatch(text)
        elif len(text) < 50:
            assert oracles.legal_after(text[:-1]) - {text[-1]}
            assert text[-1] not in oracles.legal_after(text[:-1])


@pytest.mark.parametrize("task", [Hello(50), Brackets(50), Quotes(50)], ids=str)
def test_beginnings_of_texts_are_legal(task):
    written = sampling.by_source(task, jax.random.key(0), 50, 30, 1.0)
    assert written.legal.all()
    assert {len(text) for text in written.texts} == {30}


def test_the_temperature_of_the_source():
    """Of the quotation marks, which are rare, there are fewer when it is low."""
    task = Quotes(50, shortest=4)
    marks = [
        "".join(sampling.by_source(task, jax.random.key(0), 300, 40, t).texts).count("'")
        for t in (0.3, 1.0, 3.0)
    ]
    assert marks[0] < marks[1] / 2
    assert marks[1] < marks[2]


def test_what_cannot_be_sampled():
    with pytest.raises(UsageError, match="Parity does not ask for next symbols"):
        sampling.source(Parity(10))
    own = recipe(Hello(50), Recurrent(RNN, 4), Windows())
    net = A1_1.build(1, 1, nnx.Rngs(0))
    with pytest.raises(UsageError, match="only a net with a recurrent cell"):
        sampling.by_network(net, own, jax.random.key(0), 5, 5, 1.0)
