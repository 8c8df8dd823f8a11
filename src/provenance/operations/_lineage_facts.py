"""What the graph of runs and files needs to know of a run: its head, and each file that it touched.

Read from the record's JSON as it stands, so that thousands of records can be gone through fast.
What is shown of a run in the end comes from the record itself.
"""

from __future__ import annotations

import json
import posixpath
import zlib
from collections.abc import Iterator, Mapping
from typing import Any, NamedTuple

from provenance.core.paths import PathRef
from provenance.facets import _entries
from provenance.facets._filenames import LINK, PACKAGED

VERSION = 3
"""Of the packed form; an index that holds another one is built anew."""

READ, WROTE, CODE = "read", "wrote", "code"
"""What a run did with a file. Code: read it as its source."""

URL, ADDRESS = "url", "~run"
"""What stands for an algorithm where a file is known by its address: at a server, with the version
that it had (``url:s3://bucket/file@etag``), or as a file of another run (``~run:ID:path``)."""

_SHORT = 12
"""Characters of a digest that people are shown."""


class Touch(NamedTuple):
    """A file or folder that a run read or wrote.

    side: read, wrote or code. path: as people read it; root: see `core.paths`, "url" of what lies
    at a server. kind, state, size,
    files: as in the record (`facets._entries`). digests: ``algorithm:hex``, none where they are
    pending or lost. label: how the code named it, "" where it did not.
    """

    side: str
    path: str
    root: str = "repo"
    kind: str = "data"
    state: str = _entries.DIGESTED
    size: int = 0
    digests: tuple[str, ...] = ()
    files: int | None = None
    label: str = ""
    left_out: tuple[str, ...] = ()

    @property
    def name(self) -> str:
        """The last part of the path."""
        return posixpath.basename(self.path.rstrip("/"))


class Asked(NamedTuple):
    """A file of another run that a run asked for. address: as it did. run: its id. path: in there.

    given: the path of what it got.
    """

    address: str
    run: str
    path: str
    given: str


class Held(NamedTuple):
    """What DVC stated of data when the run was recorded. path, file: shown. same: see `facets`."""

    path: str
    file: str
    stage: str = ""
    remote: str = ""
    url: str = ""
    origin: str = ""
    md5: str = ""
    same: bool | None = None


class RunFacts(NamedTuple):
    """A run as a node. started, ended: ISO 8601, UTC; ended is "" where it is not known.

    changed: paths of uncommitted files. remotes: addresses that it read from. problems: sentences
    on what the record cannot say. asked: files of other runs. held: what DVC stated.
    """

    id: str
    started: str = ""
    ended: str = ""
    name: str = ""
    status: str = ""
    exit_code: int | None = None
    replay_of: str = ""
    command: tuple[str, ...] = ()
    commit: str = ""
    branch: str = ""
    changed: tuple[str, ...] = ()
    remotes: tuple[str, ...] = ()
    problems: tuple[str, ...] = ()
    asked: tuple[Asked, ...] = ()
    held: tuple[Held, ...] = ()
    touches: tuple[Touch, ...] = ()

    @property
    def order(self) -> tuple[str, str]:
        """By what runs are sorted in time."""
        return self.started or self.id, self.id

    def end(self) -> str:
        """Return when it ended; a run without an end may still go on."""
        return self.ended or "~"


def of_json(document: Mapping[str, Any]) -> RunFacts:
    """Return the facts of a record's JSON. Raises ValueError where it is none."""
    try:
        return _of(document)
    except (KeyError, TypeError, AttributeError, IndexError) as error:
        raise ValueError("not a readable record (%s)" % type(error).__name__) from error


def _of(document: Mapping[str, Any]) -> RunFacts:
    facets = document["facets"]
    code = _payload(facets, "code")
    untracked = (code.get("untracked") or {}).get("files") or ()
    changed = [_shown(one["path"]) for one in (*(code.get("changed") or ()), *untracked)]
    data = _payload(facets, "data")
    asked = tuple(_asked(data))
    read = [*_by_address(list(_files(facets, "data", READ)), asked), *_at_servers(data)]
    touches = [*read, *_files(facets, "outputs", WROTE), *_used(code)]
    remotes = data.get("remotes") or ()
    return RunFacts(
        str(document["id"]),
        str(document.get("started") or ""),
        str(document.get("ended") or ""),
        str(document.get("name") or ""),
        str(document.get("status") or ""),
        document.get("exit_code"),
        str(document.get("replay_of") or ""),
        tuple(str(word) for word in document.get("command") or ()),
        str(code.get("commit") or ""),
        str(code.get("branch") or ""),
        tuple(dict.fromkeys(changed)),
        tuple(str(one.get("url")) for one in remotes),
        tuple(_problems(facets)),
        asked,
        tuple(_held(data)),
        tuple(_labelled(touches, facets)),
    )


def _payload(facets: Mapping[str, Any], name: str) -> Mapping[str, Any]:
    answer = facets.get(name) or {}
    if answer.get("status") != "captured" or not answer.get("subjects"):
        return {}
    payload: Mapping[str, Any] = answer["subjects"][0]["payload"]
    return payload


def _problems(facets: Mapping[str, Any]) -> Iterator[str]:
    for name, what in (("data", "what it read"), ("outputs", "what it wrote")):
        answer = facets.get(name)
        if answer is None:
            yield "the record does not say %s" % what
        elif answer.get("status") != "captured":
            yield "the record does not say %s: %s" % (what, answer.get("reason") or "no reason")


def _files(facets: Mapping[str, Any], name: str, side: str) -> Iterator[Touch]:
    answer = facets.get(name) or {}
    if answer.get("status") != "captured":
        return
    for subject in answer.get("subjects") or ():
        for one in subject["payload"].get("files") or ():
            kind, state = str(one["kind"]), str(one.get("state") or _entries.DIGESTED)
            if kind in (LINK, PACKAGED) or (side == WROTE and state == _entries.UNCHANGED):
                continue
            digests = tuple("%s:%s" % pair for pair in sorted((one.get("digests") or {}).items()))
            path, size = one["path"], int(one.get("size") or 0)
            yield Touch(
                side, _shown(path), str(path.get("root")), kind, state, size, digests,
                one.get("files"), left_out=tuple(one.get("left_out") or ()),
            )  # fmt: skip


def _at_servers(data: Mapping[str, Any]) -> Iterator[Touch]:
    """Yield what was read from elsewhere; one whose version is not known is joined to nothing."""
    for one in data.get("remotes") or ():
        url, version = str(one["url"]), str(one.get("revision") or one.get("etag") or "")
        digests = ("%s:%s@%s" % (URL, url, version),) if version else ()
        state = _entries.DIGESTED if version else "version not known"
        yield Touch(READ, url, URL, "data", state, int(one.get("size") or 0), digests)


def _asked(data: Mapping[str, Any]) -> Iterator[Asked]:
    for one in data.get("addresses") or ():
        recorded, given = _shown(one["recorded"]), _shown(one["path"])
        yield Asked(str(one["address"]), str(one["run"]), recorded, given)


def _by_address(touches: list[Touch], asked: tuple[Asked, ...]) -> list[Touch]:
    """Return ``touches`` with those of other runs' files also known by their address."""
    for one in asked:
        value = "%s:%s:%s" % (ADDRESS, one.run, one.path)
        at = next((n for n, touch in enumerate(touches) if touch.path == one.given), None)
        if at is None:
            touches.append(Touch(READ, one.given, digests=(value,)))
        elif touches[at].files is None and value not in touches[at].digests:
            touches[at] = touches[at]._replace(digests=(*touches[at].digests, value))
    return touches


def _held(data: Mapping[str, Any]) -> Iterator[Held]:
    for one in data.get("dvc") or ():
        texts = {name: str(one.get(name) or "") for name in Held._fields[2:-1]}
        yield Held(_shown(one["path"]), _shown(one["file"]), same=one.get("same"), **texts)


def _used(code: Mapping[str, Any]) -> Iterator[Touch]:
    """Yield the run's own source files; their digests are of the whole file."""
    for one in code.get("used") or ():
        value = (one.get("digests") or {}).get("sha256")
        digests = ("sha256:%s" % value,) if value else ()
        path = one["path"]
        state = _entries.DIGESTED if value else _entries.PENDING
        yield Touch(CODE, _shown(path), str(path.get("root")), "code", state, 0, digests)


def _labelled(touches: list[Touch], facets: Mapping[str, Any]) -> Iterator[Touch]:
    labels = {
        (_shown(one["path"]), str(one["path"].get("root"))): str(one.get("name") or "")
        for one in _payload(facets, "artifacts").get("files") or ()
    }
    for one in touches:
        label = labels.get((one.path, one.root), "") if one.side == WROTE else ""
        yield one._replace(label=label) if label and label != one.path else one


def _shown(path: Mapping[str, Any] | str) -> str:
    """Return a path's JSON form as people read it; in an archive's list it is text already."""
    text = path if isinstance(path, str) else str(PathRef.from_json(path))
    return text.encode("utf-8", "surrogateescape").decode("utf-8", "replace")


def pack(facts: RunFacts) -> bytes:
    """Return ``facts`` for keeping."""
    return zlib.compress(json.dumps(facts, separators=(",", ":")).encode("utf-8"), 1)


def unpack(data: bytes) -> RunFacts:
    """Return what `pack` made. Raises ValueError where it is something else."""
    try:
        row = json.loads(zlib.decompress(data))
        *plain, asked, held, _ = row
        head = [tuple(one) if isinstance(one, list) else one for one in plain]
        head += [tuple(map(Asked._make, asked)), tuple(map(Held._make, held))]
        made = (Touch._make((*one[:6], tuple(one[6]), *one[7:9], tuple(one[9]))) for one in row[-1])
        return RunFacts._make((*head, tuple(made)))
    except (TypeError, IndexError, zlib.error) as error:
        raise ValueError("not packed by this version") from error


def keys(facts: RunFacts) -> set[str]:
    """Return every digest under which the run can be found."""
    return {value for one in facts.touches for value in one.digests}


def names(facts: RunFacts) -> set[str]:
    """Return the last parts of all paths under which the run can be found."""
    return {one.name for one in facts.touches}


def is_content(value: str) -> bool:
    """Return whether a digest is of content, and not the address of a run's file."""
    return not value.startswith(ADDRESS)


def is_of_bytes(value: str) -> bool:
    """Return whether a digest was computed from what a file holds."""
    return not value.startswith((ADDRESS + ":", URL + ":"))


def short(value: str) -> str:
    """Return a digest for people: without its algorithm, and cut."""
    if value.startswith(URL + ":"):
        return value.rpartition("@")[2][:_SHORT]
    return value.rpartition(":")[2][:_SHORT]
