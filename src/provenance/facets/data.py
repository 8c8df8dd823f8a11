"""Which data and configuration the run read, and what they contained."""

from __future__ import annotations

import os
import re
from typing import Any, Dict, List, NamedTuple, Optional, Tuple

from provenance.core import codec, digest
from provenance.core.context import AFTER, PRESENT, Context
from provenance.core.difference import (
    BROKEN,
    NONE,
    UNKNOWN,
    Comparison,
    Difference,
    NotCompared,
)
from provenance.core.paths import PathRef
from provenance.core.record import Payload, Record, captured, skipped
from provenance.facets import _addresses, _entries, _facet, _remote, _touched, _tracked
from provenance.facets._entries import (
    CHANGED,
    DIGESTED,
    MISSING,
    OVERWRITTEN,
    PENDING,
    UNREADABLE,
    Digester,
    FileEntry,
    Places,
)
from provenance.facets._filenames import CONFIG, DATA, FOLDER, PACKAGED
from provenance.facets._files import DECLARED
from provenance.facets._touched import FolderRead, Touched

NAME = "data"
VERSION = 1
PHASES = (AFTER,)
SITE = _facet.HOST
UNIT = "data files"

MOST_LEFT_OUT = 100
"""Own files that a run may have put into a data folder before the folder counts as changed."""

upgrade = _facet.nothing_to_upgrade


class Data(NamedTuple):
    """What the run read: ``kind`` of an entry is data, config, folder, packaged or updated.

    remotes: what it read from elsewhere, by address. addresses: what it asked for as an artifact of
    another run. dvc: what DVC states of the files.
    """

    files: Tuple[FileEntry, ...] = ()
    remotes: Tuple[_remote.Remote, ...] = ()
    addresses: Tuple[_addresses.Asked, ...] = ()
    dvc: Tuple[_tracked.Tracked, ...] = ()

    def to_json(self) -> Dict[str, Any]:
        """Return the JSON form; the last two members only where there are any."""
        found = {name: codec.encode(value) for name, value in zip(self._fields, self)}
        return {name: value for name, value in found.items() if value or name in _ALWAYS}


_ALWAYS = ("files", "remotes")


def capture(context: Context) -> Payload:
    """Return what the run read; in the present, the same files as they are now."""
    if context.phase == PRESENT:
        return _present(context)
    touched = _touched.touched(context)
    digester = Digester(context)
    todo = _listed(touched, Places(context))
    found: List[FileEntry] = []
    for path, entry in sorted(todo, key=lambda pair: pair[1].size):
        if entry.state == MISSING:
            found.append(entry)
        elif entry.state in (CHANGED, OVERWRITTEN):
            found.append(_no_longer(entry, path, digester))
        else:
            found.append(digester.fill(entry, path))
    kept = tuple(sorted((e for e in found if e.files != 0), key=lambda e: e.path))
    paths = [path for path, entry in todo if entry.state != MISSING]
    by_dvc = _tracked.tracked(context, paths)
    told = Data(kept, _remote.remotes(context), _addresses.asked(context), by_dvc)
    return captured(VERSION, told, notes=_notes(kept) + _tracked.notes(by_dvc))


def _listed(touched: Touched, places: Places) -> List[Tuple[str, FileEntry]]:
    """Return ``(path, entry without digest)`` of everything read, crowds of files as folders."""
    found = [(one.path, _folder(one, places)) for one in touched.folders]
    for use in touched.inputs:
        path = use.path
        kind = DATA if use.kind == CONFIG and DECLARED in use.how else use.kind
        entry = FileEntry(places.refer(path), kind, use.size, {}, use.how)
        found.append(
            (path, entry._replace(state=use.state or DIGESTED, target=places.target(path)))
        )
    return found


def _no_longer(entry: FileEntry, path: str, digester: Digester) -> FileEntry:
    """Return the entry of a file that is not what it was when it was read.

    Its digest is the one that was taken while the run went on, before the file changed, where that
    came in time; else one that only changed keeps the digest of what it is now.
    """
    before = digester.as_read(path)
    if before or entry.state == OVERWRITTEN:
        return entry._replace(digests=before)
    return digester.fill(entry, path)._replace(state=CHANGED, seen="")


def _folder(one: FolderRead, places: Places) -> FileEntry:
    entry = FileEntry(places.refer(one.path), FOLDER, 0, {}, one.how, files=None)
    if len(one.left_out) > MOST_LEFT_OUT:
        return entry._replace(state=CHANGED)
    return entry._replace(left_out=one.left_out, target=places.target(one.path))


def _notes(found: Tuple[FileEntry, ...]) -> Tuple[str, ...]:
    notes = list(_entries.pending_note(found))
    texts = {
        OVERWRITTEN: "%s was read and then overwritten: the digest of what was read is lost",
        CHANGED: "%s changed while the run went on: what the run read is not certain",
        MISSING: "%s is not there",
        UNREADABLE: "%s could not be read",
    }
    lost = (one for one in found if one.state != OVERWRITTEN or not one.digests)
    notes += [texts[one.state] % (one.path,) for one in lost if one.state in texts]
    return tuple(notes[:20])


def _present(context: Context) -> Payload:
    if context.reference is None:
        return skipped(VERSION, "there is no reference that names data")
    recorded = _entries.entries(context.reference.payloads(NAME))
    found = tuple(_as_now(one, context) for one in recorded)
    return captured(VERSION, Data(found), notes=_entries.pending_note(found))


def _as_now(recorded: FileEntry, context: Context) -> FileEntry:
    """Return the file as it is now, digested as it was when recorded."""
    place = _locate(recorded, context)
    now = recorded._replace(digests={}, state=MISSING)
    if place is None or not os.path.exists(place) or recorded.state == MISSING:
        return now._replace(size=0)
    algorithms = _algorithms(recorded)
    if not algorithms:
        size = recorded.size if os.path.isdir(place) else os.path.getsize(place)
        return now._replace(size=size, state=PENDING)
    return Digester(context, algorithms).fill(now._replace(state=DIGESTED), place)


def _locate(recorded: FileEntry, context: Context) -> Optional[str]:
    """Return where the file is now; one that came with a package may be in another environment."""
    place = context.roots.locate(recorded.path)
    if recorded.kind != PACKAGED or place is None or os.path.exists(place):
        return place
    below = re.split(r"/(?:site|dist)-packages/", recorded.path.path, maxsplit=1)[-1]
    folders = (folder for one in context.interpreters for folder in one.sys_path)
    found = (os.path.join(folder, *below.split("/")) for folder in folders)
    return next((path for path in found if os.path.isfile(path)), place)


def _algorithms(recorded: FileEntry) -> Tuple[str, ...]:
    """Return the fastest algorithm that the record has and that can be computed here."""
    names = [
        name[: -len(digest.TREE)] if name.endswith(digest.TREE) else name
        for name in recorded.digests
    ]
    fastest = sorted(names, key=lambda n: (n != digest.BLAKE3, n != digest.SHA256, n))
    return digest.available(fastest)[:1]


def compare(old: Payload, new: Payload) -> Comparison:
    """Compare the data of two runs, or of a run and the present, by digest.

    A file that is not here is not compared; it is no difference.
    """
    before, after = _entries.by_path(old), _entries.by_path(new)
    found: List[Difference] = []
    missed: List[NotCompared] = []
    equal = 0
    moved = _moved(before, after)
    by_dvc = _tracked.of(old.subjects)
    for path, was in before.items():
        now = after.get(path) or moved.get(path)
        reason = _why_not(was, now)
        if reason:
            hint = _tracked.hint(path, by_dvc) if now is not None and now.state == MISSING else ""
            missed.append(NotCompared(NAME, str(path), reason + hint))
        elif now is None:
            found.append(_difference("removed", path, UNKNOWN, was.digests, None))
        elif now.path != path:
            found.append(_difference("origin", path, NONE, str(path), str(now.path)))
            equal += 1
        elif digest.same(was.digests, now.digests):
            equal += 1
        else:
            found.append(_other_content(path, was, now))
    taken = {one.path for one in moved.values()}
    found += [
        _difference("added", path, UNKNOWN, None, one.digests)
        for path, one in after.items()
        if path not in before and path not in taken
    ]
    others = _remote.compare(old, new)
    found += others.differences
    missed += others.not_compared
    equal += others.equal
    total = equal + sum(1 for one in found if one.kind != "origin")
    return Comparison(tuple(found), equal, total, UNIT, tuple(missed))


def _why_not(was: FileEntry, now: Optional[FileEntry]) -> str:
    """Return why the two cannot be compared, "" where they can."""
    if was.state == OVERWRITTEN and not (was.digests and now is not None and now.digests):
        return "the run overwrote what it had read"
    if was.state in (MISSING, UNREADABLE):
        return "it was %s when recorded" % was.state
    if now is None:
        return ""
    if now.state in (MISSING, UNREADABLE):
        return "not here" if now.state == MISSING else "it cannot be read here"
    same = digest.same(was.digests, now.digests)
    if same is None and was.files is None and was.size != now.size:
        return ""
    if same is None:
        pending = PENDING in (was.state, now.state) and not (was.digests and now.digests)
        return "its digest is pending" if pending else "no algorithm in common"
    if not same and was.state == OVERWRITTEN != now.state:
        return "the run overwrote what it had read"
    if not same and CHANGED in (was.state, now.state):
        return "it changed while the run went on"
    return ""


def _moved(
    before: Dict[PathRef, FileEntry], after: Dict[PathRef, FileEntry]
) -> Dict[PathRef, FileEntry]:
    """Return files that are at another path with the same content, by their old path."""
    new = {_content(one): one for path, one in after.items() if path not in before and one.digests}
    found = {}
    for path, one in before.items():
        if path not in after and one.digests and _content(one) in new:
            found[path] = new.pop(_content(one))
    return found


def _content(one: FileEntry) -> Tuple[Tuple[str, str], ...]:
    return tuple(sorted(one.digests.items()))


def _other_content(path: PathRef, was: FileEntry, now: FileEntry) -> Difference:
    text = ""
    if was.size != now.size:
        text = "%d bytes when recorded, %d now" % (was.size, now.size)
    if was.files is not None and was.files != now.files:
        text = "%s files when recorded, %s now" % (was.files, now.files)
    one = _difference("digest", path, BROKEN, was.digests, now.digests)
    return one._replace(text=text)


def _difference(kind: str, path: PathRef, effect: str, old: object, new: object) -> Difference:
    return Difference(NAME, "run", kind, str(path), effect, old, new)


def of(record: Record) -> Optional[Data]:
    """Return what the run read; None where the record does not say."""
    subjects = record.payloads(NAME)
    if not subjects:
        return None
    files, remotes = _entries.entries(subjects), _remote.of(subjects)
    return Data(files, remotes, _addresses.of(subjects), _tracked.of(subjects))
