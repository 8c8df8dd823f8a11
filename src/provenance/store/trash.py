"""Removing what is ours, so that a kill at any moment leaves nothing half removed.

What goes is first renamed into a folder ``trash`` of the same file system: from then on it is gone,
whole. Emptying the trash may take long and be broken off; whoever removes something next goes on
with it. Symbolic links are removed, never followed, and nothing is taken whose folder turns out to
lie elsewhere.
"""

from __future__ import annotations

import binascii
import contextlib
import errno
import os
import shutil
import stat

from provenance.core.paths import is_inside
from provenance.errors import SystemRefused

FOLDER = "trash"
_FULL = (errno.ENOSPC, errno.EDQUOT)
_ATTEMPTS = 10
_FIRST = "record.json"
"""Deleted before the rest of its folder: without it the folder is no run any more."""


class Trash:
    """The trash of the folder ``top``, a project's ``.prov`` or the cache."""

    def __init__(self, top: str) -> None:
        self.top = os.path.realpath(top)
        self.folder = os.path.join(self.top, FOLDER)

    def holds(self, path: str) -> bool:
        """Return whether ``path`` lies in the folder with no link on the way there."""
        parent, name = os.path.split(os.path.abspath(path))
        real = os.path.join(os.path.realpath(parent), name)
        return is_inside(real, self.top) and real not in (self.top, self.folder)

    def take(self, path: str) -> bool:
        """Move ``path`` into the trash; False where it is not there (any more).

        Raises `SystemRefused` where it is not ours or the system says no.
        """
        if not self.holds(path):
            raise SystemRefused(
                "%s was left alone: it lies outside of %s." % (path, self.top),
                "a link leads there; remove it yourself if nobody needs it",
            )
        if os.path.islink(self.folder):
            raise SystemRefused("%s is a link: nothing was removed." % self.folder)
        mark = binascii.hexlify(os.urandom(6)).decode("ascii")
        target = os.path.join(self.folder, "%s.%s" % (os.path.basename(path)[:180], mark))
        for _ in range(_ATTEMPTS):
            try:
                os.makedirs(self.folder, 0o700, exist_ok=True)
                os.rename(path, target)
            except FileNotFoundError:
                if os.path.lexists(path):
                    continue  # somebody emptied the trash, and removed its folder, just now
                return False
            except OSError as error:
                if error.errno in _FULL and os.path.lexists(path):
                    remove(path)  # a full disk has no room for a folder: make some
                    return True
                hint = "it is a mount of its own" if error.errno == errno.EXDEV else ""
                text = "%s cannot be removed: %s." % (path, error.strerror)
                raise SystemRefused(text, hint) from error
            return True
        return False

    def empty(self) -> tuple[str, ...]:
        """Delete what is in the trash; return a sentence for each thing that resists.

        Safe where several do it at once.
        """
        if os.path.islink(self.folder):
            return ()
        try:
            names = sorted(os.listdir(self.folder))
        except OSError:
            return ()
        problems = []
        for name in names:
            path = os.path.join(self.folder, name)
            remove(path)
            if os.path.lexists(path):
                problems.append("%s cannot be deleted; remove it yourself" % path)
        with contextlib.suppress(OSError):
            os.rmdir(self.folder)
        return tuple(problems)


def remove(path: str) -> None:
    """Delete ``path`` with all in it, also folders that were made unreadable. Never raises."""
    try:
        if not stat.S_ISDIR(os.lstat(path).st_mode):
            os.unlink(path)
            return
        _open_up(path)
        with contextlib.suppress(FileNotFoundError):
            os.unlink(os.path.join(path, _FIRST))
        for folder, names, _ in os.walk(path):
            for name in names:
                full = os.path.join(folder, name)
                if not os.path.islink(full):
                    _open_up(full)
    except OSError:
        pass
    shutil.rmtree(path, ignore_errors=True)


def _open_up(folder: str) -> None:
    try:
        mode = os.lstat(folder).st_mode
        if stat.S_ISDIR(mode) and mode & stat.S_IRWXU != stat.S_IRWXU:
            os.chmod(folder, stat.S_IMODE(mode) | stat.S_IRWXU)
    except OSError:
        return
