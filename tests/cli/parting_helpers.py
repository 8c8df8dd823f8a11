"""Trainings of a small network in numpy that part from one another in known ways."""

import random
import sys

from tests.conftest import Prov, git

TRAIN = '''\
"""A network of two layers on a table, in numpy."""
import argparse
import os

import numpy as np
import provenance

parser = argparse.ArgumentParser()
parser.add_argument("--lr", type=float, default=0.1)
parser.add_argument("--seed", type=int, default=0)
parser.add_argument("--out", default="out")
args = parser.parse_args()

data = np.loadtxt("data.csv", delimiter=",")
order = np.random.default_rng(7).permutation(len(data))
batches = [data[order[i : i + 8]] for i in range(0, len(data), 8)]

rng = np.random.default_rng(args.seed)
model = {"fc1.weight": rng.normal(0, 0.3, (3, 16)), "fc1.bias": np.zeros(16)}
model["fc2.weight"] = rng.normal(0, 0.3, (16, 1))
model["fc2.bias"] = np.zeros(1)
provenance.fingerprint("init", model)

os.makedirs(args.out, exist_ok=True)
print("checkpoints go to %s/ckpt_*.npz" % args.out)
step = 0
for epoch in range(8):
    for batch in batches:
        provenance.fingerprint("batch", batch)
        x, y = batch[:, :3], batch[:, 3:]
        hidden = np.tanh(x @ model["fc1.weight"] + model["fc1.bias"])
        error = hidden @ model["fc2.weight"] + model["fc2.bias"] - y
        loss = float((error**2).mean())
        back = error @ model["fc2.weight"].T * (1 - hidden**2)
        model["fc2.weight"] = model["fc2.weight"] - args.lr * hidden.T @ error / len(x)
        model["fc2.bias"] = model["fc2.bias"] - args.lr * error.mean(0)
        model["fc1.weight"] = model["fc1.weight"] - args.lr * x.T @ back / len(x)
        model["fc1.bias"] = model["fc1.bias"] - args.lr * back.mean(0)
        print("step %d loss %.9f" % (step, loss))
        step += 1
        if step % 16 == 0:
            np.savez("%s/ckpt_%d.npz" % (args.out, step), **model)
'''

UNMARKED = (
    ("import provenance\n", ""),
    ('provenance.fingerprint("init", model)\n', ""),
    ('        provenance.fingerprint("batch", batch)\n', ""),
)
INIT = ('"fc2.weight"] = rng.normal(0, 0.3,', '"fc2.weight"] = rng.normal(0, 0.2,')
DROPPED = ("for i in range(0, len(data), 8)]", "for i in range(0, len(data) - 8, 8)]")
ORDER = ("default_rng(7)", "default_rng(8)")
NAN = ("        x, y =", "        batch = batch * (np.nan if step == 40 else 1)\n        x, y =")
UNSEEDED = ("default_rng(args.seed)", "default_rng()")
SUMS = (
    ('delimiter=",")', 'delimiter=",").astype("f4")'),
    ("os.makedirs", 'model = {k: v.astype("f4") for k, v in model.items()}\nos.makedirs'),
    (
        "        x, y =",
        "        batch = np.random.default_rng().permutation(batch)\n        x, y =",
    ),
    ("%.9f", "%.12f"),
)
"""Single precision, and sums over the rows of a batch in an order that nobody seeds."""


class Trainings:
    """A repository with one training; ``run`` records a variant of it."""

    def __init__(self, folder):
        folder.mkdir()
        draw = random.Random(1)
        rows = [[draw.gauss(0, 1) for _ in range(3)] for _ in range(64)]
        lines = [",".join("%.5f" % v for v in [*row, row[0] * row[1]]) for row in rows]
        (folder / "data.csv").write_text("\n".join(lines) + "\n")
        (folder / ".gitignore").write_text("out*/\n.prov/\n")
        (folder / "train.py").write_text(TRAIN)
        git(folder, "init", "-q", "-b", "main")
        git(folder, "add", ".")
        git(folder, "commit", "-q", "-m", "start")
        self.folder, self.prov = folder, Prov(folder)

    def run(self, name, *words, edits=()):
        """Record the training as ``name``, with these edits of its source."""
        text = TRAIN
        for old, new in edits:
            assert old in text
            text = text.replace(old, new)
        (self.folder / "train.py").write_text(text)
        self.prov("run", "--name", name, "--", sys.executable, "train.py", *words)

    def parted(self, old, new):
        """Return the member ``parted`` of ``prov diff old new --json``."""
        return self.prov.json("diff", old, new)["parted"]
