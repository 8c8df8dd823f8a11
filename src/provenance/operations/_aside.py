"""Moving a file of the user's out of the way, to where it can be had back from."""

from __future__ import annotations

import os
import shutil
import time
from collections.abc import Callable

from provenance.errors import InTheWay
from provenance.store import files
from provenance.store.project import Project

REPLACED = "replaced"
"""Folder below ``.prov`` that holds what a forced checkout replaced."""


def saver(place: Project) -> Callable[[str], str]:
    """Return what moves a file of the user's out of the way and tells where it is then."""
    stamp = time.strftime("%Y%m%dT%H%M%SZ", time.gmtime())
    top = os.path.join(place.folder, REPLACED, "%s-%d" % (stamp, os.getpid()))

    def save(path: str) -> str:
        inner = os.path.relpath(path, place.root)
        if inner.startswith(".."):
            inner = os.path.basename(path)
        target = os.path.join(top, inner)
        number = 1
        while os.path.lexists(target):
            target = "%s.%d" % (os.path.join(top, inner), number)
            number += 1
        files.make_folder(os.path.dirname(target))
        try:
            shutil.move(path, target)  # .prov may be on another disk
        except OSError as error:
            raise InTheWay(
                "%s cannot be moved out of the way: %s." % (path, error.strerror),
                "move it yourself, or use --to FOLDER",
            ) from error
        return target

    return save
