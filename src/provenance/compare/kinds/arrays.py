"""Arrays and checkpoints: tensor by tensor, without unpickling anything."""

from __future__ import annotations

import zipfile

from provenance.compare import tensors
from provenance.compare.judged import Judged
from provenance.compare.kinds import packed
from provenance.compare.kinds.base import Opaque, Pair
from provenance.readers import archives
from provenance.readers.model import Archive, Unreadable


def compare(pair: Pair) -> Judged:
    """Compare two archives of arrays, also of different forms (safetensors against npz).

    Zip archives that hold neither are compared member by member.
    """
    try:
        opened = [_opened(*side) for side in pair.sides]
    except Opaque:
        if all(zipfile.is_zipfile(path) for path, _, _ in pair.sides):
            return packed.compare(pair)
        raise
    try:
        judged = tensors.compare_archives(opened[0], opened[1], pair.tolerance)
    except Unreadable as error:
        raise Opaque("one of them %s" % error) from error
    notes = [
        "%s: %s" % (which, note)
        for archive, (_, _, which) in zip(opened, pair.sides, strict=True)
        for note in archive.notes
    ]
    return judged._replace(notes=tuple(notes))


def _opened(path: str, name: str, which: str) -> Archive:
    try:
        return archives.open_archive(path, name)
    except Unreadable as error:
        raise Opaque("%s %s" % (which, error)) from error
