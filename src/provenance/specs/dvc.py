"""DVC's files: ``x.dvc``, ``dvc.lock`` and ``dvc.yaml``: digests of data that git does not hold.

A digest of a folder ends in ".dir" and stands for a list that only DVC's cache has: the MD5 of that
list, not of the files. Its ``size`` is that of all the files. Paths are relative to the folder of
the DVC file, as DVC takes them: ``wdir`` is put before them.
"""

from __future__ import annotations

import posixpath
from collections.abc import Iterator

from provenance.specs._text import brief
from provenance.specs._yaml import LIST, MAP, SCALAR, Node, document
from provenance.specs.model import (
    DATA,
    EXACT,
    NAMED,
    OUTPUT,
    PLACED,
    Fact,
    Source,
    Spec,
    Unread,
    Unreadable,
)

FORMATS = ("x.dvc", "dvc.lock", "dvc.yaml")
_DIGESTS = ("md5", "checksum", "sha256", "etag", "hash")
MOST = 200_000


def read(source: Source) -> Spec:
    """Return the data files that are stated, with their digests."""
    name = source.path.rpartition("/")[2]
    whole = document(source.data)
    root = whole.root
    if root is None or root.kind != MAP:
        raise Unreadable("There is no map at the top of it, which files of DVC have.")
    facts: list[Fact] = []
    unread = [Unread(_at(source, line), text, why) for line, text, why in whole.problems]
    notes: list[str] = []
    if name == "dvc.yaml":
        form = "dvc.yaml"
        found = _stages(root, source, named_only=True)
        notes.append("dvc.yaml names files without digests; these stand in dvc.lock.")
    elif name == "dvc.lock":
        form = "dvc.lock"
        found = _stages(root, source, named_only=False)
    else:
        form = "x.dvc"
        found = _own(root, source)
    for one in found:
        if isinstance(one, Unread):
            unread.append(one)
        elif len(facts) < MOST:
            facts.append(one)
    return Spec(source.path, form, tuple(facts), tuple(unread), notes=tuple(notes))


def _at(source: Source, line: int) -> str:
    return "%s:%d" % (source.path, line)


def _own(root: Node, source: Source) -> Iterator[Fact | Unread]:
    """Yield what ``x.dvc`` states: its outputs, and the import they come from."""
    folder = root.string("wdir")
    origin = ""
    for one in root.children("deps"):
        if one.kind != MAP:
            continue
        repository = one.get("repo")
        if repository is not None:
            revision = repository.string("rev_lock") or repository.string("rev")
            origin = repository.string("url") + ("@" + revision if revision else "")
        else:
            origin = origin or one.string("path")
        local = "://" not in one.string("path")
        if local and (repository is None or one.string("md5")):
            yield from _file(one, folder, "", source)
    for one in root.children("outs"):
        yield from _file(one, folder, origin, source)
    if root.get("outs") is None and root.get("deps") is None:
        yield Unread(_at(source, root.line), "", "There are no outs in it.")


def _stages(root: Node, source: Source, named_only: bool) -> Iterator[Fact | Unread]:
    """Yield what the stages state; a path that several stages name only once."""
    stages = root.get("stages") if root.get("stages") is not None else root
    seen: dict[tuple[str, str], Fact] = {}
    if named_only:
        stages = root.get("stages")
    read_ = _read_by_stages(stages)
    for _, stage in stages.pairs if stages is not None and stages.kind == MAP else []:
        inner = stage.get("do") if stage.get("do") is not None else stage
        if inner is None or inner.kind != MAP:
            continue
        folder = inner.string("wdir")
        for part in ("deps", "outs", "metrics", "plots") if named_only else ("deps", "outs"):
            for one in inner.children(part):
                for fact in _file(one, folder, "", source):
                    key = (fact.name, fact.digest) if isinstance(fact, Fact) else ("", "")
                    if not isinstance(fact, Fact):
                        yield fact
                    elif key not in seen:
                        result = part != "deps" and fact.name not in read_
                        yield fact._replace(group=OUTPUT) if result else fact
                    if isinstance(fact, Fact):
                        seen[key] = fact


def _read_by_stages(stages: Node | None) -> set[str]:
    """Return the paths that any stage depends on."""
    found = set()
    for _, stage in stages.pairs if stages is not None and stages.kind == MAP else []:
        inner = stage.get("do") if stage.get("do") is not None else stage
        if inner is None or inner.kind != MAP:
            continue
        for one in inner.children("deps"):
            for fact in _file(one, inner.string("wdir"), "", Source("", b"")):
                found |= {fact.name} if isinstance(fact, Fact) else set()
    return found


def _file(one: Node, folder: str, origin: str, source: Source) -> Iterator[Fact | Unread]:
    """Yield the fact of one entry; of an import with files listed, one for each file."""
    where = _at(source, one.line)
    if one.kind == SCALAR:
        path, body = one.text, None
    elif one.kind == MAP and one.string("path"):
        path, body = one.string("path"), one
    elif one.kind == MAP and len(one.pairs) == 1 and one.pairs[0][0].kind == SCALAR:
        path, body = one.pairs[0][0].text, None
    else:
        yield Unread(where, "", "This entry names no path.")
        return
    if "${" in path:
        yield Unread(where, brief(path), "The path holds a parameter of DVC, which is not put in.")
        return
    if folder and not path.startswith(("/", "~")) and "://" not in path:
        path = posixpath.normpath(posixpath.join(folder, path))
    place, digest = _digest(body)
    at = _at(source, place.line) if place is not None else where
    exactness = EXACT if digest else PLACED if origin else NAMED
    yield Fact(DATA, path, exactness, at, ecosystem="", url=origin, digest=digest, size=_size(body))
    files = body.get("files") if body is not None else None
    for inner in files.items if files is not None and files.kind == LIST else []:
        node, own = _digest(inner)
        short = inner.string("relpath") or inner.string("path")
        if node is not None and short:
            yield Fact(
                DATA,
                posixpath.join(path, short),
                EXACT,
                _at(source, node.line),
                ecosystem="",
                url=origin,
                digest=own,
                size=_size(inner),
            )


def _size(body: Node | None) -> int:
    """Return the bytes that an entry names, -1 where it names none."""
    text = body.string("size") if body is not None else ""
    return int(text) if text.isascii() and text.isdigit() and len(text) < 19 else -1


def _digest(body: Node | None) -> tuple[Node | None, str]:
    """Return an entry's digest and where it stands: "md5:...", "etag:..."."""
    if body is None or body.kind != MAP:
        return None, ""
    for name in _DIGESTS[:-1]:
        node = body.get(name)
        if node is not None and node.kind == SCALAR and not node.empty:
            return node, "%s:%s" % (name, node.text[:200])
    return None, ""
