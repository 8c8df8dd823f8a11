"""Where a file lies, in words that still mean something on another machine.

A path is kept as a *root* and a POSIX path below it. Roots: ``repo`` (the top of the code
repository, or the project folder where there is no git), ``cwd`` (where the command ran), ``home``
and ``abs`` (none of them). In Python a path that is not UTF-8 holds surrogate escapes, as `os`
gives it; in JSON it is base64.
"""

from __future__ import annotations

import binascii
import os
import posixpath
from typing import Any, NamedTuple, Optional, Tuple

REPO, CWD, HOME, ABS = "repo", "cwd", "home", "abs"


class PathRef(NamedTuple):
    """A root name and a POSIX path below it; for ``abs`` the whole path."""

    root: str
    path: str

    def __str__(self) -> str:
        """Return the form shown to people: repo and cwd paths bare, ``~/`` for home."""
        return "~/" + self.path if self.root == HOME else self.path

    def to_json(self) -> Any:
        """Return the JSON form, base64 where the name is not UTF-8."""
        try:
            self.path.encode("utf-8")
        except UnicodeEncodeError:
            raw = binascii.b2a_base64(os.fsencode(self.path), newline=False).decode("ascii")
            return {"root": self.root, "path_base64": raw}
        return {"root": self.root, "path": self.path}

    @classmethod
    def from_json(cls, value: Any) -> PathRef:
        """Read the JSON form back; raises ValueError where it is not one."""
        try:
            if "path_base64" in value:
                return cls(value["root"], os.fsdecode(binascii.a2b_base64(value["path_base64"])))
            return cls(str(value["root"]), str(value["path"]))
        except (KeyError, TypeError) as error:
            raise ValueError("not a path: %.60r" % (value,)) from error


class Roots(NamedTuple):
    """The absolute folders that root names stand for on this machine.

    ``repo`` is None where there is neither a git repository nor a project folder.
    """

    repo: Optional[str]
    cwd: str
    home: str

    def tops(self) -> Tuple[str, ...]:
        """Return the project's own folders; the root of the file system is nobody's project."""
        return tuple(one for one in (self.repo, self.cwd) if one and one != os.sep)

    def refer(self, path: str) -> PathRef:
        """Return ``path`` (absolute, or relative to ``cwd``) as a `PathRef`, unresolved."""
        full = os.path.normpath(os.path.join(self.cwd, path))
        for name, root in ((REPO, self.repo), (CWD, self.cwd), (HOME, self.home)):
            if root and root != "/" and is_inside(full, root):
                below = os.path.relpath(full, root)
                return PathRef(name, below.replace(os.sep, "/"))
        return PathRef(ABS, full.replace(os.sep, "/"))

    def locate(self, ref: PathRef) -> Optional[str]:
        """Return where ``ref`` is on this machine, or None where its root is not known here.

        A reference never leads out of its root: one that would gives None.
        """
        if ref.root == ABS:
            return ref.path if posixpath.isabs(ref.path) else None
        root = {REPO: self.repo, CWD: self.cwd, HOME: self.home}.get(ref.root)
        if root is None:
            return None
        full = os.path.normpath(os.path.join(root, ref.path))
        return full if is_inside(full, root) else None


def is_inside(path: str, folder: str) -> bool:
    """Return whether the normal absolute ``path`` is ``folder`` or lies below it."""
    return path == folder or path.startswith(folder.rstrip(os.sep) + os.sep)


def nearest(start: str, name: str) -> Optional[str]:
    """Return the nearest folder from ``start`` upwards that holds ``name``, None for none."""
    folder = start
    while not os.path.lexists(os.path.join(folder, name)):
        parent = os.path.dirname(folder)
        if parent == folder:
            return None
        folder = parent
    return folder
