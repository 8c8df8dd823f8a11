"""Tensors that differ from their namesakes and stand under one another's names."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence

from provenance.compare._tensor_pairs import equal_bytes
from provenance.compare.judged import Part
from provenance.core.verdict import DIFFERENT
from provenance.readers.model import Archive, Tensor, Unreadable

_LOOKED_AT = 4096
"""Elements that are read to find tensors which may be the same."""


def exchanged(parts: Sequence[Part], old: Archive, new: Archive) -> list[Part]:
    """Return ``parts`` with a word on those that stand under the name of another that differs."""
    names = [
        one.name
        for one in parts
        if one.verdict == DIFFERENT and one.name in old.tensors and one.name in new.tensors
    ]
    if len(names) < 2:
        return list(parts)
    come: dict[str, list[str]] = {}
    for name in names:
        come.setdefault(_begins(new.tensors[name]), []).append(name)
    found = {}
    for name in names:
        for now in come.get(_begins(old.tensors[name]), ()):
            if now != name and _is_equal(old.tensors[name], new.tensors[now]):
                found[name] = now
                break
    return [_told(one, found[one.name]) if one.name in found else one for one in parts]


def _told(part: Part, now: str) -> Part:
    figures = dict(part.figures, now=now)
    return part._replace(detail="its values are now under %s" % now, figures=figures)


def _begins(tensor: Tensor) -> str:
    """Return a digest of type, shape and first values; the name where these say nothing."""
    try:
        piece = next(tensor.chunks(_LOOKED_AT), None)
    except Unreadable:
        piece = None
    if piece is None or not piece.size or piece.dtype.hasobject or (piece == piece[0]).all():
        return tensor.name
    start = "%s %s " % (tensor.dtype, tensor.shape)
    return hashlib.sha256(start.encode() + piece.tobytes()).hexdigest()


def _is_equal(old: Tensor, new: Tensor) -> bool:
    try:
        return old.shape == new.shape and old.dtype == new.dtype and equal_bytes(old, new)
    except Unreadable:
        return False
