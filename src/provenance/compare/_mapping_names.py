"""Names of tensors in different frameworks: how likely two of them mean the same."""

from __future__ import annotations

import re
from functools import cache
from typing import NamedTuple

_SPLIT = re.compile(
    r"[./_:\[\]'\"\s-]+|(?<=[a-z])(?=[A-Z])|(?<=[A-Za-z])(?=\d)|(?<=\d)(?=[A-Za-z])"
)

ROLES = {
    "kernel": "weight",
    "embedding": "weight",
    "embeddings": "weight",
    "gamma": "weight",
    "scale": "weight",
    "weight": "weight",
    "weights": "weight",
    "w": "weight",
    "bias": "bias",
    "beta": "bias",
    "b": "bias",
    "mean": "mean",
    "var": "variance",
    "variance": "variance",
    "tracked": "count",
}
"""What the last part of a name says of the tensor, in torch, Keras, TensorFlow and flax."""

_SAME = {
    "dense": "linear",
    "fc": "linear",
    "linear": "linear",
    "conv1d": "conv",
    "conv2d": "conv",
    "conv3d": "conv",
    "batchnorm": "norm",
    "layernorm": "norm",
    "bn": "norm",
    "ln": "norm",
    "norm": "norm",
    "moving": "running",
    "blocks": "layer",
    "block": "layer",
    "layers": "layer",
    "h": "layer",
    "embeddings": "embedding",
    "embed": "embedding",
    "emb": "embedding",
    "attn": "attention",
    "recurrent": "hh",
}
_COLLECTION = re.compile(r"^(?:params|batch_stats|model_weights|state_dict)[./]")
"""What flax and Keras file a layer's tensors under: the same layer stands in several."""

_SILENT = frozenset("params param state dict model module 0 vars cell batch normalization".split())
"""Parts of names that frameworks put in and that say nothing; "0" stands behind TensorFlow's ":"
and in ``l0`` of torch's recurrent layers, and is kept among the numbers."""

IGNORED = ("*num_batches_tracked", "*seed_generator*", "optimizer*", "*global_step", "*iterations")
"""Tensors that are no weights: counters and states of optimizers and generators."""


class Read(NamedTuple):
    """A name in parts. role: of `ROLES`, "" for none. words: without numbers. numbers: in order.

    parent: all but the last part, as in the name.
    """

    role: str
    words: frozenset[str]
    numbers: tuple[int, ...]
    parent: str
    kernel: bool
    embedding: bool


@cache
def read(name: str) -> Read:
    """Take a name apart."""
    bare = _COLLECTION.sub("", re.sub(r":\d+$", "", name))
    bare = re.sub(r"(?i)(conv\w*?)_?[123]d", r"\1", bare)
    parts = [part.lower() for part in _SPLIT.split(bare) if part]
    role = next((ROLES[part] for part in reversed(parts[-4:]) if part in ROLES), "")
    words = frozenset(_SAME.get(part, part) for part in parts if not part.isdigit()) - _SILENT
    numbers = tuple(int(part) for part in parts if part.isdigit() and len(part) < 9)
    inner = re.split(r"[./]", bare)
    return Read(
        role,
        words - set(ROLES),
        numbers,
        "/".join(inner[:-1]),
        "kernel" in parts,
        any(part.startswith("embed") for part in parts) and "norm" not in words,
    )


@cache
def likeness(one: str, other: str) -> float:
    """Return how alike two names are, from 0 to 10; roles that contradict each other give -5."""
    first, second = read(one), read(other)
    if one == other:
        return 10.0
    if first.role and second.role and first.role != second.role:
        return -5.0
    score = 2.0 if first.role == second.role else 0.0
    both = first.words | second.words
    if both:
        score += 5.0 * len(first.words & second.words) / len(both)
    if ("hh" in first.words) != ("hh" in second.words):
        score -= 2.0
    if first.numbers and first.numbers == second.numbers:
        score += 2.0
    elif first.numbers and second.numbers and first.numbers[-1] == second.numbers[-1]:
        score += 1.0
    return score
