"""What is installed for another language than Python: one form for R and Julia.

It is read from the files that the tools keep; nothing of them is started.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from typing import NamedTuple

MOST_BYTES = 1 << 20
"""Of one file that is read: descriptions of packages and source are far smaller."""


class Release(NamedTuple):
    """One installed package.

    version: as its own metadata says, "" where they do not. revision: of the sources it was built
    from, where it came from a repository of sources. origin: what it came from, in the tool's
    words ("CRAN", "https://github.com/..."). place: the folder it lies in.
    """

    version: str
    revision: str = ""
    origin: str = ""
    place: str = ""


class Installed(NamedTuple):
    """What is here of a language.

    version: of the language itself, "" where it is not here or does not tell. packages: by name,
    the one that a program would load. places: the folders that were looked into, the first one
    wins. missing: why nothing can be said of the packages; "" where it can.
    """

    ecosystem: str
    version: str = ""
    packages: Mapping[str, Release] = {}
    places: tuple[str, ...] = ()
    missing: str = ""


def text(path: str) -> str:
    """Return the beginning of a regular file as text, "" where it cannot be read."""
    try:
        if not os.path.isfile(path):
            return ""
        with open(path, "rb") as stream:
            return stream.read(MOST_BYTES).decode("utf-8", "replace").replace("\r\n", "\n")
    except OSError:
        return ""
