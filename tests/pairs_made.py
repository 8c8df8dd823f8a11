"""Twelve pairs of results that are alike or differ in one known way, each made for real."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy

from tests.cli.parting_helpers import DROPPED, INIT, NAN, ORDER, SUMS, UNMARKED, Trainings
from tests.conftest import Prov

Names = tuple[str, str]
Pair = Callable[[Any], Names]


def same(made: Trainings) -> Names:
    """Run the same training twice."""
    return made.both((), ())


def reordered_sums(made: Trainings) -> Names:
    """Add the rows of a batch in another order, in single precision."""
    edits = (*SUMS, *UNMARKED)
    return made.both(("--out", "out-a"), ("--out", "out-b"), edits, edits)


def other_seed(made: Trainings) -> Names:
    """Draw the initial weights from another seed."""
    return made.both((), ("--seed", "1"))


def other_rate(made: Trainings) -> Names:
    """Train with twice the learning rate."""
    return made.both((), ("--lr", "0.2"))


def other_init(made: Trainings) -> Names:
    """Change the scale from which one layer is drawn."""
    return made.both((), (), (), (INIT,))


def dropped_batch(made: Trainings) -> Names:
    """Leave out the last batch of every epoch."""
    return made.both((), (), (), (DROPPED,))


def other_order(made: Trainings) -> Names:
    """Read the same rows in another order."""
    return made.both((), (), (), (ORDER,))


def nan_at_40(made: Trainings) -> Names:
    """Let the loss become NaN at step 40."""
    return made.both((), (), (), (NAN,))


def _weights() -> dict[str, Any]:
    draw = numpy.random.default_rng(3)
    shapes = {"conv.weight": (8, 3, 3, 3), "fc1.weight": (16, 16), "fc2.weight": (10, 16)}
    return {name: draw.normal(size=shape).astype("f4") for name, shape in shapes.items()}


def transposed(folder: Path) -> Names:
    """Store one square matrix the other way round, as ports between frameworks do."""
    import safetensors.numpy

    weights = _weights()
    safetensors.numpy.save_file(weights, str(folder / "theirs.safetensors"))
    weights["fc1.weight"] = numpy.ascontiguousarray(weights["fc1.weight"].T)
    safetensors.numpy.save_file(weights, str(folder / "mine.safetensors"))
    return "theirs.safetensors", "mine.safetensors"


def renamed(folder: Path) -> Names:
    """Store the same tensors under the names that a wrapper of the model gives them."""
    weights = _weights()
    numpy.savez(folder / "theirs.npz", **weights)
    numpy.savez(folder / "mine.npz", **{"module." + name: w for name, w in weights.items()})
    return "theirs.npz", "mine.npz"


def notebook(folder: Path) -> Names:
    """Execute a notebook again: other counts and times, the same output."""
    for name, count, took, when in (
        ("theirs.ipynb", 4, "12.3s", "2026-03-14T09:15:00Z"),
        ("mine.ipynb", 1, "14.1s", "2026-11-02T18:40:09Z"),
    ):
        text = "epoch 3 took %s\naccuracy 0.9312\n" % took
        output = {"output_type": "stream", "name": "stdout", "text": [text]}
        cell = {
            "cell_type": "code",
            "id": "%08x" % count,
            "execution_count": count,
            "metadata": {"execution": {"iopub.execute_input": when}},
            "source": ["train(epochs=3)"],
            "outputs": [output],
        }
        document = {"cells": [cell], "metadata": {}, "nbformat": 4, "nbformat_minor": 5}
        (folder / name).write_text(json.dumps(document))
    return "theirs.ipynb", "mine.ipynb"


def reordered_model(folder: Path) -> Names:
    """Write a LightGBM-style model text with its parameters and importances in another order."""
    tree = "Tree=0\nnum_leaves=2\nsplit_feature=1\nthreshold=0.5\nleaf_value=0.25 -0.75\n\n\n"
    rows = ["Column_1=7", "Column_0=3", "Column_2=1"]
    settings = ["[objective: binary]", "[learning_rate: 0.1]", "[num_threads: 4]"]
    for name in ("theirs.txt", "mine.txt"):
        head = "tree\nversion=v4\nnum_class=1\nfeature_names=Column_0 Column_1 Column_2\n\n"
        tail = "end of trees\n\nfeature_importances:\n%s\n\nparameters:\n%s\nend of parameters\n"
        (folder / name).write_text(head + tree + tail % ("\n".join(rows), "\n".join(settings)))
        rows.reverse()
        settings.reverse()
    return "theirs.txt", "mine.txt"


TRAINED: dict[str, Callable[[Trainings], Names]] = {
    "the same again": same,
    "sums in another order": reordered_sums,
    "another seed": other_seed,
    "another learning rate": other_rate,
    "one layer initialised otherwise": other_init,
    "a dropped batch": dropped_batch,
    "data in another order": other_order,
    "NaN at step 40": nan_at_40,
}
STORED: dict[str, Callable[[Path], Names]] = {
    "a transposed matrix": transposed,
    "renamed tensors": renamed,
    "a notebook executed again": notebook,
    "a model text with its lines in another order": reordered_model,
}


class Both(Trainings):
    """Trainings of which two variants are recorded at a time."""

    def __init__(self, folder: Path) -> None:
        super().__init__(folder)
        self._count = 0

    def both(self, old: Any, new: Any, old_edits: Any = (), new_edits: Any = ()) -> Names:
        """Record two variants, given as options and edits of the source; return their names."""
        self._count += 1
        names = "pair%d-old" % self._count, "pair%d-new" % self._count
        self.run(names[0], *old, edits=old_edits)
        self.run(names[1], *new, edits=new_edits)
        return names


def told(prov: Prov, names: Names) -> tuple[str, str]:
    """Return the verdict of ``prov diff`` on a pair of files or runs, and its sentence."""
    done = prov("diff", *names, "--json", code=None)
    data = json.loads(done.stdout)["data"]
    if "parted" in data:
        return data["results"]["verdict"], data["parted"]["sentence"]
    return data["verdict"], data["detail"]
