"""Two files of some kind, compared as `prov` does."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from provenance.compare import contents
from provenance.compare.judged import Judged
from provenance.compare.tolerance import DEFAULT, Tolerance


def judge(
    folder: Path, name: str, old: Any, new: Any, tolerance: Tolerance = DEFAULT, new_name: str = ""
) -> Judged:
    """Write two contents (text, bytes, or a function that is given the path) and compare them."""
    paths = []
    for side, content, called in (("old", old, name), ("new", new, new_name or name)):
        path = folder / side / called
        path.parent.mkdir(parents=True, exist_ok=True)
        if callable(content):
            content(path)
        else:
            path.write_bytes(content.encode() if isinstance(content, str) else content)
        paths.append(str(path))
    return contents.compare(*paths, name, tolerance, new_name)


def names(judged: Judged) -> dict[str, str]:
    """Return what is said of each part, by its name."""
    return {one.name: one.detail for one in judged.parts}


def sentence(folder: Path, name: str, old: Any, new: Any) -> str:
    """Return what is said of two contents, also where they cannot be compared."""
    try:
        return judge(folder, name, old, new).detail
    except contents.Opaque as reason:
        return str(reason)
