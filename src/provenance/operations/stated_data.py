"""Digests that files state of data (DVC's, lists of checksums), against the data that is here.

Small files first, each read once for all of its digests, until the time is over. What is not here,
or would take too long, is not compared; what has another digest is broken.
"""

from __future__ import annotations

import os
import re
import time
from collections.abc import Callable, Iterable
from typing import NamedTuple

from provenance.core import digest, filekinds
from provenance.core.difference import BROKEN, UNKNOWN, Comparison, Difference, NotCompared
from provenance.operations import _dvc_folders
from provenance.specs.model import DATA, Fact
from provenance.store.digestcache import DigestCache

FACET, SUBJECT, UNIT = "data", "run", "data files"

SECONDS = 10.0
RATE = 400 << 20
"""Bytes a second that digests are taken of, about: what cannot be done in time is not begun."""
ALGORITHMS = frozenset(
    "md5 sha1 sha224 sha256 sha384 sha512 blake2b blake3 sha3_256 sha3_512".split()
)
_NAMED = 3
_POINTER = b"version https://git-lfs.github.com/spec/"


class _Stated(NamedTuple):
    """A file or folder with what is stated of it.

    name: relative to the root. path: where it is. facts: one for each digest. size: -1 of a folder.
    where: by digest the places that state it.
    """

    name: str
    path: str
    facts: tuple[Fact, ...]
    size: int
    where: dict[str, tuple[str, ...]]


class _Result(NamedTuple):
    """What digesting gave. now: the digests, by algorithm. why: why there are none."""

    now: dict[str, str] = {}
    why: str = ""
    text: str = ""


def compare_data(
    facts: Iterable[Fact],
    root: str,
    cache: str = "",
    seconds: float | None = SECONDS,
    progress: Callable[[str], None] | None = None,
) -> Comparison:
    """Compare the files below ``root`` with the digests that are stated of them.

    cache: file of the project's digest cache, "" for none. seconds: that digesting may take, None
    for as long as it takes. progress: called with what is being done.
    """
    return _Check(root, cache, seconds, progress).compare(facts)


class _Check:
    """One comparison: what was found, and the time that is left."""

    def __init__(
        self,
        root: str,
        cache: str,
        seconds: float | None,
        progress: Callable[[str], None] | None,
    ) -> None:
        self.root = os.path.abspath(root)
        self.cache = DigestCache(cache or os.devnull)
        self.keeps = bool(cache)
        self.seconds = seconds
        self.progress = progress
        self.deadline = None if seconds is None else time.monotonic() + seconds
        self.cache.deadline = self.deadline
        self.found: list[Difference] = []
        self.reasons: dict[str, list[str]] = {}
        self.late: list[_Stated] = []
        self.equal = 0

    def compare(self, facts: Iterable[Fact]) -> Comparison:
        """Return how what is here differs from ``facts``."""
        here = sorted(self._here(facts), key=lambda one: one.size)
        for number, one in enumerate(here):
            if self.progress is not None and (one.size > RATE or number % 1000 == 999):
                self.progress("digesting %s (%d of %d)" % (one.name, number + 1, len(here)))
            self._one(one)
        if self.keeps:
            self.cache.save()
        missed = [_summed(names, why) for why, names in self.reasons.items()]
        if self.late:
            missed.append(self._too_long())
        self.found.sort(key=lambda one: one.name)
        total = self.equal + len(self.found)
        return Comparison(tuple(self.found), self.equal, total, UNIT, tuple(missed))

    def _here(self, facts: Iterable[Fact]) -> Iterable[_Stated]:
        """Yield the files and folders that are here, each with all that is stated of it."""
        by_name: dict[str, list[Fact]] = {}
        for fact in dict.fromkeys(one for one in facts if one.kind == DATA):
            by_name.setdefault(self._name(fact), []).append(fact)
        for name, several in by_name.items():
            wanted = tuple({fact.digest: fact for fact in several if fact.digest}.values())
            where = {
                one.digest: tuple(same.where for same in several if same.digest == one.digest)
                for one in wanted
            }
            path = os.path.normpath(os.path.join(self.root, name))
            if "://" in name or not _is_below(path, self.root):
                self._not("outside of this repository", name)
            elif not wanted:
                self._not("no digest is stated", name)
            elif not os.path.exists(path):
                self._not("not here", name)
            elif os.path.isdir(path):
                yield _Stated(name, path, wanted, -1, where)
            elif os.path.isfile(path):
                yield _Stated(name, path, wanted, _size(path), where)
            else:
                self._not("it is no file", name)

    def _name(self, fact: Fact) -> str:
        """Return a path relative to the root: stated ones are relative to the file they stand in.

        Where nothing is there, but is from the root on, that is meant.
        """
        if "://" in fact.name or os.path.isabs(fact.name) or fact.name.startswith("~"):
            return fact.name
        folder = os.path.dirname(fact.where.rpartition(":")[0])
        name = os.path.normpath(os.path.join(folder, fact.name)).replace(os.sep, "/")
        plain = os.path.normpath(fact.name).replace(os.sep, "/")
        if os.path.lexists(os.path.join(self.root, name)) or plain.startswith("../"):
            return name
        return plain if os.path.lexists(os.path.join(self.root, plain)) else name

    def _not(self, why: str, name: str) -> None:
        self.reasons.setdefault(why, []).append(name)

    def _one(self, one: _Stated) -> None:
        try:
            by_fact = [(fact, *_split(fact.digest)) for fact in one.facts]
            folder = one.size < 0
            results = self._folder(one) if folder else self._file(one, by_fact)
        except TimeoutError:
            self.late.append(one)
            return
        except OSError:
            self._not("it cannot be read", one.name)
            return
        for fact, algorithm, wanted in by_fact:
            told = results.get(fact.digest, _Result())
            now = told.now.get(algorithm, "")
            if told.why or not now:
                why = told.why or "no digest of the kind %s can be taken here" % algorithm
                self._not(why, one.name)
            elif now == wanted:
                self.equal += 1
            else:
                self.found.append(_difference(one, fact, algorithm, wanted, now, told.text))

    # --- files ------------------------------------------------------------------------------------

    def _file(self, one: _Stated, by_fact: list[tuple[Fact, str, str]]) -> dict[str, _Result]:
        """Return what digesting a file gave, by the digest that is stated."""
        if _is_pointer(one):
            why = "not here (a pointer of Git LFS; git lfs pull)"
            return {fact.digest: _Result(why=why) for fact, _, _ in by_fact}
        names = dict.fromkeys(name for _, name, _ in by_fact if name in ALGORITHMS)
        algorithms = digest.available(names)
        now = self._digests(one.path, one.size, algorithms) if algorithms else {}
        results = {}
        for fact, algorithm, wanted in by_fact:
            told = _Result(now)
            if wanted.endswith(".dir"):
                told = _Result(why="a folder is stated, a file is here")
            elif algorithm in ("etag", "checksum"):
                told = _Result(why="what is stated is no digest of its content")
            elif algorithm == digest.MD5 and now.get(algorithm) != wanted and _is_dvc(fact):
                old = self._old_md5(one.path)
                told = _Result({algorithm: old}) if old == wanted else told
            results[fact.digest] = told
        return results

    def _digests(self, path: str, size: int, algorithms: tuple[str, ...]) -> dict[str, str]:
        """Return digests from the cache, or taken now. Raises OSError and TimeoutError."""
        if self._is_late(size):
            known = self.cache.known(path, algorithms)
            if len(known) == len(algorithms):
                return known
            raise TimeoutError("the time for digesting is over")
        return self.cache.digest(path, algorithms)

    def _is_late(self, size: int = 0) -> bool:
        return self.deadline is not None and time.monotonic() + size / RATE > self.deadline

    def _old_md5(self, path: str) -> str:
        return _dvc_folders.old_md5(path, self._is_late) if _dvc_folders.is_text(path) else ""

    # --- folders ----------------------------------------------------------------------------------

    def _folder(self, one: _Stated) -> dict[str, _Result]:
        """Return what digesting a folder gave, by the digest that is stated."""
        if not any(fact.digest.endswith(".dir") for fact in one.facts):
            why = "a folder is here, and what is stated is of a file"
            return {fact.digest: _Result(why=why) for fact in one.facts}
        paths = dict(_dvc_folders.files(one.path))
        sizes = {name: _size(path) for name, path in paths.items()}
        if self._is_late(sum(sizes.values())) and not all(map(self._is_known, paths.values())):
            raise TimeoutError("the time for digesting is over")
        md5 = (digest.MD5,)
        rows = {
            name: self._digests(path, sizes[name], md5)[digest.MD5] for name, path in paths.items()
        }
        return {
            fact.digest: self._as_stated(one, fact, paths, rows)
            for fact in one.facts
            if fact.digest.startswith(digest.MD5 + ":")
        }

    def _is_known(self, path: str) -> bool:
        return bool(self.cache.known(path, (digest.MD5,)))

    def _as_stated(
        self, one: _Stated, fact: Fact, paths: dict[str, str], rows: dict[str, str]
    ) -> _Result:
        """Return a folder's digest, the stated one where it can be had from what is here."""
        wanted = _split(fact.digest)[1]
        told = _dvc_folders.folder_digest(rows)
        if told == wanted:
            return _Result({digest.MD5: told})
        listed = _dvc_folders.listed(self.root, wanted)
        if listed is not None:
            return self._as_listed(wanted, told, listed, paths, rows)
        plain = _dvc_folders.without_machines(rows)
        old = {name: self._old_md5(paths[name]) or value for name, value in plain.items()}
        if wanted in (_dvc_folders.folder_digest(plain), _dvc_folders.folder_digest(old)):
            return _Result({digest.MD5: wanted})
        if _dvc_folders.has_rules(self.root, one.path):
            return _Result(why="a .dvcignore leaves files out, and DVC's cache has no list of them")
        return _Result({digest.MD5: told}, text="%d files here" % len(rows))

    def _as_listed(
        self,
        wanted: str,
        told: str,
        listed: dict[str, str],
        paths: dict[str, str],
        rows: dict[str, str],
    ) -> _Result:
        """Return the same for a folder whose files DVC's cache lists: these alone matter."""
        gone = sorted(name for name in listed if name not in rows)
        other = sorted(
            name
            for name, value in listed.items()
            if name in rows and value != rows[name] and value != self._old_md5(paths[name])
        )
        if not gone and not other:
            return _Result({digest.MD5: wanted})
        if not other:
            return _Result(why="%d of its %d files are not here" % (len(gone), len(listed)))
        text = "%d of %d files differ: %s" % (len(other), len(listed), _few(other))
        return _Result({digest.MD5: told}, text=text)

    def _too_long(self) -> NotCompared:
        size = sum(max(one.size, _weight(one.path)) for one in self.late)
        limit = "%g s" % self.seconds if self.seconds is not None else "the time"
        why = "%s: digesting takes longer than %s" % (_readable(size), limit)
        return NotCompared(FACET, _several([one.name for one in self.late]), why)


def _split(stated: str) -> tuple[str, str]:
    """Return the algorithm and the value of "md5:0123..."."""
    algorithm, _, value = stated.partition(":")
    return algorithm, value if algorithm == "etag" else value.lower()


def _difference(
    one: _Stated, fact: Fact, algorithm: str, wanted: str, now: str, text: str
) -> Difference:
    effect = BROKEN
    if _is_dvc(fact) and _is_source(one):
        # A step of DVC names its scripts among what it reads; what changed there code tells.
        effect, text = UNKNOWN, text or "source that DVC lists with the data"
    old, new = {algorithm: wanted}, {algorithm: now}
    where = one.where[fact.digest]
    return Difference(FACET, SUBJECT, "digest", one.name, effect, old, new, where, text)


def _is_source(one: _Stated) -> bool:
    if one.size >= 0:
        return filekinds.is_source(one.path)
    names = (path for _, path in _dvc_folders.files(one.path))
    return any(filekinds.is_source(path) for path in names)


def _is_dvc(fact: Fact) -> bool:
    place = fact.where.rpartition(":")[0]
    return place.endswith((".dvc", "dvc.lock"))


def _is_pointer(one: _Stated) -> bool:
    """Return whether a file is what Git LFS leaves where the content was not fetched."""
    if one.size > 1024:
        return False
    with open(one.path, "rb") as stream:
        return stream.read(len(_POINTER)) == _POINTER


def _is_below(path: str, root: str) -> bool:
    return path.startswith(root.rstrip(os.sep) + os.sep)


def _weight(path: str) -> int:
    """Return the bytes of the files of a folder, 0 for what is none."""
    if not os.path.isdir(path):
        return 0
    return sum(_size(one) for _, one in _dvc_folders.files(path))


def _size(path: str) -> int:
    try:
        return os.path.getsize(path)
    except OSError:
        return 0


def _summed(names: list[str], why: str) -> NotCompared:
    return NotCompared(FACET, _several(names), why)


def _several(names: list[str]) -> str:
    return "%d files: %s" % (len(names), _few(names)) if len(names) > 1 else _few(names)


def _few(names: list[str]) -> str:
    more = len(names) - _NAMED
    shown = ", ".join(re.sub(r"[\x00-\x1f]", "?", name) for name in names[:_NAMED])
    return shown + (" and %d more" % more if more > 0 else "")


def _readable(size: int) -> str:
    for unit, factor in (("TB", 10**12), ("GB", 10**9), ("MB", 10**6)):
        if size >= factor:
            return "%.3g %s" % (size / factor, unit)
    return "%d bytes" % size
