"""False alarms and finds of the rule behind ``prov run --against``, on many small trainings.

A small network is trained by stochastic gradient descent, in NumPy; its loss by mini-batch is
printed as a program would, its validation loss and accuracy every ten steps. A pair is a recorded
training and one more: with another seed, or with something wrong. Told are the pairs that part, and
at which share of the training.

    python benchmarks/live_rule.py [--pairs 200]

Exits with 1 where other seeds are called parted in more than 5 % of the pairs.
"""

from __future__ import annotations

import argparse
import statistics
import sys
import zlib
from typing import Any

import numpy as np

from provenance.compare import tracking

STEPS, BATCH, WIDTH, INPUTS, CLASSES = 600, 32, 24, 12, 4
ALARMS = 0.05

WAYS: dict[str, dict[str, Any]] = {
    "other seed": {},
    "learning rate x 3": {"rate": 0.3},
    "learning rate / 10": {"rate": 0.01},
    "initial weights x 8": {"scale": 8.0},
    "initial weights 0": {"scale": 0.0},
    "labels of one half shuffled": {"wrong": 0.5},
}


def data(task: int, size: int) -> tuple[Any, Any]:
    """Return inputs and labels of a task: clouds that overlap a little."""
    random = np.random.default_rng(task)
    centres = random.normal(size=(CLASSES, INPUTS)) * 1.1
    labels = random.integers(CLASSES, size=size)
    return centres[labels] + random.normal(size=(size, INPUTS)), labels


def train(
    task: int, seed: int, rate: float = 0.1, scale: float = 1.0, wrong: float = 0.0
) -> dict[str, list[tuple[float, float]]]:
    """Return the curves of one training."""
    inputs, labels = data(task, 3000)
    labels = labels.copy()
    random = np.random.default_rng((task, seed))
    changed = random.random(2400) < wrong
    labels[:2400][changed] = random.integers(CLASSES, size=int(changed.sum()))
    first = random.normal(size=(INPUTS, WIDTH)) * scale / np.sqrt(INPUTS)
    last = random.normal(size=(WIDTH, CLASSES)) * scale / np.sqrt(WIDTH)
    curves: dict[str, list[tuple[float, float]]] = {"loss": [], "val_loss": [], "val_acc": []}
    for step in range(STEPS):
        rows = random.integers(2400, size=BATCH)
        hidden = np.tanh(inputs[rows] @ first)
        chance = _softmax(hidden @ last)
        curves["loss"].append((step, _loss(chance, labels[rows])))
        error = chance
        error[np.arange(BATCH), labels[rows]] -= 1
        error /= BATCH
        back = (error @ last.T) * (1 - hidden**2)
        last -= rate * hidden.T @ error
        first -= rate * inputs[rows].T @ back
        if step % 10 == 9:
            chance = _softmax(np.tanh(inputs[2400:] @ first) @ last)
            curves["val_loss"].append((step, _loss(chance, labels[2400:])))
            hits = chance.argmax(axis=1) == labels[2400:]
            curves["val_acc"].append((step, float(hits.mean())))
    return curves


def _softmax(values: Any) -> Any:
    powers = np.exp(values - values.max(axis=1, keepdims=True))
    return powers / powers.sum(axis=1, keepdims=True)


def _loss(chance: Any, labels: Any) -> float:
    return float(-np.log(np.maximum(chance[np.arange(len(labels)), labels], 1e-12)).mean())


def parted(references: list[Any], live: Any) -> tuple[float | None, str]:
    """Return at which share of the training something first parted, and what."""
    tracks = tracking.follow_all(tracking.bands(references), live)
    left = {name: one.left for name, one in tracks.items() if one.left is not None}
    left.update((n, one.since) for n, one in tracks.items() if one.state == "not finite")
    return (min(left.values()) / STEPS if left else None), ", ".join(left)


def main() -> int:
    """Print the table."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--pairs", type=int, default=200)
    parser.add_argument("-v", action="store_true")
    args = parser.parse_args()
    worst = 0.0
    print(
        "%-30s %-12s %8s   %s"
        % ("the second training", "recorded", "parted", "first at (share of the steps, median)")
    )
    for way, changes in WAYS.items():
        for count in (1, 5):
            pairs = args.pairs if not changes else args.pairs // 4
            found = []
            for pair in range(pairs):
                task = zlib.crc32(b"%d" % pair) % 100_000
                recorded = [train(task, seed) for seed in range(count)]
                share, names = parted(recorded, train(task, 99, **changes))
                if share is not None:
                    found.append(share)
                    if args.v:
                        print("   ", pair, share, names)
            part = len(found) / pairs
            soon = "%.2f" % statistics.median(found) if found else "-"
            runs = "%d run%s" % (count, "s" if count > 1 else "")
            print("%-30s %-12s %6.1f %%   %s" % (way, runs, 100 * part, soon))
            if not changes:
                worst = max(worst, part)
    return int(worst > ALARMS)


if __name__ == "__main__":
    sys.exit(main())
