"""What is asked about: a file here, a digest, a run, or a file that a run recorded."""

from __future__ import annotations

import os
import re
from collections.abc import Iterable
from typing import NamedTuple

from provenance.core import digest
from provenance.core.digest import Digests
from provenance.core.paths import PathRef
from provenance.errors import NoSuchRun, SystemRefused
from provenance.operations import _lineage_members
from provenance.operations._dvc_asked import with_dvc
from provenance.operations._lineage_facts import URL, Touch
from provenance.operations._lineage_records import Records
from provenance.store.digestcache import DigestCache
from provenance.store.project import Project

FILE, FOLDER, DIGEST, RUN, RECORDED = "file", "folder", "digest", "run", "recorded file"

MOST_MEMBERS = 10_000
"""Files of an unknown folder that are looked up one by one."""

_NOTED = 5

_LEAST = 6
"""Characters by which a digest may be named."""
_WHAT = "prov trace FILE, DIGEST, RUN or RUN:PATH; prov ls lists the runs"
_HEX = re.compile(r"^(?:(?P<algorithm>[a-z][a-z0-9-]*):)?(?P<value>[0-9a-fA-F]{6,128})(?:\.dir)?$")


class Subject(NamedTuple):
    """What was asked about.

    asked: as typed. digests: ``algorithm:hex``, of what is here or was named. touches: each known
    file that is meant, as (digests, touch). run: id, of a run. path: where it lies, of what is
    here. size: in bytes. notes: sentences on how it was found.
    """

    kind: str
    asked: str
    digests: tuple[str, ...] = ()
    touches: tuple[tuple[tuple[str, ...], Touch], ...] = ()
    run: str = ""
    path: str = ""
    size: int = 0
    files: int | None = None
    notes: tuple[str, ...] = ()


class Finder:
    """Finds out what is meant. cache: of digests, so that an unchanged file is not read again."""

    def __init__(self, known: Records, place: Project, cwd: str, cache: str) -> None:
        self._known, self._place, self._cwd = known, place, cwd
        self._cache = with_dvc(DigestCache(cache), os.environ)

    def save(self) -> None:
        """Keep the digests that were taken."""
        if os.path.isdir(os.path.dirname(self._cache.path)):
            self._cache.save()

    def subject(self, asked: str) -> Subject:
        """Return what ``asked`` means. Raises `NoSuchRun` where it can mean nothing."""
        if not asked:
            raise NoSuchRun("'' is no file, digest, run or RUN:PATH.", _WHAT)
        path = os.path.normpath(os.path.join(self._cwd, asked))
        if os.path.isdir(path):
            return self._folder(asked, path)
        if os.path.lexists(path):
            return self._file(asked, path)
        try:
            return Subject(RUN, asked, run=self._known.resolve(asked))
        except NoSuchRun:
            return self._elsewhere(asked)

    def _elsewhere(self, asked: str) -> Subject:
        """Return a digest, a file of a run, or a path that was recorded and is not here now."""
        hexadecimal = _HEX.match(asked)
        if hexadecimal:
            return self._digest(asked, hexadecimal["value"].lower())
        if "://" in asked:
            return self._at_server(asked)
        run, colon, path = asked.partition(":")
        if colon and path and not path.startswith("//"):
            if run in (digest.BLAKE3, digest.SHA256, digest.MD5):
                text = "%s is no digest: at least %d hexadecimal digits are one."
                raise NoSuchRun(text % (asked, _LEAST), _WHAT)
            return self._of_run(asked, self._known.resolve(run), path)
        found = self._recorded(PathRef("repo", asked), os.path.normpath(asked))
        if found:
            run_id, touch = found[-1]
            text = "%s is not here; this is what run %s recorded under this path" % (asked, run_id)
            return Subject(
                RECORDED, asked, touch.digests, ((touch.digests, touch),), size=touch.size,
                files=touch.files, notes=(text,), run=run_id,
            )  # fmt: skip
        text = "there is no file %s here, and no run or recorded file of that name." % asked
        raise NoSuchRun(text, _WHAT)

    def _digest(self, asked: str, value: str) -> Subject:
        full = self._known.starting(value)
        notes: tuple[str, ...] = ()
        if len(full) > 1:
            meant = self._apart(full)
            if len(meant) > 1:
                shown = ", ".join(sorted(one[:16] for one in meant)[:8])
                notes = ("%d files have a digest that starts so: %s" % (len(meant), shown),)
        touches = tuple(self._touch(one) for one in full)
        digests = tuple(sorted({value for found, _ in touches for value in found}))
        return Subject(DIGEST, asked, digests, touches, notes=notes)

    def _at_server(self, asked: str) -> Subject:
        """Return what runs read from an address, in each version that it had."""
        touches = {
            touch.digests: touch
            for run_id in sorted(self._known.by_name(os.path.basename(asked.rstrip("/"))))
            for touch in self._known.facts(run_id).touches
            if touch.root == URL and asked in (touch.path, touch.path + "/")
        }
        if not touches:
            raise NoSuchRun("no run at hand read %s." % asked, "prov ls lists the runs")
        versions = tuple(one for digests in touches for one in digests)
        notes = ("it was read in %d versions" % len(versions),) if len(versions) > 1 else ()
        pairs = tuple(sorted(touches.items()))
        return Subject(RECORDED, asked, versions, pairs, notes=notes)

    def _apart(self, values: Iterable[str]) -> set[str]:
        """Return one digest of each file that ``values`` stand for."""
        return {min(found) for found, _ in map(self._touch, values) if found}

    def _touch(self, value: str) -> tuple[tuple[str, ...], Touch]:
        for run_id in sorted(self._known.by_digest(value)):
            for touch in self._known.facts(run_id).touches:
                if any(one.partition(":")[2] == value for one in touch.digests):
                    return touch.digests, touch
        return (), Touch("read", value)

    def _of_run(self, asked: str, run_id: str, path: str) -> Subject:
        touches = [t for t in self._known.facts(run_id).touches if t.side != "code"]
        exact = [one for one in touches if path in (one.path, one.label)]
        ending = exact or [one for one in touches if one.path.endswith("/" + path)]
        if not ending:
            shown = ", ".join(dict.fromkeys(one.path for one in touches)) or "none"
            raise NoSuchRun(
                "run %s recorded no file %r." % (run_id, path), "it has: %.300s" % shown
            )
        wrote = [one for one in ending if one.side == "wrote"] or ending
        touch = wrote[0]
        return Subject(
            RECORDED, asked, touch.digests, ((touch.digests, touch),), run_id, size=touch.size,
            files=touch.files,
        )  # fmt: skip

    def _file(self, asked: str, path: str) -> Subject:
        if not os.path.isfile(path):
            raise SystemRefused("%s is no regular file: it has no content to look for." % asked)
        fastest = digest.best_algorithm()
        try:
            status = os.stat(path)
            size = status.st_size
            found = self._told(path, status)
            if not self._any(found):
                found.update(self._cache.digest(path, (fastest,)))
            if not self._any(found):
                others = digest.available(("sha256", "md5"))
                found.update(self._cache.digest(path, tuple(a for a in others if a != fastest)))
        except OSError as error:
            raise SystemRefused(
                "%s cannot be read: %s." % (asked, error.strerror or error)
            ) from error
        touch = self._here(path)._replace(size=size)
        made = Subject(FILE, asked, _words(found), path=path, size=size)
        if self._any(found):
            return made._replace(touches=((made.digests, touch),))
        return self._member(made)

    def _told(self, path: str, status: os.stat_result) -> Digests:
        """Return the digest that DVC knows of a large file, which need not be read then."""
        told = self._cache.told
        large = told is not None and status.st_size >= DigestCache.ASKED
        value = told(path, status) if told is not None and large else ""
        return {digest.MD5: value} if value else {}

    def _any(self, found: Digests) -> bool:
        return any(self._known.by_digest(value) for value in found.values())

    def _here(self, path: str) -> Touch:
        ref = self._place.roots(self._cwd).refer(path)
        return Touch("read", str(ref), ref.root)

    def _member(self, made: Subject) -> Subject:
        """Return the recorded folder that the file lies in, if that is as recorded."""
        folder = os.path.dirname(made.path)
        top = self._place.repo or self._place.root
        while folder.startswith(top + os.sep):
            for run_id, touch in self._recorded(*self._ref(folder)):
                if touch.files is None or not touch.digests:
                    continue
                now = self._tree(folder, touch)
                if now in touch.digests:
                    text = (
                        "%s is one of the %d files of %s, recorded as one folder, which is as run"
                        " %s %s it" % (made.asked, touch.files, touch.path, run_id, touch.side)
                    )
                    return made._replace(
                        touches=((touch.digests, touch),), notes=(*made.notes, text)
                    )
            folder = os.path.dirname(folder)
        return self._listed(made)

    def _listed(self, made: Subject) -> Subject:
        """Return the recorded folders that held the file by their lists, wherever it lies now."""
        values = [one.partition(":")[2] for one in made.digests if one.startswith("md5:")]
        value = values[0] if values else ""
        touches, notes = [], []
        for one in _lineage_members.holding(value, self._known, self._place) if value else ():
            touches.append((one.touch.digests, one.touch))
            notes.append(
                "%s is %s of the folder %s, which run %s %s and whose list names it"
                % (made.asked, one.path, one.touch.path, one.run, one.touch.side)
            )
        if not touches:
            return made
        return made._replace(
            touches=tuple(dict.fromkeys(touches)), notes=(*made.notes, *notes[:_NOTED])
        )

    def _tree(self, folder: str, touch: Touch) -> str:
        """Return the digest of the folder as it is now, in the way in which it was recorded."""
        for one in touch.digests:
            name = one.partition(":")[0].removesuffix(digest.TREE)
            if digest.available((name,)):
                return next(iter(_words(self._tree_digests(folder, name, touch.left_out))), "")
        return ""

    def _tree_digests(self, folder: str, name: str, left_out: tuple[str, ...] = ()) -> Digests:
        try:
            return digest.tree_digest(
                folder, name, lambda one: self._cache.digest(one, (name,)), frozenset(left_out)
            ).digests
        except OSError:
            return {}

    def _folder(self, asked: str, path: str) -> Subject:
        found: Digests = {}
        for name in dict.fromkeys((digest.best_algorithm(), "sha256")):
            found.update(self._tree_digests(path, name))
            if self._any(found):
                touch = self._here(path)._replace(files=1)
                return Subject(FOLDER, asked, _words(found), ((_words(found), touch),), path=path)
        for _, touch in self._recorded(*self._ref(path)):
            if touch.files is not None and self._tree(path, touch) in touch.digests:
                return Subject(FOLDER, asked, touch.digests, ((touch.digests, touch),), path=path)
        try:
            return self._members(Subject(FOLDER, asked, _words(found), path=path))
        except OSError as error:
            text = "%s cannot be read whole: %s (%s)."
            raise SystemRefused(text % (asked, error.strerror, error.filename)) from error

    def _members(self, made: Subject) -> Subject:
        """Return the known files of a folder that is not known as a whole."""
        touches: list[tuple[tuple[str, ...], Touch]] = []
        count = 0
        for _, entry in digest.walk(made.path):
            count += 1
            if count > MOST_MEMBERS:
                break
            try:
                one = self._file(os.path.relpath(entry.path, self._cwd), entry.path)
            except SystemRefused:
                continue
            touches += one.touches
        text = "%s is not known as a whole; %d of its %s%d files are" % (
            made.asked, len(touches), "first " if count > MOST_MEMBERS else "",
            min(count, MOST_MEMBERS),
        )  # fmt: skip
        return made._replace(touches=tuple(touches), notes=(text,) if touches else ())

    def _ref(self, path: str) -> tuple[PathRef, str]:
        ref = self._place.roots(self._cwd).refer(path)
        return ref, str(ref)

    def _recorded(self, ref: PathRef, shown: str) -> list[tuple[str, Touch]]:
        """Return what runs recorded under a path, oldest first, what they wrote last of each."""
        found = []
        for run_id in self._known.by_name(os.path.basename(shown)):
            facts = self._known.facts(run_id)
            found += [
                (facts.order, one.side, one)
                for one in facts.touches
                if one.path == shown and one.root in (ref.root, "cwd")
            ]
        found.sort(key=lambda one: one[:2])
        return [(order[1], touch) for order, _, touch in found]

    def unchanged(self, run_id: str, path: str, digests: tuple[str, ...]) -> str:
        """Return where a recorded file lies here, if it is still as recorded, else ""."""
        for touch in self._known.facts(run_id).touches:
            if (touch.path, touch.digests) != (path, digests) or touch.files is not None:
                continue
            place = self._place.roots(self._cwd).locate(PathRef(touch.root, touch.path))
            if place is None or not os.path.isfile(place):
                continue
            names = digest.available([one.partition(":")[0] for one in digests])[:1]
            try:
                if names and _words(self._cache.digest(place, names))[0] in digests:
                    return place
            except OSError:
                continue
        return ""

    def recorded(self, path: str) -> list[tuple[str, Touch]]:
        """Return what runs recorded under the absolute ``path``, oldest first."""
        return self._recorded(*self._ref(path))


def _words(found: Digests) -> tuple[str, ...]:
    return tuple("%s:%s" % pair for pair in sorted(found.items()))
