"""Fetching data that DVC tracks into a restored tree, with the dvc program.

``dvc get`` writes to the place it is told and leaves the user's working files and cache alone.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Mapping

from provenance.core.digest import file_digests

LIMIT_S = 6 * 3600.0
"""Seconds that one file or folder may take; data sets are large and remotes are slow."""
_LAST = 200
"""Characters of DVC's complaint that are shown."""


def is_tracked(top: str, path: str) -> bool:
    """Return whether DVC tracks ``path`` (relative to ``top``), by the files that say so."""
    if os.path.isfile(os.path.join(top, "dvc.lock")):
        return True
    parts = path.split("/")
    return any(
        os.path.isfile(os.path.join(top, *parts[: n + 1]) + ".dvc") for n in range(len(parts))
    )


def fetch(top: str, path: str, target: str, environ: Mapping[str, str]) -> str:
    """Put ``path`` of the repository ``top`` at ``target``; return why not, "" where it is done."""
    program = shutil.which("dvc", path=environ.get("PATH")) or shutil.which(
        "dvc", path=os.path.dirname(sys.executable)
    )
    if program is None:
        return "DVC tracks it, and the dvc program is not here (pip install dvc)"
    os.makedirs(os.path.dirname(target), exist_ok=True)
    words = [program, "get", top, path, "-o", target]
    try:
        done = subprocess.run(
            words,
            cwd=tempfile.gettempdir(),  # within another repository of DVC it fails
            env=dict(environ, DVC_NO_ANALYTICS="1"),
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            errors="replace",
            timeout=LIMIT_S,
            check=False,
        )
    except (OSError, subprocess.TimeoutExpired) as error:
        return "dvc failed: %s" % error
    if done.returncode or not os.path.lexists(target):
        said = [line[7:] for line in done.stderr.splitlines() if line.startswith("ERROR: ")]
        return "dvc could not fetch it: %s" % (said[0][:_LAST] if said else "it does not say why")
    return ""


def differs(target: str, digests: Mapping[str, str]) -> bool:
    """Return whether a file that was fetched is not the recorded one; of folders nobody knows."""
    known = {name: one for name, one in digests.items() if name in ("sha256", "md5", "blake3")}
    if not known or not os.path.isfile(target):
        return False
    name = next(iter(sorted(known)))
    return file_digests(target, (name,))[name] != known[name]
