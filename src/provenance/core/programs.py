"""Finding programs on PATH, for those who start too early to afford `shutil`.

`shutil` brings the compression libraries with it: 3 ms that the start of a run need not pay.
"""

from __future__ import annotations

import os
from typing import Mapping, Optional


def find(name: str, environ: Mapping[str, str]) -> Optional[str]:
    """Return the path of the program ``name`` on the PATH of ``environ``, None where it is not."""
    if os.sep in name:
        return name if _is_program(name) else None
    for folder in environ.get("PATH", os.defpath).split(os.pathsep):
        path = os.path.join(folder, name)
        if folder and _is_program(path):
            return path
    if os.name == "nt":  # suffixes of PATHEXT
        import shutil

        return shutil.which(name, path=environ.get("PATH"))
    return None


def _is_program(path: str) -> bool:
    return os.access(path, os.X_OK) and os.path.isfile(path)
