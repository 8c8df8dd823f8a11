"""What a repository states of its environment in the files of other tools, as a reference.

The best file says what is compared; what it leaves open (Python, CUDA, the version of a package
that it only names) is taken from the next ones, each fact with its own place.
"""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Iterable, Iterator, Sequence
from typing import Any, NamedTuple

from provenance.core.paths import CWD, PathRef
from provenance.core.record import DONE, Record
from provenance.errors import BadRecord, NothingToCompare
from provenance.specs import find, formats, ranges
from provenance.specs.model import (
    CUDA,
    DATA,
    EXACT,
    EXACTNESS,
    MOST_BYTES,
    NAMED,
    PACKAGE,
    PLACED,
    PYTHON,
    RANGE,
    Fact,
    Source,
    Spec,
    Unread,
)
from provenance.store import lockfile

MOST_FILES = 40
"""Environment files of a repository that are read; more belong to its parts."""
_MOST_ENTRIES = 20_000
"""Names of a repository that are looked at for them."""
_COUNTED = {EXACT: "exact", RANGE: "by range", PLACED: "by place", NAMED: "by name only"}


RECORD = Record("stated", (), PathRef(CWD, "."), DONE, "")
"""Stands where a record is asked for and no run made one."""


class Stated(NamedTuple):
    """What environment files state.

    path: of the best one, relative to ``root``. complete: it lists all that was installed. facts:
    its own, then what others add. data: of data files, from all. also: other files that were there.
    lock: the path of the ``prov.lock`` that this was read from, "" where it was the files.
    """

    root: str
    path: str
    format: str
    facts: tuple[Fact, ...]
    data: tuple[Fact, ...] = ()
    complete: bool = False
    also: tuple[str, ...] = ()
    unread: tuple[Unread, ...] = ()
    notes: tuple[str, ...] = ()
    lock: str = ""

    @property
    def packages(self) -> tuple[Fact, ...]:
        """The facts on packages."""
        return tuple(one for one in self.facts if one.kind == PACKAGE)

    def counts(self) -> dict[str, int]:
        """Return how many packages are stated how exactly, the most exact first."""
        found: dict[str, str] = {}
        for one in self.packages:
            known = found.get(one.name, NAMED)
            found[one.name] = max(known, one.exactness, key=EXACTNESS.index)
        told = list(found.values())
        return {how: told.count(how) for how in reversed(EXACTNESS) if how in told}

    def summary(self) -> str:
        """Return how exact it is: "14 packages: 9 exact, 2 by range, 3 by name only"."""
        counts = self.counts()
        total = sum(counts.values())
        if not total:
            others = [
                word for word, kind in (("Python", PYTHON), ("CUDA", CUDA)) if self._has(kind)
            ]
            count = len(self.data)
            others += ["%d data file%s" % (count, "s"[count == 1 :])] if count else []
            return ", ".join(others) or "nothing"
        parts = ", ".join("%d %s" % (n, _COUNTED[how]) for how, n in counts.items())
        word = "package" if total == 1 else "packages"
        return "%d %s: %s" % (total, word, parts) if len(counts) > 1 else "%d %s, %s" % (
            total, word, parts.partition(" ")[2],
        )  # fmt: skip

    def _has(self, kind: str) -> bool:
        return any(one.kind == kind for one in self.facts)


def read(path: str, root: str) -> Spec:
    """Return what the file at ``path`` states. Raises `BadRecord` where it cannot be opened."""
    shown = os.path.relpath(path, root)
    shown = path if shown.startswith(os.pardir) else shown.replace(os.sep, "/")
    try:
        data = _content(path)
    except OSError as error:
        raise BadRecord("%s cannot be read: %s." % (path, error.strerror or error)) from error
    top = os.path.realpath(root)

    def sibling(name: str) -> bytes | None:
        other = os.path.realpath(os.path.join(os.path.dirname(path), name))
        if os.path.commonpath([top, other]) != top:
            return None
        try:
            return _content(other)
        except OSError:
            return None

    return formats.read(Source(shown, data, sibling))


def _content(path: str) -> bytes:
    """Return a regular file's bytes, one too many of a file that is too big."""
    if not os.path.isfile(path):
        raise FileNotFoundError(2, "no such file", path)
    with open(path, "rb") as stream:
        return stream.read(MOST_BYTES + 1)


def of_file(path: str, root: str) -> Stated:
    """Return what one file states. Raises `BadRecord`, `NothingToCompare` where that is nothing."""
    spec = read(path, root)
    if not spec.facts:
        why = spec.unread[0].why if spec.unread else "nothing about an environment is stated in it."
        raise NothingToCompare("%s: %s" % (os.path.relpath(path), why))
    return _of([(None, spec)], root)


def of_repository(root: str) -> Stated | None:
    """Return what the environment files below ``root`` state, None where there are none."""
    read_ = []
    for one in find.files(_names(root))[:MOST_FILES]:
        if one.rank == find.PROV_LOCK:
            continue
        try:
            read_.append((one, read(os.path.join(root, one.path), root)))
        except BadRecord:
            continue  # gone or closed to us: the next best one serves
    found = [pair for pair in find.by_content(read_) if pair[1].facts]
    return _of(found, root) if found else None


def _of(read_: Sequence[tuple[find.Candidate | None, Spec]], root: str) -> Stated:
    """Return what files state together, the best one first."""
    specs = [spec for _, spec in read_]
    best = next((spec for spec in specs if _states(spec, PACKAGE)), specs[0])
    whole = [spec for one, spec in read_ if one is None or not one.other]
    rest = [spec for spec in whole if spec is not best]
    facts = [*(one for one in best.facts if one.kind != DATA), *_added(best, rest)]
    data = [one for spec in specs for one in spec.facts if one.kind == DATA]
    return Stated(
        root,
        best.path,
        best.format,
        tuple(facts),
        tuple(data),
        best.complete,
        tuple(spec.path for spec in specs if spec is not best),
        best.unread,
        best.notes,
    )


def _states(spec: Spec, kind: str) -> bool:
    return any(one.kind == kind for one in spec.facts)


def _added(best: Spec, rest: Iterable[Spec]) -> Iterator[Fact]:
    """Yield what other files say of things that the best one leaves open, each thing once.

    The best one's own groups apart: what is optional there needs no version from elsewhere.
    """
    open_ = {PYTHON, CUDA} - {one.kind for one in best.facts if not ranges.is_bound(one.specifier)}
    bounded = {one.kind for one in best.facts if one.kind in open_}
    told = {one.name for one in best.facts if one.kind == PACKAGE and one.exactness != NAMED}
    named = {one.name for one in best.facts if one.kind == PACKAGE} - told
    for spec in rest:
        closed: set[str] = set()
        for one in spec.facts:
            if one.group or one.exactness == NAMED:
                continue
            if one.kind in bounded and not _within(one, best.facts):
                continue
            if one.kind in open_:
                closed.add(one.kind)
                yield one
            elif one.kind == PACKAGE and one.name in named and not one.url:
                closed.add(one.name)
                yield one
        open_ -= closed
        named -= closed


def _within(one: Fact, bounds: Iterable[Fact]) -> bool:
    """Return whether a fact names a release of Python or CUDA that the best file's bounds allow."""
    release = one.version or ranges.named(one.specifier)
    own = [bound for bound in bounds if bound.kind == one.kind and bound.name == one.name]
    return bool(release) and all(ranges.allows(bound, release) is not False for bound in own)


def _names(root: str) -> list[str]:
    """Return the files of the upper folders of ``root``, relative to it."""
    found: list[str] = []
    for folder, folders, files in os.walk(root):
        below = os.path.relpath(folder, root).replace(os.sep, "/")
        depth = 0 if below == "." else below.count("/") + 1
        prefix = "" if below == "." else below + "/"
        found += [prefix + name for name in sorted(files)]
        keep = [name for name in sorted(folders) if name != ".git" and depth < find.DEEPEST]
        if "pyvenv.cfg" in files or "conda-meta" in folders:
            found, keep = [one for one in found if not one.startswith(prefix) or not prefix], []
        folders[:] = keep
        if len(found) > _MOST_ENTRIES:
            break
    return found


def to_json(one: Stated) -> dict[str, Any]:
    """Return it as a lock holds it: what each fact says and no more."""
    path = os.path.join(one.root, one.path)
    return {
        "source": one.path,
        "format": one.format,
        "sha256": hashlib.sha256(_content(path)).hexdigest(),
        "complete": one.complete,
        "facts": [_plain(fact) for fact in (*one.facts, *one.data)],
    }


def _plain(fact: Fact) -> dict[str, Any]:
    plain = {name: value for name, value in fact._asdict().items() if value not in ("", (), -1)}
    return json.loads(json.dumps(plain))  # type: ignore[no-any-return]


def of_lock(lock: lockfile.Lock, path: str, root: str) -> tuple[Stated, ...]:
    """Return what a lock holds of environment files. Raises `BadRecord`."""
    found = []
    for part in lock.stated:
        try:
            facts = [_fact(one) for one in part["facts"]]
            found.append(
                Stated(
                    root,
                    str(part["source"]),
                    str(part.get("format", "")),
                    tuple(one for one in facts if one.kind != DATA),
                    tuple(one for one in facts if one.kind == DATA),
                    bool(part.get("complete")),
                    notes=_since(str(part["source"]), str(part.get("sha256", "")), path, root),
                    lock=path,
                )
            )
        except (KeyError, TypeError, AttributeError) as error:
            hint = "write it anew with: prov lock --from FILE"
            raise BadRecord("%s: what it states cannot be read." % path, hint) from error
    return tuple(found)


def _since(source: str, digest: str, path: str, root: str) -> tuple[str, ...]:
    """Return a sentence where the file that a lock was made from is another one now."""
    try:
        now = hashlib.sha256(_content(os.path.join(root, source))).hexdigest()
    except OSError:
        return ()
    if not digest or now == digest:
        return ()
    text = "%s was changed since %s was made from it: prov lock --from %s"
    return (text % (source, os.path.basename(path), source),)


def _fact(plain: dict[str, Any]) -> Fact:
    kept = {name: plain[name] for name in Fact._fields if name in plain}
    one = Fact(**kept)
    return one._replace(extras=tuple(one.extras))
