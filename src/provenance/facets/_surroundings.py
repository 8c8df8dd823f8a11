"""What need not be asked before the run starts: remotes, submodules, other places, used files."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Dict, Iterator, List, NamedTuple, Optional, Tuple

from provenance.core.context import Context
from provenance.core.paths import is_inside
from provenance.core.redact import Redactor, without_credentials
from provenance.facets import _repositories, _used
from provenance.facets._code import Archive, Code, Remote, Submodule
from provenance.facets._git import Git, Status

if TYPE_CHECKING:
    from provenance.facets._snapshot import Out, Packer

_SETTINGS = ("core.autocrlf", "core.eol", "core.filemode", "core.symlinks")
"""How git writes files into the work tree here; a restored tree needs the same."""
_MOST_ASKED = 60000
"""Bytes of paths that git is asked about at once."""


class Inner(NamedTuple):
    """What was taken of the submodules that had changes."""

    submodules: Tuple[Submodule, ...]
    out: Tuple[Out, ...]
    notes: Tuple[str, ...]


def changed_submodules(
    context: Context, git: Git, top: str, status: Status, packer: Packer
) -> Inner:
    """Take the changes of the submodules that have some, before the run can change them."""
    from provenance.facets import _snapshot  # a clean tree needs none of it

    assert context.run_dir is not None
    inner = git.elsewhere()
    found: List[Submodule] = []
    out: List[Out] = []
    notes: List[str] = []
    for number, entry in enumerate(e for e in status.entries if e.submodule):
        folder = os.path.join(top, entry.path)
        here, _ = inner.status(folder) if os.path.exists(folder + "/.git") else (None, None)
        one = Submodule(context.roots.refer(folder), recorded=_id(entry.head))
        if here is not None:
            prefix = entry.path + "/"
            name = "code-%d.patch" % (number + 1)
            taken = _snapshot.uncommitted(
                inner, folder, here, context.redact, context.run_dir, name
            )
            packer.add(folder, here.untracked, prefix)
            out.extend(o._replace(path=prefix + o.path) for o in taken.out)
            notes.extend("%s: %s" % (entry.path, note) for note in taken.notes)
            dirty = bool(here.entries or here.untracked)
            one = one._replace(commit=here.commit, dirty=dirty, patch=taken.patch)
        found.append(one)
    return Inner(tuple(found), tuple(out), tuple(notes))


def _id(name: str) -> Optional[str]:
    return name if name.strip("0") else None


def settled(code: Code, context: Context, notes: List[str]) -> Code:
    """Return ``code`` with what git knows and the run will not change: asked while it runs."""
    git = Git(context.environ, context.roots.cwd)
    top = context.roots.locate(code.top)
    if code.vcs != "git" or top is None:
        return code
    remotes, settings = _configuration(git, top, context.redact)
    _say_hidden(git, top, notes)
    return code._replace(
        remotes=remotes,
        settings=settings,
        pushed=_pushed(git, top, code.commit) if remotes else None,
        submodules=_submodules(code, context, git, top, notes),
    )


def complete(code: Code, context: Context, notes: List[str]) -> Code:
    """Return ``code`` with what only the end of the run tells: the files used."""
    git = Git(context.environ, context.roots.cwd)
    top = context.roots.locate(code.top)
    used, more = _used.during_run(context, _AtStart(code, context, git, top))
    notes.extend(more)
    code = code._replace(used=used)
    code = code._replace(repositories=_repositories.found(code, context, git, top, notes))
    if code.vcs == "git" and top is not None:
        code = code._replace(ignored=_ignored(code, context, git, top, notes))
    return code


def _ignored(
    code: Code, context: Context, git: Git, top: str, notes: List[str]
) -> Optional[Archive]:
    """Keep the used source files that git ignores: no commit will ever have them."""
    full = (context.roots.locate(one.path) for one in code.used)
    below = [os.path.relpath(path, top) for path in full if path and is_inside(path, top)]
    feed = b"".join(os.fsencode(path) + b"\0" for path in below)[:_MOST_ASKED]
    if context.run_dir is None or not feed:
        return None
    answer = git(top, "check-ignore", "-z", "--stdin", feed=feed[: feed.rfind(b"\0") + 1])
    if not answer.out:
        return None
    from provenance.facets import _snapshot
    from provenance.facets._snapshot import Packer

    packer = Packer(context.redact)
    packer.add(top, tuple(os.fsdecode(path) for path in answer.out.split(b"\0") if path))
    notes.extend("%s was used and is not kept: %s" % (o.path, o.reason) for o in packer.out[:3])
    return _snapshot.archived(packer, context, top, _snapshot.IGNORED)


def _configuration(
    git: Git, top: str, redact: Redactor
) -> Tuple[Tuple[Remote, ...], Dict[str, str]]:
    pattern = r"^(remote\..*\.url|core\.(autocrlf|eol|filemode|symlinks))$"
    remotes: Dict[str, str] = {}
    settings: Dict[str, str] = {}
    for name, value in _config(git, top, "--get-regexp", pattern):
        if name in _SETTINGS:
            settings[name] = value
        elif name.startswith("remote."):
            url = redact.text(without_credentials(value))
            remotes.setdefault(name[len("remote.") : -len(".url")], url)
    return tuple(Remote(name, url) for name, url in sorted(remotes.items())), settings


def _config(git: Git, top: str, *words: str) -> Iterator[Tuple[str, str]]:
    answer = git(top, "config", "-z", *words)
    for row in os.fsdecode(answer.out).split("\0"):
        name, newline, value = row.partition("\n")
        if newline:
            yield name, value


def _pushed(git: Git, top: str, commit: Optional[str]) -> Optional[bool]:
    if commit is None:
        return None
    answer = git(top, "for-each-ref", "--count=1", "--contains=" + commit, "refs/remotes")
    return bool(answer.out.strip()) if answer.code == 0 else None


def _submodules(
    code: Code, context: Context, git: Git, top: str, notes: List[str]
) -> Tuple[Submodule, ...]:
    if not os.path.exists(os.path.join(top, ".gitmodules")):
        return code.submodules
    known = {one.path: one for one in code.submodules}
    pattern = r"^submodule\..*\.(path|url)$"
    stated: Dict[str, Dict[str, str]] = {}
    for name, value in _config(git, top, "--file", ".gitmodules", "--get-regexp", pattern):
        section, _, key = name[len("submodule.") :].rpartition(".")
        stated.setdefault(section, {})[key] = value
    inner = git.elsewhere()
    for one in stated.values():
        path = one.get("path", "")
        folder = os.path.normpath(os.path.join(top, path))
        if not path or not is_inside(folder, top):
            continue
        ref = context.roots.refer(folder)
        entry = known.get(ref, Submodule(ref))
        url = context.redact.text(without_credentials(one.get("url", "")))
        recorded = entry.recorded or _recorded(git, top, path)
        commit = entry.commit or _head(inner, folder)
        if commit is None:
            notes.append("submodule %s is not checked out" % path)
        known[ref] = entry._replace(url=url, recorded=recorded, commit=commit)
    return tuple(known[ref] for ref in sorted(known))


def _recorded(git: Git, top: str, path: str) -> Optional[str]:
    answer = git(top, "ls-files", "--stage", "-z", "--", ":(top,literal)" + path)
    words = answer.out.split()
    return words[1].decode("ascii") if words[:1] == [b"160000"] else None


def _head(git: Git, folder: str) -> Optional[str]:
    if not os.path.exists(os.path.join(folder, ".git")):
        return None
    answer = git(folder, "rev-parse", "--verify", "--quiet", "HEAD")
    return answer.out.decode("ascii", "replace").strip() or None


def _say_hidden(git: Git, top: str, notes: List[str]) -> None:
    """Note files that git was told not to look at: their changes are in no patch."""
    answer = git(top, "ls-files", "-v", "-z")
    hidden = [row[2:] for row in answer.out.split(b"\0") if row[:1].islower()]
    sparse = sum(1 for row in answer.out.split(b"\0") if row[:1] == b"S")
    if hidden:
        first = os.fsdecode(hidden[0])
        notes.append(
            "git does not look at %d files (assume-unchanged), %s first: changes in them are not "
            "kept" % (len(hidden), first)
        )
    if sparse:
        notes.append("%d files of the commit were not checked out (sparse)" % sparse)


class _AtStart:
    """Gives what a tracked file that had no changes contained when the run began."""

    def __init__(self, code: Code, context: Context, git: Git, top: Optional[str]) -> None:
        self._git, self._top, self._commit = git, top, code.commit
        complete = code.changed_count == len(code.changed)
        self._changed = {context.roots.locate(one.path) for one in code.changed}
        if code.vcs != "git" or not complete:
            self._commit = None

    def __call__(self, path: str) -> Optional[bytes]:
        if self._commit is None or self._top is None or path in self._changed:
            return None
        if not is_inside(path, self._top):
            return None
        below = os.path.relpath(path, self._top).replace(os.sep, "/")
        answer = self._git(self._top, "cat-file", "--filters", "%s:%s" % (self._commit, below))
        return answer.out if answer.code == 0 else None
