"""``prov run --fingerprint``: initial weights and first batches of programs that call nothing."""

import pytest

from tests.agent.test_hook_models import installed
from tests.conftest import Prov

pytestmark = [pytest.mark.slow, pytest.mark.network]

NET = """\
import sys
import torch
from torch import nn
from torch.utils.data import DataLoader, TensorDataset

torch.manual_seed(int(sys.argv[1]))
net = nn.Sequential(nn.Linear(4, 8), nn.BatchNorm1d(8), nn.ReLU(), nn.Linear(8, 1))
own = torch.Generator().manual_seed(5)
x = torch.rand(40, 4, generator=own)
data = TensorDataset(x, x.sum(1, keepdim=True))
shuffled = torch.Generator().manual_seed(int(sys.argv[2]))
loader = DataLoader(data, batch_size=8, shuffle=True, generator=shuffled)
optimizer = torch.optim.SGD(net.parameters(), 0.1)
for epoch in range(4):
    for a, b in loader:
        optimizer.zero_grad()
        loss = ((net(a) - b) ** 2).mean()
        loss.backward()
        optimizer.step()
    print("epoch %d loss %.9f" % (epoch, loss.item()))
print(type(iter(loader)).__name__, torch.get_rng_state().sum().item(), shuffled.initial_seed())
"""
FIT = """\
import sys
import numpy as np
from sklearn.linear_model import LinearRegression

draw = np.random.default_rng(0)
X = draw.normal(size=(50, 3))
y = X @ [1.0, 2.0, 3.0]
order = np.random.default_rng(int(sys.argv[1])).permutation(50)
print("score", LinearRegression().fit(X[order], y=y[order]).score(X, y))
"""


@pytest.fixture(scope="module")
def python(tmp_path_factory):
    folder = tmp_path_factory.mktemp("marks") / "env"
    return installed(folder, "torch==2.13.0+cpu", "numpy", "scikit-learn")


@pytest.fixture(scope="module")
def prov(tmp_path_factory, python):
    made = Prov(tmp_path_factory.mktemp("project"))
    (made.folder / "net.py").write_text(NET)
    (made.folder / "fit.py").write_text(FIT)
    for name, words in (("base", "0 0"), ("seed", "1 0"), ("order", "0 1")):
        made("run", "--fingerprint", "--name", name, "--", python, "net.py", *words.split())
    return made


def test_another_seed_parts_at_the_initial_weights_of_a_torch_model(prov):
    sentence = prov.json("diff", "base", "seed")["parted"]["sentence"]
    assert sentence.startswith("data pipeline equal, initial weights differ: ")
    assert "fingerprint 'initial weights of Sequential' (net.py:13) differs" in sentence
    assert "first in 0.weight (4 of 9 parts differ)" in sentence


def test_another_order_parts_at_the_first_batch_of_a_torch_loader(prov):
    parted = prov.json("diff", "base", "order")["parted"]
    assert parted["at"] == "fingerprint batches 1 (TensorDataset)"
    assert parted["sentence"].startswith("parted at the first data that the training was given: ")
    marked = [one for one in parted["stations"] if one["kind"] == "fingerprint"]
    assert [one["compared"] for one in marked] == [1, 16]


def test_the_program_does_not_notice(prov, python):
    plain = prov("run", "--", python, "net.py", "0", "0").stdout
    assert prov("run", "--fingerprint", "--", python, "net.py", "0", "0").stdout == plain


def test_what_an_estimator_was_given_is_told_and_recognised_in_another_order(prov, python):
    for name in "12":
        prov("run", "--fingerprint", "--name", "fit" + name, "--", python, "fit.py", name)
    parted = prov.json("diff", "fit1", "fit2")["parted"]
    assert parted["at"] == "fingerprint data X of LinearRegression.fit"
    assert parted["hints"] == [
        "the same shape, least, greatest and mean value: as the same values in another order"
    ]


def test_without_the_option_nothing_is_told(prov, python):
    prov("run", "--name", "plain", "--", python, "fit.py", "1")
    assert prov.payload("fingerprints", "plain")["values"] == []
