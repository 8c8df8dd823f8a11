"""Models, optimizers and the rest as real torch, Keras, flax and optax have them."""

import os
import subprocess
import sys

import pytest

from provenance.core.context import AFTER, Observations
from provenance.facets import model
from tests.agent._hook import observe, plain_environment, run
from tests.facet_contract import a_context, a_record

pytestmark = [pytest.mark.network, pytest.mark.slow, pytest.mark.timeout(600)]

TORCH = """
import inspect, pickle
import torch
from torch import nn
from torch.utils.data import DataLoader, TensorDataset

class Block(nn.Module):
    def __init__(self):
        super().__init__()
        self.fc = nn.Linear(8, 8)
    def forward(self, x):
        return x + self.fc(x)

class Net(nn.Module):
    def __init__(self):
        super().__init__()
        self.first = nn.Linear(4, 8)
        self.blocks = nn.ModuleList([Block() for _ in range(6)])
        self.drop = nn.Dropout(0.3)
        self.out = nn.Linear(8, 2)
    def forward(self, x):
        x = self.first(x)
        for block in self.blocks:
            x = block(x)
        return self.out(self.drop(x))

class Plain(torch.optim.Optimizer):
    def __init__(self, params, lr=0.1, mu=0.5):
        super().__init__(params, {"lr": lr, "mu": mu})
    def step(self):
        pass

def main():
    torch.manual_seed(0)
    data = TensorDataset(torch.randn(64, 4), torch.randint(0, 2, (64,)))
    loader = DataLoader(data, batch_size=16, shuffle=True)
    net = Net()
    nn.init.xavier_uniform_(net.first.weight, gain=1.5)
    net.first.requires_grad_(False)
    biases = [p for name, p in net.named_parameters() if "bias" in name]
    others = [p for name, p in net.named_parameters() if "bias" not in name]
    groups = [{"params": others}, {"params": biases, "weight_decay": 0.0}]
    optimizer = torch.optim.AdamW(groups, lr=0.01)
    schedule = torch.optim.lr_scheduler.StepLR(optimizer, 1, gamma=0.5)
    for _ in range(2):
        for x, y in loader:
            optimizer.zero_grad()
            loss = nn.functional.cross_entropy(net(x), y)
            loss.backward()
            nn.utils.clip_grad_norm_(net.parameters(), 1.0)
            optimizer.step()
        schedule.step()
    print(loss.item(), torch.rand(1).item())

main()
probe = Net()
Plain(probe.out.parameters(), lr=0.2)
copy = pickle.loads(pickle.dumps(torch.optim.SGD(probe.parameters(), 0.1)))
print(type(copy), inspect.signature(torch.optim.AdamW), inspect.get_annotations(
    torch.optim.SGD.__init__).keys())
script = torch.jit.script(nn.Sequential(nn.Linear(4, 2))).eval()
print(script(torch.ones(1, 4)))
try:
    torch.optim.SGD([], lr=1)
except ValueError as error:
    trace, names = error.__traceback__, []
    while trace is not None:
        names.append(trace.tb_frame.f_code.co_name)
        trace = trace.tb_next
    print(error, names if NAMES else "")
if DIE:
    import os
    os.kill(os.getpid(), 9)
"""
KERAS = """
import os
os.environ["KERAS_BACKEND"] = "jax"
import keras, numpy
keras.utils.set_random_seed(1)
layers = keras.layers
net = keras.Sequential([layers.Dense(8, activation="relu"), layers.Dropout(0.2), layers.Dense(3)])
rate = keras.optimizers.schedules.ExponentialDecay(0.01, 10, 0.9)
loss = keras.losses.SparseCategoricalCrossentropy(from_logits=True)
net.compile(keras.optimizers.Adam(rate, clipnorm=1.0), loss=loss, metrics=["accuracy"])
x, y = numpy.random.rand(64, 5).astype("float32"), numpy.random.randint(0, 3, 64)
print(net.fit(x, y, epochs=2, batch_size=16, verbose=0).history["loss"])
"""
FLAX = """
import flax.linen, jax, jax.numpy as jnp, optax
from flax import nnx
from flax.training.train_state import TrainState

class Net(nnx.Module):
    def __init__(self, rngs):
        self.first = nnx.Linear(4, 8, rngs=rngs)
        self.blocks = nnx.List([nnx.Linear(8, 8, rngs=rngs) for _ in range(3)])
    def __call__(self, x):
        x = self.first(x)
        for block in self.blocks:
            x = block(x)
        return x

class Old(flax.linen.Module):
    @flax.linen.compact
    def __call__(self, x):
        return flax.linen.Dense(2)(x)

rate = optax.warmup_cosine_decay_schedule(0.0, 0.1, 10, 100)
rule = optax.chain(optax.clip_by_global_norm(1.0), optax.adamw(rate, weight_decay=0.01))
net = Net(nnx.Rngs(0))
optimizer = nnx.Optimizer(net, rule, wrt=nnx.Param)

@nnx.jit
def step(net, optimizer, x):
    loss, grads = nnx.value_and_grad(lambda net: net(x).sum())(net)
    optimizer.update(net, grads)
    return loss

print(step(net, optimizer, jnp.ones((2, 4))))
old = Old()
start = jax.jit(old.init)(jax.random.key(0), jnp.ones((1, 4)))
state = TrainState.create(apply_fn=old.apply, params=start["params"], tx=optax.sgd(0.1))
print(state.apply_gradients(grads=state.params).step)
"""


def installed(folder, *wanted):
    """Return the interpreter of an environment with ``wanted``, or skip."""
    uv = [sys.executable, "-m", "uv"]
    subprocess.run([*uv, "venv", "-q", str(folder)], check=True)
    done = subprocess.run(
        [*uv, "pip", "install", "-q", "-p", folder / "bin/python", *wanted],
        env=dict({"UV_FIND_LINKS": os.environ.get("PIP_FIND_LINKS", "")}, **os.environ),
        check=False,
        capture_output=True,
        text=True,
    )
    if done.returncode:
        pytest.skip("cannot be installed: " + done.stderr[-200:])
    return str(folder / "bin" / "python")


@pytest.fixture(scope="module")
def torch(tmp_path_factory):
    return installed(tmp_path_factory.mktemp("torch") / "env", "torch==2.13.0+cpu", "numpy")


@pytest.fixture(scope="module")
def jax(tmp_path_factory):
    return installed(tmp_path_factory.mktemp("jax") / "env", "flax", "optax", "keras")


@pytest.fixture(autouse=True)
def bytecode(monkeypatch):
    """Let Python keep its bytecode: importing torch takes ten times as long without."""
    monkeypatch.delenv("PYTHONDONTWRITEBYTECODE", raising=False)


def built(folder, python, code, name="train.py", compare=True, status=0):
    """Run ``code`` with and without the hook; return what the record says that it built."""
    folder.mkdir(exist_ok=True)
    (folder / name).write_text(code)
    seen = observe([python, name], folder)
    assert seen.code == status, seen.err
    if compare:
        bare = run([python, name], folder, plain_environment())
        assert seen.out == bare.stdout
    observed = Observations(noted=seen.observed.noted)
    answer = model.capture(a_context(folder, AFTER, observed=observed))
    found = model.of(a_record(folder, {"model": answer}))
    assert found is not None
    return found


def line_of(code, text):
    return "train.py:%d" % (1 + code.splitlines().index(text))


@pytest.mark.parametrize("die", [False, True], ids=["ended", "killed"])
def test_torch(torch, tmp_path, die):
    # Only from 3.11 on are the hook's frames taken out of tracebacks.
    code = "NAMES, DIE = %r, %r\n" % (sys.version_info >= (3, 11), die) + TORCH
    made = built(tmp_path / "w", torch, code, compare=not die, status=-9 if die else 0)
    net, probe = made.models[:2]
    assert (net.type, net.total, net.trainable) == ("__main__.Net", 490, 450)
    assert net.where == line_of(code, "    optimizer = torch.optim.AdamW(groups, lr=0.01)")
    assert (net.dtypes, net.devices) == ({"float32": 490}, {"cpu": 490})
    assert [(one.name, one.parameters, one.repeats, one.trainable) for one in net.layers] == [
        ("first", 40, 1, False),
        ("blocks.0-5.fc", 72, 6, True),
        ("drop", 0, 1, None),
        ("out", 18, 1, True),
    ]
    assert net.layers[1].shapes == {"weight": [8, 8], "bias": [8]}
    assert net.layers[2].settings == "p=0.3, inplace=False"
    adam, plain, sgd = made.optimizers
    assert adam.type == "torch.optim.AdamW"
    assert adam.arguments["lr"][:3] == (0.01, 0.001, True)
    assert adam.arguments["betas"][:3] == ([0.9, 0.999], [0.9, 0.999], False)
    assert [one["parameters"] for one in adam.details["groups"]] == [432, 58]
    assert adam.details["groups"][1]["weight_decay"] == 0.0
    # `main` has returned: what it held was told of before it went.
    assert [one["lr"] for one in adam.end["groups"]] == [0.0025, 0.0025]
    assert adam.end["steps"] == 8
    assert plain.type == "__main__.Plain"
    assert plain.arguments["lr"].given is True
    assert plain.arguments["mu"].given is None
    assert plain.where == line_of(code, "Plain(probe.out.parameters(), lr=0.2)")
    # An optimizer of the last layer alone trains a part of the whole net.
    assert (probe.total, probe.optimizers) == (490, (1, 2))
    assert sgd.type == "torch.optim.SGD"
    (schedule,) = made.schedules
    assert schedule.type == "torch.optim.lr_scheduler.StepLR"
    assert schedule.arguments["gamma"][:3] == (0.5, 0.1, True)
    assert schedule.arguments["step_size"].required is True
    (loader,) = made.loaders
    assert loader.arguments["shuffle"].value is True
    assert loader.details["length"] == 64
    assert loader.details["dataset"].endswith(".TensorDataset")
    (clipping,) = made.clipping
    assert clipping.arguments["max_norm"].value == 1.0
    (initialiser,) = made.initialisers
    assert initialiser.arguments["gain"].value == 1.5
    if not die:
        assert clipping.times == 8


BY_HAND = """
import torch
torch.manual_seed(0)
net, kept = torch.nn.Linear(3, 1), torch.nn.Linear(2, 2)
def main():
    other = torch.nn.Linear(5, 1)
    for _ in range(3):
        other.zero_grad()
        other(torch.ones(5)).sum().backward()
        for p in other.parameters():
            p.data.add_(-0.1 * p.grad)
    print(other.bias.item())
main()
"""

NNX = """
import jax.numpy as jnp
from flax import nnx
net = nnx.Linear(3, 2, rngs=nnx.Rngs(0))
print(net(jnp.ones((1, 3))).shape)
"""


def test_models_that_no_optimizer_has(torch, tmp_path):
    made = built(tmp_path / "w", torch, BY_HAND)
    assert {(one.type, one.total, one.how) for one in made.models} == {
        ("torch.nn.Linear", 6, "zero_grad"),
        ("torch.nn.Linear", 4, "held"),
        ("torch.nn.Linear", 6, "held"),
    }


def test_an_nnx_model_that_no_optimizer_has(jax, tmp_path):
    (net,) = built(tmp_path / "w", jax, NNX).models
    assert (net.total, net.how, net.where) == (8, "held", "")


KERAS_LOOP = """
import os
os.environ["KERAS_BACKEND"] = "jax"
import keras, numpy
keras.utils.set_random_seed(1)
net = keras.Sequential([keras.layers.Dense(4)])
print(net(numpy.ones((1, 3))).shape)
rule = keras.optimizers.SGD(learning_rate=0.001)
rule.build(net.trainable_variables)
"""


def test_keras_without_compile(jax, tmp_path):
    made = built(tmp_path / "w", jax, KERAS_LOOP)
    assert [(one.total, one.how) for one in made.models] == [(16, "held")]
    (rule,) = made.optimizers
    assert rule.arguments["learning_rate"][:3] == (0.001, 0.01, True)


def test_keras(jax, tmp_path):
    made = built(tmp_path / "w", jax, KERAS)
    (net,) = made.models
    assert (net.type, net.total, net.optimizers) == ("keras.Sequential", 75, (0,))
    assert [(one.name, one.parameters) for one in net.layers if one.parameters] == [
        ("dense", 48),
        ("dense_1", 27),
    ]
    (dropout,) = [one for one in net.layers if one.type == "keras.layers.Dropout"]
    assert dropout.settings == "rate=0.2"
    (adam,) = made.optimizers
    assert adam.type == "keras.optimizers.Adam"
    assert adam.arguments["clipnorm"].given is True
    assert adam.arguments["learning_rate"].value["given"]["decay_rate"] == 0.9
    assert adam.end["steps"] == 8
    assert 0.009 < adam.end["groups"][0]["lr"] < 0.01
    assert len(repr(adam.end["groups"][0]["lr"])) < 12
    (schedule,) = made.schedules
    assert schedule.arguments["decay_steps"].value == 10
    compiled, fitted = made.trainings
    assert "SparseCategoricalCrossentropy" in repr(compiled.arguments["loss"].value)
    assert fitted.arguments["epochs"][:3] == (2, 1, True)
    assert fitted.arguments["shuffle"].given is False
    assert fitted.end == {"epochs": 2}


def test_flax_and_optax(jax, tmp_path):
    made = built(tmp_path / "w", jax, FLAX)
    net, old = made.models
    assert (net.type, net.total) == ("__main__.Net", 256)
    assert [(one.name, one.parameters, one.repeats) for one in net.layers] == [
        ("blocks.0-2", 72, 3),
        ("first", 40, 1),
    ]
    assert (old.type, old.total, old.how) == ("__main__.Old", 10, "optimizer")
    assert [one.type for one in made.optimizers] == ["optax.adamw", "optax.sgd"]
    assert made.optimizers[0].arguments["weight_decay"][:3] == (0.01, 0.0001, True)
    (schedule,) = made.schedules
    assert schedule.arguments["warmup_steps"].value == 10
    (clipping,) = made.clipping
    assert clipping.arguments["max_norm"].value == 1.0
