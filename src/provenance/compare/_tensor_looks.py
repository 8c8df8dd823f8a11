"""What a tensor looks like by itself: constant, or as layers are before any training."""

from __future__ import annotations

import math
from collections.abc import Sequence
from itertools import islice
from typing import TYPE_CHECKING

import numpy

from provenance.readers.model import Tensor

if TYPE_CHECKING:
    from provenance.readers.model import Array

SAMPLE = 1 << 14
ENOUGH = 256
"""Elements below which a distribution is not judged: too few to tell one from another."""


def look(tensor: Tensor) -> str:
    """Return what the first elements look like, "" for nothing in particular.

    Raises `Unreadable`.
    """
    for piece in islice(tensor.chunks(SAMPLE), 1):
        return described(piece, tensor.shape)
    return ""


def described(values: Array, shape: Sequence[int]) -> str:
    """Return "all zeros", "uniform in +-0.0884, as layers of torch start", or "" ..."""
    if values.dtype.kind not in "fiub" or not len(values):
        return ""
    flat = values.astype(numpy.float64)
    if not numpy.isfinite(flat).all():
        return ""
    if (flat == flat[0]).all():
        return _constant(float(flat[0])) if len(flat) > 1 else ""
    if values.dtype.kind != "f" or len(flat) < ENOUGH:
        return ""
    spread = float(flat.std())
    if not spread or abs(float(flat.mean())) > 4 * spread / math.sqrt(len(flat)):
        return ""
    # Of a normal distribution the fourth standardised moment is 3, of a uniform one 1.8; its
    # standard error over n draws is at most sqrt(24 / n).
    moment = float(((flat - flat.mean()) ** 4).mean()) / spread**4
    doubt = 3 * math.sqrt(24 / len(flat))
    if abs(moment - 1.8) < doubt:
        return _uniform(float(numpy.abs(flat).max()), shape)
    return _normal(spread, shape) if abs(moment - 3) < doubt else ""


def _constant(value: float) -> str:
    words = {0.0: "all zeros", 1.0: "all ones"}
    return words.get(value, "all %.6g" % value)


def _fans(shape: Sequence[int]) -> list[tuple[str, int]]:
    """Return the numbers of inputs and outputs, as torch and as Keras lay kernels out."""
    if len(shape) < 2:
        return []
    torch_field = math.prod(shape[2:])
    keras_field = math.prod(shape[:-2])
    fans = {shape[1] * torch_field, shape[-2] * keras_field}
    outs = {shape[0] * torch_field, shape[-1] * keras_field}
    return [("inputs", n) for n in fans] + [("inputs + outputs", n + m) for n in fans for m in outs]


def _uniform(bound: float, shape: Sequence[int]) -> str:
    """Name a uniform start: torch's 1/sqrt(inputs), Glorot's sqrt(6/(in+out)), He's sqrt(6/in)."""
    for name, fan in _fans(shape):
        for factor, who in ((1.0, "torch"), (6.0, "Glorot or He")):
            if fan and abs(bound / math.sqrt(factor / fan) - 1) < 0.02:
                return "uniform in +-%.3g = sqrt(%d / %s), as %s start" % (
                    bound,
                    factor,
                    name,
                    "layers of torch" if who == "torch" else "layers of Keras (Glorot, He)",
                )
    return ""


def _normal(spread: float, shape: Sequence[int]) -> str:
    """Name a normal start: 0.02 of BERT and GPT-2, 1 of embeddings, He's and LeCun's by inputs."""
    for known, who in ((0.02, "BERT and GPT-2"), (1.0, "embeddings of torch")):
        if abs(spread / known - 1) < 0.02:
            return "normal with deviation %.3g, as %s start" % (spread, who)
    for name, fan in _fans(shape):
        for factor, who in ((2.0, "He"), (1.0, "LeCun")):
            if fan and abs(spread / math.sqrt(factor / fan) - 1) < 0.02:
                return "normal with deviation %.3g = sqrt(%d / %s), as %s's layers start" % (
                    spread,
                    factor,
                    name,
                    who,
                )
    return ""
