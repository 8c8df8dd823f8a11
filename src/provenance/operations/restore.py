"""Making a tree of its own from a record: the commit, the changes, the untracked code.

The user's repository is only read. The tree's index holds the uncommitted changes as staged, so
that recording a run in it captures the same changes again.
"""

from __future__ import annotations

import hashlib
import os
import posixpath
import shutil
from collections.abc import Callable
from typing import NamedTuple

from provenance.core.digest import SHA256, file_digests
from provenance.core.paths import CWD, REPO, PathRef, Roots
from provenance.core.record import Record
from provenance.errors import BadRecord, NothingToCompare, ProvError, SystemRefused
from provenance.facets import _kept, _patch
from provenance.facets import code as code_facet
from provenance.facets.code import Code, Patch, Repository, Submodule
from provenance.operations import _gittree, _untar

Blobs = Callable[[str], "bytes | None"]


class Restored(NamedTuple):
    """A restored tree.

    path: its top. cwd: the folder in it where the command ran. notes: what is not as it was.
    """

    path: str
    cwd: str
    notes: tuple[str, ...]


class NoSuchCommit(ProvError):
    """The recorded commit cannot be had."""

    code = "no-such-commit"


def restore_code(record: Record, blobs: Blobs, repo: str | None, destination: str) -> Restored:
    """Write the code of ``record`` below ``destination``, which must not exist or be empty.

    blobs: content of what the record keeps beside its JSON ("code.patch"). repo: a local repository
    or project folder that is looked at first; it is never written to. Raises `ProvError`; nothing
    is left behind then.
    """
    code = code_facet.of(record)
    if code is None:
        raise NothingToCompare("run %s has no code in its record." % record.id)
    destination = os.path.abspath(destination)
    new = not os.path.lexists(destination)
    if not new and (not os.path.isdir(destination) or os.listdir(destination)):
        raise SystemRefused("%s is not empty: nothing was restored there." % destination)
    try:
        os.makedirs(destination, exist_ok=True)
        notes = _filled(code, blobs, repo, destination)
        cwd = _cwd(record, code, destination)
    except OSError as error:
        _clear(destination, new)
        text = "%s cannot be written: %s." % (error.filename or destination, error.strerror)
        raise SystemRefused(text) from error
    except BaseException:
        _clear(destination, new)
        raise
    return Restored(destination, cwd, (*notes, *_differing(code, destination)))


def restore_repository(
    one: Repository, blobs: Blobs, local: str | None, destination: str
) -> list[str]:
    """Write another repository that a run used below ``destination``, as it was; return notes.

    local: a folder in a clone of it, which is looked at first. Raises `ProvError`; nothing is left
    behind then.
    """
    source = _source(local)
    remotes = (("origin", one.url),) if one.url and not one.url.startswith(".") else ()
    os.makedirs(destination, exist_ok=True)
    try:
        tree = _gittree.Wanted(one.commit, one.branch, remotes, {})
        why = _gittree.make(destination, tree, source)
        if why is not None:
            where = "on its remote" if remotes else "here, and it has no remote"
            raise NoSuchCommit("commit %.12s is not %s (%s)." % (one.commit, where, why))
        notes = _changed(one.patch, one.commit, blobs, destination)
        notes += _gittree.check_out(destination, source)
        if one.untracked is not None:
            data = _blob(blobs, one.untracked.file, one.untracked.sha256)
            notes += _untar.extract(data, destination)
    except BaseException:
        shutil.rmtree(destination, ignore_errors=True)
        raise
    return notes


def _clear(destination: str, new: bool) -> None:
    shutil.rmtree(destination, ignore_errors=True)
    if not new:
        os.makedirs(destination, exist_ok=True)


def _filled(code: Code, blobs: Blobs, repo: str | None, destination: str) -> list[str]:
    notes = []
    if code.vcs == "git":
        source = _source(repo)
        notes += _from_git(code, blobs, source, repo, destination)
    else:
        notes.append("the run was not in a git repository: only its source and settings are here")
    for archive in (code.untracked, code.ignored):
        if archive is not None:
            if blobs(archive.file) is None:
                names = _few([str(path) for path in archive.files])
                notes.append("%s is not at hand: missing are %s" % (archive.file, names))
                continue
            data = _blob(blobs, archive.file, archive.sha256)
            notes += _untar.extract(data, destination)
            if archive.redacted:
                names = ", ".join(str(path) for path in archive.redacted[:3])
                notes.append("secrets are masked in %s" % names)
    changed = [o for o in code.left_out if not o.reason.startswith("deleted")]
    if changed:
        words = ["%s (%s)" % (o.path, o.reason) for o in changed]
        notes.append("not in the record: %s" % _few(words))
    return notes


def _source(repo: str | None) -> str | None:
    """Return the top of the local repository to take objects from, None where there is none."""
    if repo is None or not os.path.isdir(repo):
        return None
    answer = _gittree.git(repo, "rev-parse", "--show-toplevel")
    if answer.code != 0:
        if "dubious ownership" in answer.why:
            raise SystemRefused(
                "git refuses the repository at %s: another user owns it." % repo,
                "git config --global --add safe.directory %s" % repo,
            )
        return None
    return os.fsdecode(answer.out).rstrip("\n")


def _from_git(
    code: Code, blobs: Blobs, source: str | None, folder: str | None, destination: str
) -> list[str]:
    remotes = tuple((one.name, one.url) for one in code.remotes)
    wanted = _gittree.Wanted(code.commit, code.branch, remotes, code.settings)
    why = _gittree.make(destination, wanted, source)
    if why is not None:
        instead = _same_here(code, wanted, source, folder, destination)
        if instead:
            return [instead]
        where = "in %s" % source if source else "here (no git repository)"
        raise NoSuchCommit(
            "commit %.12s is neither %s nor on a remote (%s)." % (code.commit, where, why),
            "fetch it from whoever has it: git fetch REMOTE %s" % code.commit,
        )
    notes = _changed(code.patch, code.commit, blobs, destination)
    gone = [o.path.path for o in code.left_out if o.reason.startswith("deleted")]
    if gone:
        _gittree.remove(destination, [_below(path, code) for path in gone])
    notes += _gittree.check_out(destination, source)
    for one in code.submodules:
        notes += _submodule(one, code, blobs, source, destination)
    return notes


def _same_here(
    code: Code, wanted: _gittree.Wanted, source: str | None, folder: str | None, destination: str
) -> str:
    """Write what is here instead where the recorded commit is gone; return a note on it.

    A history that was squashed or left behind (a double-blind submission, an archive of files) has
    other commits with the same code, or none. Only where every source file that the run used has
    the recorded digest is it that code; "" where it is not.
    """
    if not any(one.path.root == REPO and one.digests for one in code.used):
        return ""
    head = _gittree.head(source) if source is not None else None
    if head is not None:
        _gittree.check_in(destination, wanted._replace(commit=head, branch=None))
        whole, taken = not _gittree.check_out(destination, source), "%.12s is" % head
    elif source is None and folder is not None:
        whole, taken = _copied(folder, destination), "the files of the folder are"
    else:
        return ""
    if not whole or _differing(code, destination):
        return ""
    text = "commit %.12s is not here; %s restored: the code that the run used is the same"
    return text % (code.commit, taken)


def _copied(folder: str, destination: str) -> bool:
    """Copy code and settings of a folder without git; return whether these were all."""
    paths, whole = _kept.walk(folder)
    for path in _kept.candidates(paths):
        here, there = os.path.join(folder, path), os.path.join(destination, path)
        if not _kept.is_kept(path) or _kept.is_secret_file(path):
            continue
        if os.path.islink(here) or not os.path.isfile(here):
            continue
        if os.path.getsize(here) <= _kept.LARGEST:
            os.makedirs(os.path.dirname(there), exist_ok=True)
            shutil.copyfile(here, there)
    return whole


def _changed(patch: Patch | None, commit: str | None, blobs: Blobs, tree: str) -> list[str]:
    """Bring the uncommitted changes into the index of ``tree``."""
    if patch is None:
        return []
    data = _blob(blobs, patch.file, patch.sha256)
    if not patch.applies:
        data = _unmasked(data, commit, tree)
    why = _gittree.apply(tree, data)
    if why is not None:
        raise BadRecord("the uncommitted changes (%s) do not apply: %s." % (patch.file, why))
    added = sum(1 for line in data.split(b"\n") if line.startswith(b"+") and b"<redacted>" in line)
    return ["secrets are masked in %d changed lines" % added] if added else []


def _unmasked(data: bytes, commit: str | None, tree: str) -> bytes:
    """Return the patch with the lines that must match the commit taken from it."""
    pieces = []
    for section in _patch.sections(data):
        filled = section
        if b"<redacted>" in section.text and not section.binary:
            found = _patch.filled(section, lambda path: _gittree.blob(tree, commit, path))
            filled = found if found is not None else section
        pieces.append(filled.text)
    return b"".join(pieces)


def _submodule(
    one: Submodule, code: Code, blobs: Blobs, source: str | None, destination: str
) -> list[str]:
    """Fill in one submodule; what cannot be is a note, as the run may not need it."""
    below = _below(one.path.path, code)
    if one.commit is None:
        return ["submodule %s was not checked out" % below]
    folder = os.path.normpath(os.path.join(destination, below))
    if not _untar.stays_inside(destination, below):
        return ["submodule %s leads out of the tree: left out" % below]
    local = os.path.join(source, below) if source else None
    if local is None or not os.path.exists(os.path.join(local, ".git")):
        local = None
    remotes = (("origin", one.url),) if one.url and not one.url.startswith(".") else ()
    os.makedirs(folder, exist_ok=True)
    why = _gittree.make(folder, _gittree.Wanted(one.commit, None, remotes, code.settings), local)
    if why is not None:
        shutil.rmtree(os.path.join(folder, ".git"), ignore_errors=True)
        return [
            "submodule %s is empty: commit %.12s is not to be had (%s)" % (below, one.commit, why)
        ]
    notes = _changed(one.patch, one.commit, blobs, folder)
    return notes + _gittree.check_out(folder, local)


def _below(path: str, code: Code) -> str:
    """Return ``path``, which is below the root "repo", below the top of the work tree."""
    return path if code.top.path == "." else posixpath.relpath(path, code.top.path)


def _blob(blobs: Blobs, name: str, sha256: str) -> bytes:
    data = blobs(name)
    if data is None:
        raise BadRecord(
            "%s, which holds uncommitted code of the run, is not at hand." % name,
            "ask the author for the whole record, not the lock alone",
        )
    if hashlib.sha256(data).hexdigest() != sha256:
        raise BadRecord("%s is not what was recorded: its digest differs." % name)
    return data


def _cwd(record: Record, code: Code, destination: str) -> str:
    if record.cwd.root != REPO or not _untar.stays_inside(destination, record.cwd.path):
        return destination
    cwd = os.path.normpath(os.path.join(destination, _below(record.cwd.path, code)))
    os.makedirs(cwd, exist_ok=True)
    return cwd


def _differing(code: Code, destination: str) -> list[str]:
    """Return a sentence where files that the run used are not what they were."""
    roots = Roots(destination, destination, destination)
    absent, other = [], []
    for one in code.used:
        path = roots.locate(_in_tree(one.path, code))
        if one.path.root not in (REPO, CWD) or path is None or SHA256 not in one.digests:
            continue
        if not os.path.isfile(path):
            absent.append(str(one.path))
        elif file_digests(path, (SHA256,))[SHA256] != one.digests[SHA256]:
            other.append(str(one.path))
    notes = []
    if absent:
        notes.append("used by the run, not restored: %s" % _few(absent))
    if other:
        notes.append("used by the run, restored with other content: %s" % _few(other))
    return notes


def _in_tree(ref: PathRef, code: Code) -> PathRef:
    return ref._replace(path=_below(ref.path, code)) if ref.root == REPO else ref


def _few(words: list[str]) -> str:
    return ", ".join(words[:5]) + (" and %d more" % (len(words) - 5) if len(words) > 5 else "")
