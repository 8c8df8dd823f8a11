"""The file that the command was given as standard input: ``prov run -- solver < model.lp``.

The shell opens it before anything of ours runs, so that no hook and no tracer sees it opened. The
command shares our descriptor and with it the position: where that has moved, it was read.
"""

from __future__ import annotations

import os
import stat

from provenance.core.context import FileUse, Observations

HOW = "named"
"""The user gave it, by the shell."""


class StandardInput:
    """Our standard input as it is before the command starts. path: "" where it is no file."""

    def __init__(self) -> None:
        self.path = ""
        self._at = 0
        try:
            if stat.S_ISREG(os.fstat(0).st_mode):
                self._at = os.lseek(0, 0, os.SEEK_CUR)
                path = os.readlink("/proc/self/fd/0")
                self.path = path if os.path.isfile(path) else ""
        except OSError:
            return

    def joined(self, seen: Observations) -> Observations:
        """Return ``seen`` with the file where the command has read from it."""
        try:
            moved = bool(self.path) and os.lseek(0, 0, os.SEEK_CUR) != self._at
        except OSError:
            return seen
        if not moved or any(use.path == self.path for use in seen.files):
            return seen
        return seen._replace(files=(*seen.files, FileUse(self.path, "r", True, False, (HOW,))))
