"""What a run read from elsewhere: by address, with what tells its version.

Sources: what the hook saw libraries ask for; addresses on command lines of programs that download;
what the user declares; and the layout of the Hugging Face cache, whose paths name repository and
commit, so that files count that an earlier run has downloaded.
"""

from __future__ import annotations

import os
import re
from typing import Any, Dict, Iterable, Iterator, List, NamedTuple, Optional, Tuple

from provenance.core import codec
from provenance.core.context import Context
from provenance.core.difference import (
    BROKEN,
    POSSIBLE,
    UNKNOWN,
    Comparison,
    Difference,
    NotCompared,
)
from provenance.core.paths import PathRef
from provenance.core.record import Payload, Subject
from provenance.core.redact import without_credentials
from provenance.core.urls import public
from provenance.facets._entries import Places

TOPIC = "remote"
MOST = 1000
"""Addresses that a record keeps."""
MOST_OF_REPOSITORY = 50
"""Files of one repository beyond which the repository is one entry."""

_CACHED = re.compile(
    r"/(?P<kind>models|datasets|spaces)--(?P<name>[^/]+)/snapshots/(?P<commit>[0-9a-f]{40})(?:/|$)"
)
"""https://huggingface.co/docs/huggingface_hub/guides/manage-cache"""
_PROGRAMS = frozenset("wget curl aria2c aws gsutil gcloud rclone".split())
_ADDRESS = re.compile(r"(?:https?|ftp|s3|gs)://[^\s'\"]+")


class Remote(NamedTuple):
    """Something that was read from elsewhere.

    url: without credentials or signature. library: who asked, as the user called it. revision:
    commit, version or digest of it. etag: the server's or the cache's tag of the content. size:
    bytes. status: of the answer over HTTP, None where none was seen. where: "file:line" of the
    user. path: local copy. how: "observed", "cached" (read from a cache), "named" or "declared".
    asked: when prov itself asked the server, after the run, and got the version; "" where the run's
    own answer told it. problem: why that gave nothing.
    """

    url: str
    library: str = ""
    revision: str = ""
    etag: str = ""
    last_modified: str = ""
    size: Optional[int] = None
    status: Optional[int] = None
    where: str = ""
    path: Optional[PathRef] = None
    how: str = "observed"
    asked: str = ""
    problem: str = ""

    def to_json(self) -> Dict[str, Any]:
        """Return the JSON form; the last two members only where they say something."""
        found = {name: codec.encode(value) for name, value in zip(self._fields, self)}
        return {name: value for name, value in found.items() if value or name not in _RARE}

    @property
    def versioned(self) -> bool:
        """Whether it is known by what its content can be told from another one."""
        return bool(self.etag or self.revision)


_RARE = ("asked", "problem")


def remotes(context: Context) -> Tuple[Remote, ...]:
    """Return what the run of ``context`` read from elsewhere, once for each address."""
    places = Places(context)
    found: Dict[str, Remote] = {}
    for one in (
        *_noted(context, places),
        *_commands(context),
        *_cached(context, places),
        *_declared(context, places),
    ):
        known = found.get(one.url)
        if known is not None:
            found[one.url] = _joined(known, one)
        elif len(found) < MOST:
            found[one.url] = one
    return tuple(found[url] for url in sorted(found))


def _joined(first: Remote, other: Remote) -> Remote:
    """Return ``first``, with what only ``other`` knows."""
    empty = Remote("")
    more = {
        name: getattr(other, name)
        for name in Remote._fields
        if getattr(first, name) == getattr(empty, name)
    }
    return first._replace(**more)


def _noted(context: Context, places: Places) -> Iterator[Remote]:
    for one in context.observed.noted:
        if one.topic != TOPIC or not isinstance(one.value.get("url"), str):
            continue
        told = one.value
        size, status, path = told.get("size"), told.get("status"), told.get("path")
        yield Remote(
            _clean(told["url"], context),
            library=_text(told, "library", context),
            revision=_text(told, "revision", context),
            etag=_text(told, "etag", context).strip('"'),
            last_modified=_text(told, "last_modified", context),
            size=size if type(size) is int else None,
            status=status if type(status) is int else None,
            where=_where(_text(told, "where", context), places),
            path=places.refer(path) if isinstance(path, str) and os.path.isabs(path) else None,
        )


def _declared(context: Context, places: Places) -> Iterator[Remote]:
    for url, path in context.declared_sources:
        local = places.refer(path) if path else None
        yield Remote(context.redact.text(public(url)), path=local, how="declared")


def _clean(url: str, context: Context) -> str:
    return context.redact.text(without_credentials(url))


def _text(told: Dict[str, Any], name: str, context: Context) -> str:
    value = told.get(name)
    return context.redact.text(value)[:500] if isinstance(value, str) else ""


def _where(where: str, places: Places) -> str:
    file, colon, line = where.rpartition(":")
    if not (colon and line.isdigit() and os.path.isabs(file)):
        return where
    return "%s:%s" % (places.refer(file), line)


def _commands(context: Context) -> Iterator[Remote]:
    """Yield the addresses that programs were told to download."""
    for argv in (context.command, *(one.argv for one in context.observed.commands)):
        name = os.path.basename(argv[0]) if argv else ""
        script = name in ("sh", "bash") and len(argv) == 3 and argv[1] == "-c"
        words = argv[2].split() if script else list(argv)
        program = os.path.basename(words[0]) if words else ""
        if program in _PROGRAMS:
            for word in words[1:]:
                if _ADDRESS.fullmatch(word):
                    url = word.partition("#")[0].partition("?")[0]
                    yield Remote(_clean(url, context), library=program, how="named")


def _cached(context: Context, places: Places) -> Iterator[Remote]:
    """Yield the files of the Hugging Face cache that the run read."""
    by_repository: Dict[Tuple[str, str], List[str]] = {}
    crowded = set()
    for path in (*(f.path for f in context.observed.files if f.read), *_folders(context)):
        found = _CACHED.search(path)
        if found is None:
            continue
        kind = "" if found.group("kind") == "models" else found.group("kind") + "/"
        url = "hf://" + kind + found.group("name").replace("--", "/")
        key = (url, found.group("commit"))
        by_repository.setdefault(key, []).append(path)
        if found.end() == len(path):
            crowded.add(key)
    for (url, commit), paths in by_repository.items():
        top = paths[0][: paths[0].index(commit) + len(commit)]
        if (url, commit) in crowded or len(paths) > MOST_OF_REPOSITORY:
            yield _hub(url, commit, places.refer(top))
            continue
        for path in paths:
            tag = os.path.basename(os.path.realpath(path)) if os.path.islink(path) else ""
            one = _hub(url + path[len(top) :], commit, places.refer(path))
            yield one._replace(etag=tag, size=_size(path))


def _folders(context: Context) -> Iterator[str]:
    for one in context.observed.folders:
        names: Tuple[str, ...] = getattr(one, "names", ())
        for name in names or ("",):
            yield one.path.rstrip("/") + "/" + name


def _hub(url: str, commit: str, path: PathRef) -> Remote:
    return Remote(url, "huggingface_hub", commit, path=path, how="cached")


def _size(path: str) -> Optional[int]:
    try:
        return os.stat(path).st_size
    except OSError:
        return None


def of(subjects: Iterable[Subject]) -> Tuple[Remote, ...]:
    """Return the remotes of all ``subjects``. Raises ValueError where one is not such."""
    return tuple(
        codec.decode(Remote, one, "remotes[]")
        for subject in subjects
        for one in subject.payload.get("remotes", [])
    )


def filled(payload: Payload, found: Iterable[Remote]) -> Payload:
    """Return ``payload`` of the facet with ``found`` as its remotes."""
    first = payload.subjects[0]
    kept = dict(first.payload, remotes=[one.to_json() for one in found])
    return payload._replace(subjects=(first._replace(payload=kept), *payload.subjects[1:]))


GONE = (404, 410)
"""Answers over HTTP that say that there is no such object."""


def compare(old: Payload, new: Payload) -> Comparison:
    """Compare what both read from elsewhere, or what the record has with what servers say today.

    Tags of the content decide where both sides know one, else the revision, else time and size.
    """
    before = {one.url: one for one in of(old.subjects)}
    after = {one.url: one for one in of(new.subjects)}
    found: List[Difference] = []
    missed: List[NotCompared] = []
    silent, equal = 0, 0
    for url, was in before.items():
        now = after.get(url)
        if now is not None and now.problem and not now.versioned:
            if now.status in GONE:
                found.append(_gone(was, now))
            else:
                missed.append(NotCompared("data", url, now.problem))
            continue
        one = _difference(was, now) if now is not None else None
        if one is None or now is None:
            silent += 1
        elif one == SAME:
            equal += 1
        else:
            found.append(one)
    if silent:
        reason = "%d remote inputs were not asked for, or do not tell their version" % silent
        missed.append(NotCompared("data", "remotes", reason))
    return Comparison(tuple(found), equal, equal + len(found), "", tuple(missed))


SAME = Difference("data", "run", "content", "", UNKNOWN)


def _difference(was: Remote, now: Remote) -> Optional[Difference]:
    """Return how two answers on an address differ, `SAME` where not, None where none can tell."""
    tags = [_tag(one.etag) for one in (was, now)]
    if all(tags):
        if tags[0] == tags[1]:
            return SAME
        other = was.size is not None and now.size is not None and was.size != now.size
        text = "%d bytes when recorded, %d now" % (was.size or 0, now.size or 0) if other else ""
        one = Difference("data", "run", "content", was.url, BROKEN if other else POSSIBLE)
        return one._replace(old=was.etag, new=now.etag, text=text)
    if was.revision and now.revision:
        one = Difference("data", "run", "content", was.url, POSSIBLE, was.revision, now.revision)
        return SAME if was.revision == now.revision else one
    if was.last_modified and now.last_modified:
        one = SAME._replace(name=was.url, old=was.last_modified, new=now.last_modified)
        return SAME if was.last_modified == now.last_modified and was.size == now.size else one
    return None


def _tag(etag: str) -> str:
    """Return a tag without what servers add to it where they compress on the way."""
    for ending in ("-gzip", "-br", "-zstd", ";gzip", "--gzip"):
        if etag.endswith(ending):
            etag = etag[: -len(ending)]
    return etag[2:].strip('"') if etag.startswith("W/") else etag


def _gone(was: Remote, now: Remote) -> Difference:
    """Return that the object is no longer there; a local copy may still be."""
    effect = POSSIBLE if was.path is not None else BROKEN
    return Difference("data", "run", "removed", was.url, effect, text=now.problem)
