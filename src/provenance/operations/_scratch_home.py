"""A home folder for rehearsals, in which libraries may write what they write to the user's.

Libraries keep settings and caches in hidden folders of the home folder (``~/.astropy``,
``~/.config``) and some renew them when their version changes; in the real one the sandbox refuses
that, and the script would fail for no reason of its own. The small ones of these folders are
copied, all else is a link to what is there, which can be read and not written.
"""

from __future__ import annotations

import os
import shutil

from provenance.executors import sandbox

_OPENED = (".cache", ".config", ".local", os.path.join(".local", "share"))
"""Folders that are made anew, with links to what is in them."""
MOST_ENTRIES = 2000
"""Of a home folder; one with more is used as it is."""
COPY_FILES, COPY_BYTES = 100, 1 << 20
"""Up to which a hidden folder is copied."""


def make(home: str, target: str) -> str:
    """Make a home folder at ``target`` like the one at ``home``; return which one to use.

    Raises OSError.
    """
    try:
        names = os.listdir(home)
    except OSError:
        return home
    if len(names) > MOST_ENTRIES:
        return home
    os.makedirs(target)
    for name in names:
        _entry(home, target, name)
    return target


def _entry(home: str, target: str, name: str) -> None:
    source, made = os.path.join(home, name), os.path.join(target, name)
    folder = os.path.isdir(source) and not os.path.islink(source)
    if folder and name in _OPENED:
        os.mkdir(made)
        for below in _names(source):
            _entry(home, target, os.path.join(name, below))
    elif (
        folder and name.startswith(".") and _is_small(source) and not sandbox.is_secret_place(name)
    ):
        shutil.copytree(source, made, symlinks=True)
    else:
        os.symlink(source, made)


def _is_small(folder: str) -> bool:
    """Return whether a folder is small enough to copy, and all of it can be read."""
    count = size = 0
    for path, folders, names in os.walk(folder):
        for name in (*folders, *names):
            full = os.path.join(path, name)
            count += 1
            if count > COPY_FILES or not (os.path.islink(full) or os.access(full, os.R_OK)):
                return False
            if not os.path.isdir(full):
                if not (os.path.islink(full) or os.path.isfile(full)):
                    return False  # a socket or a pipe
                size += os.lstat(full).st_size
        if size > COPY_BYTES:
            return False
    return True


def _names(folder: str) -> list[str]:
    try:
        return os.listdir(folder)
    except OSError:
        return []
