"""A file of a run that is no longer in place: from the store, else from the remote."""

from __future__ import annotations

from collections.abc import Callable

from provenance.core import digest
from provenance.core.paths import PathRef
from provenance.core.record import Record
from provenance.errors import NoSuchArtifact, ProvError, UsageError
from provenance.facets._entries import FileEntry
from provenance.operations import _artifacts, _remote, _transfers, checkout, pulling
from provenance.operations._artifacts import Artifact
from provenance.operations._remote import Stores
from provenance.store import blobs, records
from provenance.store.blobs import Blobs
from provenance.store.project import Project
from provenance.store.remotes import Remote

SOURCE = "store"


def way(place: Project, run: Record) -> Callable[[FileEntry, str], str]:
    """Return what brings a file of ``run``, read or written, as `obtain.Bring` has it."""
    getter = Getter(place, run)

    def bring(entry: FileEntry, target: str) -> str:
        why = getter.get_content(entry, target)
        if why:
            raise NoSuchArtifact(why + ".")
        return "" if why is None else SOURCE

    return bring


class Getter:
    """Gets files of one run; settings are read, and the remote is asked, at most once."""

    def __init__(self, place: Project, run: Record) -> None:
        self._place, self._run = place, run
        self._kept: Stores | None = None
        self._source: Remote | None = None
        self._asked = False
        self._folder = ""
        self._known: Blobs = {}

    def get(self, ref: PathRef, target: str) -> str | None:
        """Put what the run read at ``ref`` to ``target``; return why not, "" where it is done.

        None where there is no copy here and no remote that has the run. Never raises.
        """
        artifacts, _ = _artifacts.of(self._run, (_artifacts.DATA,), outside=True)
        return self._put(next((item for item in artifacts if item.ref == ref), None), target)

    def get_content(self, entry: FileEntry, target: str) -> str | None:
        """Put what ``entry`` had, read or written, to ``target``; returns what `get` returns."""
        artifacts, _ = _artifacts.of(self._run, outside=True)
        same = (one for one in artifacts if digest.same(dict(one.digests), entry.digests))
        return self._put(next(same, None), target)

    def _put(self, one: Artifact | None, target: str) -> str | None:
        if one is None:
            return None
        try:
            kept = self._stores()
            if not checkout.is_here(kept, blobs.find(self._known, one.digests)):
                why = self._fetched(kept, one)
                if why != "":
                    return why
            failed = checkout.put_at(self._place, kept, self._known, one, target)
        except (OSError, ProvError) as error:
            return _transfers.why(error)
        return failed[0].why if failed else ""

    def _stores(self) -> Stores:
        if self._kept is None:
            self._kept = _remote.stores(self._place)
            try:
                self._folder = records.find(self._place, self._run.id).folder
                self._known = blobs.load(self._folder)
            except ProvError:
                self._known = {}  # the run is known from a lock only
        return self._kept

    def _fetched(self, kept: Stores, one: Artifact) -> str | None:
        """Fetch a file into the store; return why it failed, as `get` does."""
        source = self._ask(kept)
        if source is None or blobs.find(self._known, one.digests) is None:
            return None
        failed = pulling.fetch(kept, source, self._known, [one]).failed
        return failed[0].why if failed else ""

    def _ask(self, kept: Stores) -> Remote | None:
        if self._asked:
            return self._source
        self._asked = True
        try:
            source = _remote.reach(self._place, kept, "", self._place.root)
        except UsageError:
            return None  # none is named
        self._known = pulling.names_of(source, self._run.id, self._known)
        if self._known and self._folder:
            blobs.add(self._folder, self._known)  # so that `prov gc` knows what was fetched
        self._source = source
        return source
