"""Digests as DVC takes them: of folders, and of text files in its releases before 3.0.

A folder's digest is the MD5 of a list ``[{"md5": ..., "relpath": ...}, ...]`` sorted by path, as
Python's ``json.dumps`` writes it with sorted keys, and ".dir" is put behind it (dvc-data,
``dvc_data/hashfile/tree.py``). Before 3.0 the MD5 of a text file was that of its content with LF
for CRLF, MiB by MiB (``dvc_data/hashfile/hash.py``); dvc-data calls that "md5-dos2unix".
"""

from __future__ import annotations

import configparser
import functools
import hashlib
import json
import os
import re
from collections.abc import Callable, Iterator, Mapping
from typing import NamedTuple

_CHUNK = 1 << 20
"""Bytes that DVC replaces CRLF in at once: one that lies across two of them it leaves."""
_HEAD, _MOST_OTHERS = 512, 0.30
"""DVC takes a file for text by its first bytes: no NUL, and at most this share is not text."""
_TEXT = bytes(range(32, 127)) + b"\n\r\t\f\b"

_MOST_LIST = 256 << 20
_MOST_FILES = 2_000_000
_KEY = re.compile(r"(?P<before>[ \t]*(?:-[ \t]+)*)(?P<key>\w+):[ \t]*(?P<value>[^\s#]*)")
_MOST_LINES = 40
"""Of one entry of a DVC file; it has some six."""

_md5 = functools.partial(hashlib.md5, usedforsecurity=False)
LEFT_OUT = frozenset((".git", ".hg", ".dvc"))
"""What DVC never counts to a folder."""
BY_MACHINES = frozenset("__pycache__ .ipynb_checkpoints .DS_Store Thumbs.db".split())
"""What comes to be in a folder by using it."""


def files(folder: str, stop: Callable[[], bool] | None = None) -> Iterator[tuple[str, str]]:
    """Yield ``(relative path with "/", path)`` of the files below ``folder``, links followed.

    A link that leads nowhere is passed over, one that leads back to a folder above too. Raises
    OSError, and TimeoutError where ``stop`` says so.
    """
    seen: set[tuple[int, int]] = set()
    left = _MOST_FILES
    for place, folders, names in os.walk(folder, followlinks=True):
        if stop is not None and stop():
            raise TimeoutError("the time for listing %s is over" % folder)
        status = os.stat(place)
        if (status.st_dev, status.st_ino) in seen and os.path.islink(place):
            folders[:] = []
            continue
        seen.add((status.st_dev, status.st_ino))
        folders[:] = sorted(name for name in folders if name not in LEFT_OUT)
        for name in names:
            path = os.path.join(place, name)
            left -= 1
            if left < 0:
                raise OSError("%s has more than %d files" % (folder, _MOST_FILES))
            if name not in LEFT_OUT and os.path.isfile(path):
                yield os.path.relpath(path, folder).replace(os.sep, "/"), path


def is_pointer(name: str) -> bool:
    """Return whether a file only stands for data in git, by its name."""
    last = name.rpartition("/")[2]
    return last.endswith(".dvc") or last in (".gitignore", ".gitkeep", ".keep", "README.md")


def folder_digest(rows: Mapping[str, str]) -> str:
    """Return DVC's digest of a folder whose files have these MD5 digests, by relative path."""
    listed = [{"md5": rows[path], "relpath": path} for path in sorted(rows)]
    return _md5(json.dumps(listed, sort_keys=True).encode()).hexdigest() + ".dir"


def without_machines(rows: Mapping[str, str]) -> dict[str, str]:
    """Return ``rows`` without what comes to be in a folder by using it."""
    return {path: one for path, one in rows.items() if not BY_MACHINES & set(path.split("/"))}


def has_rules(root: str, folder: str) -> bool:
    """Return whether a ``.dvcignore`` that says something may leave files of ``folder`` out."""
    place = os.path.abspath(folder)
    places = [place]
    while place != os.path.abspath(root) and os.path.dirname(place) != place:
        place = os.path.dirname(place)
        places.append(place)
    return any(
        line.strip() and not line.startswith("#")
        for one in places
        for line in _text(os.path.join(one, ".dvcignore")).splitlines()
    )


def listed(root: str, value: str) -> dict[str, str] | None:
    """Return the files of the folder digest ``value`` as DVC's cache lists them, None without.

    A list that does not have that digest itself is no list.
    """
    stem = value.removesuffix(".dir")
    if not re.fullmatch(r"[0-9a-f]{32}", stem):
        return None
    for cache in _caches(root):
        for below in (os.path.join("files", "md5", stem[:2]), stem[:2]):
            path = os.path.join(cache, below, stem[2:] + ".dir")
            try:
                if os.path.getsize(path) > _MOST_LIST:
                    continue
                with open(path, "rb") as stream:
                    data = stream.read()
                if _md5(data).hexdigest() == stem:
                    return {str(one["relpath"]): str(one["md5"]) for one in json.loads(data)}
            except (OSError, ValueError, KeyError, TypeError, RecursionError):
                continue
    return None


def _caches(root: str) -> Iterator[str]:
    """Yield the folders of DVC's cache: the one its settings name, and the usual one."""
    for name in ("config.local", "config"):
        place = os.path.join(root, ".dvc")
        settings = configparser.ConfigParser(interpolation=None, strict=False)
        try:
            settings.read_string(_text(os.path.join(place, name)))
            folder = settings.get("cache", "dir", fallback="")
        except configparser.Error:
            continue
        if folder:
            yield os.path.join(place, folder)
    yield os.path.join(root, ".dvc", "cache")


def is_text(path: str) -> bool:
    """Return whether DVC took a file for text. Raises OSError."""
    with open(path, "rb") as stream:
        head = stream.read(_HEAD)
    return b"\0" not in head and len(head.translate(None, _TEXT)) <= _MOST_OTHERS * len(head)


def old_md5(path: str, stop: Callable[[], bool]) -> str:
    """Return the MD5 of a text file as DVC before 3.0 took it. Raises OSError, TimeoutError."""
    state = _md5()
    with open(path, "rb", buffering=0) as stream:
        while chunk := stream.read(_CHUNK):
            state.update(chunk.replace(b"\r\n", b"\n"))
            if stop():
                raise TimeoutError("the time for digesting was over")
    return state.hexdigest()


class Entry(NamedTuple):
    """What an entry of a DVC file says beside the digest; None where it does not.

    size: in bytes, of all files of a folder together. files: how many of these. old: the digest
    was taken before 3.0, as no kind of it is named.
    """

    size: int | None = None
    files: int | None = None
    old: bool = True


def entry(root: str, where: str, value: str) -> Entry:
    """Return what stands beside the digest ``value`` at ``where`` ("path:line") of a DVC file."""
    path, _, line = where.rpartition(":")
    lines = _text(os.path.join(root, path)).splitlines()
    at = int(line) - 1 if line.isdecimal() and len(line) < 10 else -1
    own = _KEY.match(lines[at]) if 0 <= at < len(lines) else None
    if own is None or own["value"].strip("'\"").lower() != value:
        return Entry()
    told = {}
    for step in (1, -1):
        near = at
        # An entry ends where another one begins or its keys stand further left.
        while 0 <= near < len(lines) and abs(near - at) < _MOST_LINES:
            key = _KEY.match(lines[near])
            if key is None or len(key["before"]) < len(own["before"]):
                break
            begins = "-" in key["before"]
            if begins and step > 0 and near > at:
                break
            if len(key["before"]) == len(own["before"]):
                told[key["key"]] = key["value"].strip("'\"")
            if begins and step < 0:
                break
            near += step
    numbers = {name: int(one) for name, one in told.items() if one.isdecimal() and len(one) < 19}
    return Entry(numbers.get("size"), numbers.get("nfiles"), "hash" not in told)


def _text(path: str) -> str:
    try:
        with open(path, "rb") as stream:
            return stream.read(1 << 20).decode("utf-8", "replace")
    except OSError:
        return ""
