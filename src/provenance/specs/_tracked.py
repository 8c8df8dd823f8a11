"""What DVC's files state of the files and folders that it tracks, with the stage and the remote.

Paths in ``dvc.lock`` are relative to the stage's ``wdir``, which only ``dvc.yaml`` beside it names;
that file also says where an output is not pushed, or to a remote of its own.
"""

from __future__ import annotations

import posixpath
import re
from collections.abc import Iterator
from typing import NamedTuple

from provenance.specs._yaml import MAP, SCALAR, Node, document
from provenance.specs.model import Unreadable

MOST = 200_000
"""Entries of one file that are looked at."""

_MD5 = re.compile(r"^[0-9a-f]{32}(?:\.dir)?$")
_NO = ("false", "False", "FALSE", "no", "off")


class Tracked(NamedTuple):
    """A file or folder that DVC tracks.

    path: below the folder of ``file``, may lead out of it ("../data"). file: that states it. stage:
    "" in ``x.dvc``. md5: with ".dir" for a folder, "" where it has none. size: bytes, -1 where not
    told. files: of a folder. remote: named for it alone. pushed: False where its content goes to no
    remote. origin: address and revision of what it was imported from. plain: whether the MD5 is
    that of the bytes (before 3.0 line ends of text were changed first).
    """

    path: str
    file: str
    stage: str = ""
    md5: str = ""
    size: int = -1
    files: int = 0
    remote: str = ""
    pushed: bool = True
    origin: str = ""
    plain: bool = True


def of_pointer(file: str, data: bytes) -> list[Tracked]:
    """Return what ``x.dvc`` states. Raises `Unreadable`."""
    root = _root(data)
    folder = root.string("wdir")
    origin, theirs = _origin(root)
    return [
        one._replace(origin=origin, pushed=one.pushed and not theirs)
        for one in _outs(root, file, folder, "")
    ]


def of_lock(file: str, data: bytes, stages: bytes | None = None) -> list[Tracked]:
    """Return the outputs in ``dvc.lock``; stages: what ``dvc.yaml`` beside it holds.

    Raises `Unreadable` for the lock; of stages that cannot be read nothing is known.
    """
    root = _root(data)
    told = _Stages(stages)
    held = root.get("stages") if root.get("stages") is not None else root
    found: list[Tracked] = []
    for key, stage in held.pairs if held is not None and held.kind == MAP else ():
        folder = told.folder(key.text)
        if stage.kind != MAP or folder is None or len(found) > MOST:
            continue
        for one in _outs(stage, file, folder, key.text):
            flags = told.flags(key.text, one.path, folder)
            found.append(one._replace(remote=flags[0], pushed=flags[1]) if flags else one)
    return found


def _root(data: bytes) -> Node:
    root = document(data).root
    if root is None or root.kind != MAP:
        raise Unreadable("There is no map at the top of it, which files of DVC have.")
    return root


def _origin(root: Node) -> tuple[str, bool]:
    """Return what an import came from, and whether that keeps its content for us."""
    for one in root.children("deps"):
        if one.kind != MAP:
            continue
        repository = one.get("repo")
        if repository is not None and repository.kind == MAP:
            revision = repository.string("rev_lock") or repository.string("rev")
            url = repository.string("url")
            return url + ("@" + revision if revision else ""), True
        if "://" in one.string("path"):
            return one.string("path"), False
    return "", False


def _outs(stage: Node, file: str, folder: str, name: str) -> Iterator[Tracked]:
    for one in stage.children("outs"):
        path = one.string("path") if one.kind == MAP else ""
        if not path or "://" in path or "${" in path:
            continue
        value = one.string("md5").lower()
        if not path.startswith(("/", "~")):
            path = posixpath.normpath(posixpath.join(folder, path))
        remote, pushed = _flags(one)
        yield Tracked(
            path, file, name, value if _MD5.match(value) else "",
            _number(one, "size", -1), _number(one, "nfiles", 0), remote, pushed,
            plain=one.string("hash") == "md5",
        )  # fmt: skip


def _number(one: Node, name: str, default: int) -> int:
    text = one.string(name)
    return int(text) if text.isascii() and text.isdigit() and len(text) < 19 else default


def _flags(one: Node) -> tuple[str, bool]:
    """Return the remote that an output names, and whether its content is pushed at all."""
    pushed = one.string("push") not in _NO and one.string("cache") not in _NO
    return one.string("remote"), pushed


class _Stages:
    """What ``dvc.yaml`` says. A stage ``train@a`` is one of those that ``train`` stands for."""

    def __init__(self, data: bytes | None) -> None:
        self._stages: dict[str, Node] = {}
        try:
            root = document(data).root if data is not None else None
        except Unreadable:
            root = None
        held = root.get("stages") if root is not None and root.kind == MAP else None
        for key, stage in held.pairs if held is not None and held.kind == MAP else ():
            inner = stage.get("do") if stage.kind == MAP else None
            self._stages[key.text] = inner if inner is not None else stage

    def _stage(self, name: str) -> Node | None:
        found = self._stages.get(name) or self._stages.get(name.partition("@")[0])
        return found if found is not None and found.kind == MAP else None

    def folder(self, name: str) -> str | None:
        """Return the folder that a stage's paths are relative to; None where that depends."""
        stage = self._stage(name)
        folder = stage.string("wdir") if stage is not None else ""
        return None if "${" in folder else folder

    def flags(self, name: str, path: str, folder: str) -> tuple[str, bool] | None:
        """Return what is said of an output, None where nothing is or parameters name it."""
        stage = self._stage(name)
        for part in ("outs", "metrics", "plots") if stage is not None else ():
            assert stage is not None
            for one in stage.children(part):
                if one.kind != MAP or len(one.pairs) != 1 or one.pairs[0][0].kind != SCALAR:
                    continue
                key, body = one.pairs[0]
                if (
                    body.kind == MAP
                    and posixpath.normpath(posixpath.join(folder, key.text)) == path
                ):
                    return _flags(body)
        return None
