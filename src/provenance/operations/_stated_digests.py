"""Taking the digests that are stated of one file or folder, as far as the time allows."""

from __future__ import annotations

import os
import time
from typing import NamedTuple

from provenance.core import digest
from provenance.operations import _dvc
from provenance.specs.model import Fact
from provenance.store.digestcache import DigestCache

ALGORITHMS = frozenset(
    "md5 sha1 sha224 sha256 sha384 sha512 blake2b blake3 sha3_256 sha3_512".split()
)
RATE = 400 << 20
"""Bytes a second that digests are taken of, about: what cannot be done in time is not begun."""
_POINTER = b"version https://git-lfs.github.com/spec/"
_MD5 = (digest.MD5,)


class Stated(NamedTuple):
    """A file or folder with what is stated of it.

    name: relative to the root. path: where it is. facts: one for each digest. size: -1 of a folder.
    where: by digest the places that state it.
    """

    name: str
    path: str
    facts: tuple[Fact, ...]
    size: int
    where: dict[str, tuple[str, ...]]


class Result(NamedTuple):
    """What taking one digest gave.

    same: whether it is the stated one. now: what is here instead, by algorithm, or "size" where
    that tells enough. text: what differs, in a clause. why: why nothing was taken; then the others
    mean nothing.
    """

    same: bool = False
    now: dict[str, str | int] = {}
    text: str = ""
    why: str = ""


EQUAL = Result(True)


def split(fact: Fact) -> tuple[str, str]:
    """Return the algorithm and the value of a stated digest, "md5:0123..."."""
    algorithm, _, value = fact.digest.partition(":")
    return algorithm, value if algorithm == "etag" else value.lower()


def is_dvc(fact: Fact) -> bool:
    """Return whether a file of DVC states it."""
    return fact.where.rpartition(":")[0].endswith((".dvc", "dvc.lock"))


def size_of(path: str) -> int:
    """Return a file's bytes, 0 where it is gone."""
    try:
        return os.path.getsize(path)
    except OSError:
        return 0


class Digester:
    """Takes digests until the time is over.

    root: of the repository. cache: file of the digest cache, "" for none. seconds: None for as long
    as it takes.
    """

    def __init__(self, root: str, cache: str, seconds: float | None) -> None:
        self.root = root
        self.deadline = None if seconds is None else time.monotonic() + seconds
        self._cache = DigestCache(cache or os.devnull)
        self._cache.deadline = self.deadline
        self._keeps = bool(cache)

    def of(self, one: Stated) -> dict[str, Result]:
        """Return the results by stated digest. Raises OSError, and TimeoutError for no time."""
        return self._folder(one) if one.size < 0 else self._file(one)

    def save(self) -> None:
        """Keep what was taken for later."""
        if self._keeps:
            self._cache.save()

    def _digests(self, path: str, size: int, algorithms: tuple[str, ...]) -> dict[str, str]:
        if self._is_late(size):
            known = self._cache.known(path, algorithms)
            if len(known) == len(algorithms):
                return known
            raise TimeoutError("the time for digesting is over")
        return self._cache.digest(path, algorithms)

    def _is_late(self, size: int = 0) -> bool:
        return self.deadline is not None and time.monotonic() + size / RATE > self.deadline

    def _old_md5(self, path: str) -> str:
        return _dvc.old_md5(path, self._is_late) if _dvc.is_text(path) else ""

    # --- files ------------------------------------------------------------------------------------

    def _file(self, one: Stated) -> dict[str, Result]:
        if _is_pointer(one):
            told = Result(why="not here (a pointer of Git LFS; git lfs pull)")
            return {fact.digest: told for fact in one.facts}
        results = {fact.digest: self._refused(one, fact) for fact in one.facts}
        asked = [fact for fact in one.facts if results[fact.digest] is None]
        names = dict.fromkeys(split(fact)[0] for fact in asked)
        now = self._digests(one.path, one.size, tuple(names)) if names else {}
        for fact in asked:
            results[fact.digest] = self._as_taken(one, fact, now)
        return {name: told for name, told in results.items() if told is not None}

    def _refused(self, one: Stated, fact: Fact) -> Result | None:
        """Return what is known of a stated digest without taking it, None where it must be."""
        algorithm, wanted = split(fact)
        if wanted.endswith(".dir"):
            return Result(why="a folder is stated, a file is here")
        if algorithm in ("etag", "checksum"):
            return Result(why="what is stated is no digest of its content")
        if algorithm not in ALGORITHMS or not digest.available((algorithm,)):
            return Result(why="no digest of the kind %s can be taken here" % algorithm)
        if not is_dvc(fact):
            return None
        told = _dvc.entry(self.root, fact.where, wanted)
        if told.size in (None, one.size) or (told.old and _dvc.is_text(one.path)):
            return None
        return Result(
            now={"size": one.size}, text="%s bytes stated, %d here" % (told.size, one.size)
        )

    def _as_taken(self, one: Stated, fact: Fact, now: dict[str, str]) -> Result:
        algorithm, wanted = split(fact)
        if now[algorithm] == wanted:
            return EQUAL
        if algorithm == digest.MD5 and is_dvc(fact):
            old = _dvc.entry(self.root, fact.where, wanted).old
            if old and self._old_md5(one.path) == wanted:
                return EQUAL
        return Result(now={algorithm: now[algorithm]})

    # --- folders ----------------------------------------------------------------------------------

    def _folder(self, one: Stated) -> dict[str, Result]:
        whole = [f for f in one.facts if f.digest.startswith("md5:") and f.digest.endswith(".dir")]
        why = "a folder is here, and what is stated is of a file"
        results = {fact.digest: Result(why=why) for fact in one.facts if fact not in whole}
        if not whole:
            return results
        paths = dict(_dvc.files(one.path, self._is_late))
        for fact in whole:
            stated = _dvc.entry(self.root, fact.where, split(fact)[1]).files or 0
            if stated > len(paths):
                why = "not all here: %d of its %d files" % (len(paths), stated)
                results[fact.digest] = Result(why=why)
            elif all(_dvc.is_pointer(name) for name in paths):
                results[fact.digest] = Result(why="not here")
        left = [fact for fact in whole if fact.digest not in results]
        rows = self._rows(paths) if left else {}
        for fact in left:
            results[fact.digest] = self._as_stated(one, fact, paths, rows)
        return results

    def _rows(self, paths: dict[str, str]) -> dict[str, str]:
        """Return the MD5 of each file."""
        sizes = {name: size_of(path) for name, path in paths.items()}
        if self._is_late(sum(sizes.values())):
            known = {name: self._cache.known(path, _MD5) for name, path in paths.items()}
            if not all(known.values()):
                raise TimeoutError("the time for digesting is over")
        return {
            name: self._digests(path, sizes[name], _MD5)[digest.MD5] for name, path in paths.items()
        }

    def _as_stated(
        self, one: Stated, fact: Fact, paths: dict[str, str], rows: dict[str, str]
    ) -> Result:
        """Return whether a folder's digest is the stated one, in one of DVC's ways to take it."""
        wanted = split(fact)[1]
        told = _dvc.folder_digest(rows)
        if told == wanted:
            return EQUAL
        listed = _dvc.listed(self.root, wanted)
        if listed is not None:
            return self._as_listed(told, listed, paths, rows)
        plain = _dvc.without_machines(rows)
        if _dvc.folder_digest(plain) == wanted:
            return EQUAL
        stated = _dvc.entry(self.root, fact.where, wanted)
        if stated.old:
            old = {name: self._old_md5(paths[name]) or value for name, value in plain.items()}
            if _dvc.folder_digest(old) == wanted:
                return EQUAL
        if _dvc.has_rules(self.root, one.path):
            return Result(why="a .dvcignore leaves files out, and DVC's cache has no list of them")
        number = "%d files" % len(rows) if len(rows) != 1 else "1 file"
        other = stated.files if stated.files != len(rows) else None
        text = number + (", %d stated" % other if other is not None else "")
        return Result(now={digest.MD5: told}, text=text)

    def _as_listed(
        self, told: str, listed: dict[str, str], paths: dict[str, str], rows: dict[str, str]
    ) -> Result:
        """Return the same for a folder whose files DVC's cache lists: these alone matter."""
        gone = sorted(name for name in listed if name not in rows)
        other = sorted(
            name
            for name, value in listed.items()
            if name in rows and value != rows[name] and value != self._old_md5(paths[name])
        )
        if other:
            text = "%d of %d files: %s" % (len(other), len(listed), few(other))
            return Result(now={digest.MD5: told}, text=text)
        if gone:
            here = len(listed) - len(gone)
            return Result(why="not all here: %d of its %d files" % (here, len(listed)))
        return EQUAL


def few(names: list[str], most: int = 3) -> str:
    """Return the first names of a list, and how many more there are."""
    shown = ", ".join("".join(c if c.isprintable() else "?" for c in one) for one in names[:most])
    return shown + (" and %d more" % (len(names) - most) if len(names) > most else "")


def _is_pointer(one: Stated) -> bool:
    """Return whether a file is what Git LFS leaves where the content was not fetched."""
    if one.size > 1024:
        return False
    with open(one.path, "rb") as stream:
        return stream.read(len(_POINTER)) == _POINTER
