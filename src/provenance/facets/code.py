"""Which code ran: commit, uncommitted changes, untracked code, and the source files it used.

Before the run only what the run could change is taken: the state of git, one patch, one archive.
Remotes and submodules are asked for while it runs, the files it used when it has ended. Two runs,
or a run and the present, are compared by the files used, never by commit: a comment, a new test
or the commit that adds the lock changes the commit and nothing else.
"""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, List, Optional, Sequence, Tuple

from provenance.core import codec
from provenance.core.context import AFTER, BEFORE, DURING, PRESENT, Context
from provenance.core.difference import BROKEN, NONE, UNKNOWN, Comparison, Difference, NotCompared
from provenance.core.paths import ABS, HOME, PathRef, nearest
from provenance.core.record import CAPTURED, Payload, Record, captured
from provenance.facets import _facet
from provenance.facets._code import (
    GIT,
    NO_GIT,
    Archive,
    Change,
    Code,
    LeftOut,
    Patch,
    Remote,
    Repository,
    Submodule,
    UsedFile,
)
from provenance.facets._git import Git, Status, trouble

if TYPE_CHECKING:
    from provenance.facets._snapshot import Out, Packer

__all__ = [
    "Archive", "Change", "Code", "LeftOut", "Patch", "Remote", "Repository", "Submodule",
    "UsedFile", "capture", "compare", "of", "upgrade",
]  # fmt: skip

NAME = "code"
VERSION = 1
PHASES = (BEFORE, DURING, AFTER)
SITE = _facet.HOST

UNIT = "used files"

upgrade = _facet.nothing_to_upgrade


_MOST_CHANGED = 500


def capture(context: Context) -> Payload:
    """Return the code of the run, or of the present where there is none."""
    notes: List[str] = []
    if context.phase in (DURING, AFTER):
        from provenance.facets import _surroundings

        code = _earlier(context, notes) or _state(context, notes)
        more = _surroundings.settled if context.phase == DURING else _surroundings.complete
        code = more(code, context, notes)
    elif context.phase == PRESENT:
        code = _present(context, notes)
    else:
        code = _state(context, notes)
    return captured(VERSION, code, "run", tuple(context.redact.text(note) for note in notes))


def of(record: Record) -> Optional[Code]:
    """Return the code of a run as a value, None where it was not captured."""
    for subject in record.payloads(NAME):
        return codec.decode(Code, subject.payload, "code")
    return None


def _earlier(context: Context, notes: List[str]) -> Optional[Code]:
    if context.earlier is None or context.earlier.status != CAPTURED:
        return None
    notes.extend(context.earlier.notes)
    return codec.decode(Code, context.earlier.subjects[0].payload, "code")


def _present(context: Context, notes: List[str]) -> Code:
    code = _state(context._replace(run_dir=None), notes)
    reference = of(context.reference) if context.reference is not None else None
    if reference is None:
        return code
    from provenance.facets import _used

    return code._replace(used=_used.now(context, reference.used))


def _state(context: Context, notes: List[str]) -> Code:
    """Return the state of git, or of the project folder without it; writes patch and archive."""
    git = Git(context.environ, context.roots.cwd)
    top = _top(context, git, notes)
    if top is None:
        return _without_git(context, notes)
    status, answer = git.status(top)
    if status is None:
        notes.append(trouble(answer, top))
        return _without_git(context, notes)
    code = Code(
        GIT,
        context.roots.refer(top),
        status.commit,
        status.branch,
        status.upstream,
        changed=tuple(
            Change(_ref(context, top, entry.path), entry.status)
            for entry in status.entries[:_MOST_CHANGED]
        ),
        changed_count=len(status.entries),
    )
    if status.entries or status.untracked:
        code = _with_changes(code, context, git, top, status, notes)
    return code


def _top(context: Context, git: Git, notes: List[str]) -> Optional[str]:
    """Return the top of the work tree that the run belongs to, None where there is none."""
    roots = context.roots
    marked = os.path.join(roots.repo or roots.cwd, ".git")
    if not git.chosen() and (os.path.isfile(marked) or os.path.exists(marked + "/HEAD")):
        return roots.repo or roots.cwd
    if not git.chosen() and nearest(roots.cwd, ".git") is None:
        return None
    answer = git(roots.cwd, "rev-parse", "--show-toplevel")
    if answer.code != 0 and "not a git repository" not in answer.err:
        notes.append(trouble(answer, roots.cwd))
    return os.fsdecode(answer.out).rstrip("\n") if answer.code == 0 else None


def _ref(context: Context, top: str, path: str) -> PathRef:
    return context.roots.refer(os.path.join(top, path))


def _with_changes(
    code: Code, context: Context, git: Git, top: str, status: Status, notes: List[str]
) -> Code:
    from provenance.facets import _kept, _snapshot

    if context.run_dir is None:
        new = any(_kept.is_kept(path) for path in _kept.candidates(status.untracked))
        return code._replace(dirty=bool(status.entries) or new)
    out: List[Out] = []
    if status.entries:
        taken = _snapshot.uncommitted(git, top, status, context.redact, context.run_dir)
        code = code._replace(patch=taken.patch)
        out.extend(taken.out)
        notes.extend(taken.notes)
    packer = _snapshot.Packer(context.redact)
    packer.add(top, status.untracked)
    if any(entry.submodule for entry in status.entries):
        from provenance.facets import _surroundings

        inner = _surroundings.changed_submodules(context, git, top, status, packer)
        code = code._replace(submodules=inner.submodules)
        out.extend(inner.out)
        notes.extend(inner.notes)
    code = _archived(code, context, top, packer, out, notes)
    return code._replace(dirty=bool(status.entries) or code.untracked is not None)


def _archived(
    code: Code, context: Context, top: str, packer: Packer, out: List[Out], notes: List[str]
) -> Code:
    """Return ``code`` with the archive of untracked files written, and all that was left out."""
    from provenance.facets import _snapshot

    archive = _snapshot.archived(packer, context, top, _snapshot.ARCHIVE)
    if packer.redacted:
        notes.append("secrets were masked in untracked files: %s" % _few(packer.redacted))
    out = out + packer.out
    if out:
        notes.append("not kept: %s" % _few(["%s (%s)" % (o.path, o.reason) for o in out]))
    return code._replace(
        untracked=archive,
        untracked_others=packer.others,
        left_out=tuple(LeftOut(_ref(context, top, o.path), o.reason, o.size) for o in out),
    )


def _few(words: Sequence[str]) -> str:
    return ", ".join(words[:4]) + (" and %d more" % (len(words) - 4) if len(words) > 4 else "")


def _without_git(context: Context, notes: List[str]) -> Code:
    """Return the code of a project that git does not keep: its source files go to the archive."""
    top = context.roots.repo or context.roots.cwd
    code = Code(NO_GIT, context.roots.refer(top))
    if context.run_dir is None:
        return code
    from provenance.facets import _kept, _snapshot

    if os.path.dirname(top) == top or (context.roots.home + "/").startswith(top + "/"):
        notes.append("%s is no project folder: its source files are not kept" % top)
        return code
    paths, complete = _kept.walk(top)
    if not complete:
        notes.append("there are very many files below %s: some code may not be kept" % top)
    packer = _snapshot.Packer(context.redact)
    packer.add(top, paths)
    return _archived(code, context, top, packer, [], notes)


def compare(old: Payload, new: Payload) -> Comparison:
    """Compare the source files used; commit, branch and changes are told and count for nothing."""
    before = codec.decode(Code, old.subjects[0].payload, "code")
    after = codec.decode(Code, new.subjects[0].payload, "code")
    told = tuple(
        Difference(NAME, "run", "changed", name, NONE, getattr(before, name), getattr(after, name))
        for name in ("vcs", "commit", "branch", "dirty")
        if getattr(before, name) != getattr(after, name)
    )
    if not before.used:
        reason = "the record names no source file that the run used"
        return Comparison(told, 0, 0, UNIT, (NotCompared(NAME, UNIT, reason),))
    return _compare_used(before.used, after.used, told)


def _compare_used(
    old: Tuple[UsedFile, ...], new: Tuple[UsedFile, ...], told: Tuple[Difference, ...]
) -> Comparison:
    here = {one.path: one for one in new}
    found, unsure, equal = list(told), [], 0
    for one in old:
        other = here.pop(one.path, None)
        if other is None:
            found.append(_difference("removed", one, UNKNOWN, one, None, "not used this time"))
        elif other.missing and one.path.root in (HOME, ABS):
            reason = "it lies outside the repository, and is not here"
            unsure.append(NotCompared(NAME, str(one.path), reason))
        elif other.missing:
            found.append(_difference("missing", one, BROKEN, one, None))
        elif not one.digests or not other.digests:
            where = "in the record" if not one.digests else "here"
            unsure.append(NotCompared(NAME, str(one.path), "there is no digest %s" % where))
        elif one.digests.get("sha256") == other.digests.get("sha256"):
            equal += 1
        else:
            found.append(_content(one, other))
    found.extend(
        _difference("added", one, UNKNOWN, None, one, "not used before") for one in here.values()
    )
    total = len(old) + len(here) - len(unsure)
    return Comparison(tuple(found), equal, total, UNIT, tuple(unsure))


def _content(one: UsedFile, other: UsedFile) -> Difference:
    same = {n for n in one.digests if n != "sha256" and one.digests[n] == other.digests.get(n)}
    if not same:
        return _difference("content", one, BROKEN, one, other)
    text = "only outputs or text cells differ" if "notebook-code-1" in same else ""
    return _difference("comment", one, NONE, one, other, text)


def _difference(
    kind: str,
    named: Optional[UsedFile],
    effect: str,
    old: Optional[UsedFile],
    new: Optional[UsedFile],
    text: str = "",
) -> Difference:
    name = str((named or new or old).path)  # type: ignore[union-attr]  # one of them is given
    return Difference(
        NAME, "run", kind, name, effect, old and dict(old.digests), new and dict(new.digests),
        (name,), text,
    )  # fmt: skip
