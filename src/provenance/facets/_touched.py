"""Every file that a run touched, in its part: gathered from the hook, a scan, and what is named.

The answer of the last call is kept, since three facets ask for the same run.
"""

from __future__ import annotations

import os
import stat
from typing import Dict, FrozenSet, Iterable, List, NamedTuple, Tuple

from provenance.core import filekinds
from provenance.core.context import Context, FileUse, FolderUse
from provenance.core.paths import is_inside
from provenance.facets import _filenames, _files, _folding, _named, _scan
from provenance.facets._entries import MISSING, OVERWRITTEN
from provenance.facets._files import DECLARED, NAMED, Seen, Use
from provenance.facets._scan import Scan, Scope


class FolderRead(NamedTuple):
    """A folder that stands for the files in it. left_out: relative names that the run made."""

    path: str
    how: Tuple[str, ...]
    left_out: Tuple[str, ...] = ()


class Touched(NamedTuple):
    """What a run touched.

    inputs: but those that one of the folders stands for.
    removed: paths that were there before. temporary: how many files the run wrote and removed.
    crowded: folders that the search for changed files did not look at file by file.
    """

    inputs: Tuple[Use, ...] = ()
    folders: Tuple[FolderRead, ...] = ()
    outputs: Tuple[Use, ...] = ()
    removed: Tuple[str, ...] = ()
    temporary: int = 0
    crowded: Tuple[str, ...] = ()
    notes: Tuple[str, ...] = ()


_NO_NAMES = frozenset(("", os.curdir, os.pardir))

_last: "List[Tuple[Context, Touched]]" = []


def touched(context: Context) -> Touched:
    """Return every file that the run of ``context`` touched. Never raises for a missing file."""
    if _last and _same_run(_last[0][0], context):
        return _last[0][1]
    found = _Gathering(context).result()
    _last[:] = [(context, found)]
    return found


def _same_run(one: Context, other: Context) -> bool:
    """Return whether both contexts are of the same moment of the same run."""
    return (
        one.observed is other.observed
        and one.outcome is other.outcome
        and one.outcome is not None
        and (one.phase, one.roots, one.run_dir, one.marker_ns, one.started)
        == (other.phase, other.roots, other.run_dir, other.marker_ns, other.started)
        and (one.declared_data, one.declared_outputs, one.interpreters, one.overlapping)
        == (other.declared_data, other.declared_outputs, other.interpreters, other.overlapping)
    )


MOST_PER_FOLDER = 256
"""Files of one folder beyond which the folder is one entry."""

MOST_IN_TOP = 5000
"""Files of the project's own top folder that may be listed one by one."""


class _Gathering:
    """Collects what is known per path; see `touched`."""

    def __init__(self, context: Context) -> None:
        self.context = context
        roots = context.roots
        self.home = roots.home
        self.tops = tuple(dict.fromkeys(r for r in (roots.repo, roots.cwd) if r))
        folders = filekinds.environment_folders(context.interpreters)
        self.environments = tuple(
            f for f in folders if not any(is_inside(top, f) for top in self.tops)
        )
        self.code = {file for one in context.interpreters for file in one.modules.values()}
        self.seen: Dict[str, Seen] = {}
        self.plain: Dict[str, Dict[str, Tuple[str, ...]]] = {}
        self._canonical: Dict[str, str] = {}
        self._judged: Dict[str, bool] = {}
        self._telling = _filenames.telling_names() | {
            os.path.basename(one) for one in (*self.tops, *self.environments)
        }
        self._devices = {_folding.device(top) for top in self.tops}
        self.scan = Scan()

    def result(self) -> Touched:
        context = self.context
        for use in context.observed.files:
            self._observed(use)
        for folder in context.observed.folders:
            if folder.names:
                self._plain(folder)
            else:
                self._crowded_top(self._place(folder.path))
        self._expect()
        self._scanned()
        self._named_and_declared()
        crowds = self._crowds()
        everything = [self._now(one) for _, one in sorted(self.seen.items())]
        inputs = tuple(u for u in map(_files.as_input, everything) if u is not None)
        outputs = tuple(u for u in map(_files.as_output, everything) if u is not None)
        inputs, folders = self._folders(inputs, outputs, crowds)
        known = {one.path for one in everything if one.first != "r"}
        removed = [self._place(path) for path in context.observed.removed]
        return Touched(
            inputs,
            folders,
            outputs,
            tuple(
                path
                for path in dict.fromkeys(removed)
                if path not in known and not os.path.lexists(path) and not self._left_out(path)
            ),
            sum(1 for one in everything if one.written and not one.exists),
            self.scan.crowded,
            self.scan.notes,
        )

    def _observed(self, use: FileUse) -> None:
        path = self._place(use.path)
        if self._left_out(path):
            return
        before = self.seen.get(path)
        first = before.first if before is not None else use.first
        read = use.read or (before is not None and before.read)
        written = use.written or (before is not None and before.written)
        self.seen[path] = Seen(path, first=first, read=read, written=written, opened=use.how)

    def _plain(self, use: FolderUse) -> None:
        """Take note of files that were only read, folder by folder: there may be very many."""
        folder = self._place(use.path + os.sep + "-")[:-2]
        if self._left_out(folder + os.sep + "-") and not self._telling & set(use.names):
            return
        here = self.plain.setdefault(folder, {})
        for name in use.names:
            path = folder + os.sep + name
            if path in self.seen or name in self._telling:
                self._observed(FileUse(path, "r", True, False, use.how))
            else:
                here[name] = use.how

    def _known(self, path: str) -> Seen:
        """Return what is known of ``path`` by now, to be kept in ``seen`` by whoever adds to it."""
        known = self.seen.get(path)
        if known is None:
            folder, _, name = path.rpartition(os.sep)
            ways = self.plain.get(folder, {}).pop(name, None)
            if ways is None:
                return Seen(path)
            known = Seen(path, first="r", read=True, opened=ways)
        return known

    def _expect(self) -> None:
        """Let the digests of folders begin that will stand for the files in them."""
        ahead = self.context.ahead
        if ahead is not None:
            groups, _ = _files.arranged(self._members(()), MOST_PER_FOLDER, self._never())
            many = [self._place(one.path) for one in self._many()]
            for folder in (*groups, *many):
                if not self._left_out(folder) and not self._holds_project(folder):
                    ahead.expect(folder)

    def _many(self) -> Tuple[FolderUse, ...]:
        """Return the folders of whose files only the number is known."""
        crowds = tuple(one for one in self.context.observed.folders if not one.names)
        return _folding.fold(crowds, self.tops) if crowds else ()

    def _members(self, more: Iterable[str]) -> Dict[str, List[str]]:
        """Return the paths of files that were only read, and ``more``, by folder."""
        found = {f: [f + os.sep + name for name in names] for f, names in self.plain.items()}
        for path in more:
            found.setdefault(path[: path.rfind(os.sep)] or os.sep, []).append(path)
        return found

    def _never(self) -> FrozenSet[str]:
        """Return the folders that stand for no files: they hold the project or the home folder."""
        roots = self.context.roots
        tops = (roots.repo, roots.cwd, roots.home)
        return frozenset(above for top in tops if top for above in _folding.above(top))

    def _crowds(self) -> Dict[str, Tuple[str, ...]]:
        """Return the folders that stand for many files that were read, with how these are known.

        All other files that were only read are looked at one by one from here on.
        """
        lone = [path for path, one in self.seen.items() if one.read and one.first == "r"]
        groups, _ = _files.arranged(self._members(lone), MOST_PER_FOLDER, self._never())
        inside = [one + os.sep for one in groups]
        inside += [self._place(one.path) + os.sep for one in self._many()]
        ways: Dict[str, Tuple[str, ...]] = dict.fromkeys(groups, ())
        for folder, names in self.plain.items():
            above = next((one for one in inside if (folder + os.sep).startswith(one)), None)
            if above is None:
                for name, how in names.items():
                    path = folder + os.sep + name
                    self.seen[path] = Seen(path, first="r", read=True, opened=how)
                names.clear()
            elif above[:-1] in ways:
                known = ways[above[:-1]]
                ways[above[:-1]] = tuple(dict.fromkeys((*known, *next(iter(names.values()), ()))))
        return ways

    def _crowded_top(self, folder: str) -> None:
        """Take the older files of a folder that holds the project for read.

        Of reads beyond a number the hook keeps only the folder, and this one cannot stand for them
        in the record: it holds the code, the outputs and the records themselves.
        """
        if not self._holds_project(folder):
            return
        try:
            with os.scandir(folder) as entries:
                files = [one for one in entries if one.is_file(follow_symlinks=False)]
        except OSError:
            return
        start = self.context.marker_ns
        for one in sorted(files, key=lambda one: one.name)[:MOST_IN_TOP]:
            older = start is None or one.stat(follow_symlinks=False).st_ctime_ns < start
            if older and one.path not in self.seen and not filekinds.is_source(one.path):
                self._observed(FileUse(one.path, "r", True, False))

    def _scanned(self) -> None:
        context = self.context
        if context.marker_ns is None:
            return
        skip = frozenset(self.environments)
        self.scan = _scan.scan(self._scopes(), context.marker_ns, skip, context.deadline)
        streams = {self._place(path) for path in _scan.streams()}
        for one in self.scan.changed:
            path = self._place(one.path)
            if path in streams and path not in self.seen:
                continue
            known = self.seen.get(path, Seen(path))
            others = not known.written and (path in context.theirs or one.path in context.theirs)
            if not others and not self._left_out(path):
                self.seen[path] = known._replace(scanned=True, link=one.link)

    def _scopes(self) -> List[Scope]:
        scopes = [Scope(top, not _scan.is_shared(top, self.home)) for top in self.tops]
        scopes += [Scope(p, True) for p in self.context.declared_outputs if os.path.isdir(p)]
        folders = {os.path.dirname(p) for p, one in self.seen.items() if one.written}
        for folder in sorted(folders):
            covered = any(
                is_inside(os.path.realpath(folder), os.path.realpath(s.folder)) and s.deep
                for s in scopes
            )
            if not covered and not _scan.is_shared(folder, self.home):
                scopes.append(Scope(folder, False))
        return scopes

    def _named_and_declared(self) -> None:
        for path in map(self._place, _named.paths(self.context)):
            if self.context.observed.traced and not self._known(path).first:
                continue
            if os.path.isfile(path) and not self._left_out(path) and path not in self.code:
                self.seen[path] = self._known(path)._replace(named=True)
        for declared, paths in (
            ("output", self.context.declared_outputs),
            ("data", self.context.declared_data),
        ):
            for path in map(self._place, paths):
                if os.path.isdir(path):
                    if declared == "output":
                        self._declare_below(path)
                    continue
                known = self._known(path)
                self.seen[path] = known._replace(declared=declared)

    def _declare_below(self, folder: str) -> None:
        for path, one in list(self.seen.items()):
            if is_inside(path, folder) and (one.scanned or one.written):
                self.seen[path] = one._replace(declared="output")

    def _now(self, seen: Seen) -> Seen:
        """Return ``seen`` with what the file system says of it."""
        try:
            status = os.stat(seen.path)
        except OSError:
            return seen._replace(exists=seen.link and os.path.lexists(seen.path), changed=seen.link)
        marker = self.context.marker_ns
        alone = not self.context.overlapping
        if not stat.S_ISREG(status.st_mode):
            return seen._replace(exists=seen.link, changed=seen.link, alone=alone)
        changed = rewritten = seen.written
        if marker is not None and (status.st_dev in self._devices or not seen.written):
            changed = status.st_ctime_ns >= marker or seen.link
            rewritten = status.st_mtime_ns >= marker
        # As `_replace`, which takes four times as long; this is done for each file.
        return Seen(
            seen.path, True, status.st_size, changed, rewritten, seen.link, *seen[6:-1], alone
        )

    def _folders(
        self,
        inputs: Tuple[Use, ...],
        outputs: Tuple[Use, ...],
        crowds: Dict[str, Tuple[str, ...]],
    ) -> Tuple[Tuple[Use, ...], Tuple[FolderRead, ...]]:
        """Return the inputs that stand for themselves, and the folders that stand for others."""
        found: Dict[str, Tuple[str, ...]] = {}
        written = [one.path for one in outputs]
        for one in self._many():
            path = self._place(one.path)
            inside = sum(1 for w in written if is_inside(w, path))
            if inside < one.files and not self._left_out(path) and not self._holds_project(path):
                found[path] = one.how
        lost = [one for one in inputs if one.state in (MISSING, OVERWRITTEN)]
        uses = {one.path: one for one in inputs if one.state not in (MISSING, OVERWRITTEN)}
        groups, rest = _files.arranged(self._members(uses), MOST_PER_FOLDER, self._never())
        for folder, members in groups.items():
            ways = [way for path in members if path in uses for way in uses[path].how]
            found[folder] = tuple(dict.fromkeys((*crowds.get(folder, ()), *ways)))
        busy = [*written, *(one.path for one in inputs), *found]
        named = () if self.context.observed.traced else _named.paths(self.context)
        for path in map(self._place, named):
            if self._is_named_data(path) and not any(is_inside(b, path) for b in busy):
                found[path] = (NAMED,)
        for path in map(self._place, self.context.declared_data):
            if os.path.isdir(path):
                found[path] = (*found.get(path, ()), DECLARED)
        others = [path for path in rest if path not in uses]
        others = [path for path in others if not any(is_inside(path, one) for one in found)]
        alone = sorted([*lost, *(uses[p] for p in rest if p in uses), *self._one_by_one(others)])
        return tuple(alone), tuple(
            FolderRead(path, how, _folding.below(path, written))
            for path, how in sorted(found.items())
        )

    def _one_by_one(self, paths: List[str]) -> List[Use]:
        """Return files that no folder stands for after all."""
        seen = (self._now(self._known(path)) for path in paths)
        return [use for use in map(_files.as_input, seen) if use is not None]

    def _is_named_data(self, path: str) -> bool:
        if not os.path.isdir(path) or self._left_out(path) or self._holds_project(path):
            return False
        repository = os.path.exists(os.path.join(path, ".git"))
        return not (
            repository or filekinds.is_environment_folder(path) or _scan.is_shared(path, self.home)
        )

    def _holds_project(self, path: str) -> bool:
        return any(is_inside(top, path) for top in self.tops)

    def _left_out(self, path: str) -> bool:
        """Return whether ``path`` is of the system, an environment, a cache or our own.

        Judged once per folder, but for the few names that may tell otherwise.
        """
        folder, _, name = path.rpartition(os.sep)
        if name in self._telling:
            return self._judge(path)
        known = self._judged.get(folder)
        if known is None:
            known = self._judged[folder] = self._judge(folder + os.sep + "-")
        return known and not filekinds.is_package_data(path)

    def _judge(self, path: str) -> bool:
        below = next((path[len(t) :] for t in self.tops if is_inside(path, t)), None)
        inside_environment = any(is_inside(path, folder) for folder in self.environments)
        if below is None:
            return (
                inside_environment
                or filekinds.is_ignored(path, ())
                or _filenames.is_home_cache(path, self.home)
                or _filenames.is_dvc_state(path)
            )
        ignored = filekinds.IGNORED_FOLDERS
        return inside_environment or any(part in ignored for part in below.split(os.sep))

    def _place(self, path: str) -> str:
        """Return the normal form of ``path``: below a root where it really lies in one."""
        folder, _, name = path.rpartition(os.sep)
        known = self._canonical.get(folder) if name not in _NO_NAMES else None
        if known is not None:
            return known + name
        whole = os.path.normpath(os.path.join(self.context.roots.cwd, path))
        above, last = os.path.split(whole)
        placed = os.path.join(_folding.below_a_root(above, self.tops), "")
        if folder and last == name:
            self._canonical[folder] = placed
        return placed + last if last else placed
