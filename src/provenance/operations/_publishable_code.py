"""Objections to the code of a run: whether a reader can have the files that it used."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Iterator
from typing import Any

from provenance.core import sourcedigest
from provenance.core.paths import PathRef
from provenance.operations._publishable import (
    ADVICE,
    BLOCKS,
    NOTE,
    Case,
    Objection,
    Repository,
    few,
)
from provenance.store import lockfile

_PUSH = "git push"
_TOKENS = ("python-tokens-1", "notebook-code-1")
"""Digests that comments, layout and outputs of cells do not change."""


def of_run(case: Case) -> Iterator[Objection]:
    """Yield what keeps a reader from having the code that the run used."""
    for subject in case.run.payloads("code"):
        code = subject.payload
        if case.repository.has_git and code.get("vcs") == "git":
            yield from _commit(case.repository, code)
        yield from _used(case, code)
        yield from _masked(code)
        yield from _submodules(code)
        yield from _repositories(code)


def of_repository(repository: Repository) -> Iterator[Objection]:
    """Yield what is wrong with the repository as a whole."""
    if not repository.has_git:
        text = "there is no git repository here"
        fix = "git init, and publish the code together with the lock"
        yield Objection("no-git", ADVICE, text, (), fix)
        return
    if not repository.remotes:
        fix = "git remote add origin URL; git push"
        yield Objection("no-remote", BLOCKS, "the repository has no remote", (), fix)
    elif all(is_here(url) for url in repository.remotes.values()):
        text = "the only remote is a folder of this machine"
        yield Objection("no-remote", ADVICE, text, (), "git remote add public URL; git push public")
    elif not (repository.ask("branch", "-r", "--contains", "HEAD") or "").strip():
        text = "the newest commit is on no remote"
        yield Objection("head-not-pushed", ADVICE, text, (), _PUSH)


def of_lock(repository: Repository, path: str) -> Iterator[Objection]:
    """Yield what keeps the lock at ``path`` from being published, where it is to be."""
    name = os.path.relpath(path, repository.top).replace(os.sep, "/")
    if not repository.has_git or name.startswith("../"):
        return
    if repository.ignored(name):
        fix = "add `!%s` to .gitignore" % os.path.basename(name)
        yield Objection("lock-ignored", BLOCKS, "git ignores %s" % name, (), fix)
    elif not os.path.exists(path):
        fix = "prov lock RUN; git add %s" % name
        text = "there is no %s: nobody else has the record" % name
        yield Objection("no-lock", ADVICE, text, (), fix)
    elif name not in repository.tracked:
        yield Objection(
            "lock-not-committed", BLOCKS, "%s is not in git" % name, (), "git add %s" % name
        )
    elif repository.ask("diff", "--quiet", "HEAD", "--", name) is None:
        text = "%s differs from the one that is committed" % name
        fix = "git add %s; git commit" % name
        yield Objection("lock-not-committed", BLOCKS, text, (), fix)


def of_records(case: Case) -> Iterator[Objection]:
    """Yield where the lock does not hold the run that is to be published."""
    path = os.path.join(case.repository.top, lockfile.FILE)
    if case.reference.kind == "lock" or not os.path.isfile(path):
        return
    try:
        held = {run.id for run in lockfile.read(path).runs}
    except Exception:  # noqa: BLE001 - a damaged lock is told by whoever reads it
        held = set()
    if case.run.id not in held:
        text = "%s does not hold this run" % lockfile.FILE
        fix = "prov lock %s" % (case.run.name or case.run.id)
        yield Objection("not-in-lock", ADVICE, text, (), fix)


def is_here(url: str) -> bool:
    """Return whether the address of a remote is a folder of this machine."""
    return url.startswith(("/", ".", "~", "file:")) or (len(url) > 2 and url[1:3] == ":\\")


def _commit(repository: Repository, code: dict[str, Any]) -> Iterator[Objection]:
    commit = code.get("commit")
    if not commit:
        fix = "git add .; git commit; run it again"
        yield Objection("no-commit", BLOCKS, "the run was made before the first commit", (), fix)
        return
    if not repository.remotes:
        return  # told of the repository
    holders = repository.ask("branch", "-r", "--contains", commit)
    if holders is not None and holders.strip():
        return
    if holders is None and (code.get("pushed") or repository.shallow):
        return  # it was pushed then, or cannot be looked up here
    text = "commit %.12s is on no remote" % commit
    if holders is None:
        text += ", and not in this clone either"
    yield Objection("commit-not-pushed", BLOCKS, text, (), _PUSH)


def _used(case: Case, code: dict[str, Any]) -> Iterator[Objection]:
    """Yield used files that the newest commit does not hold as the run had them."""
    ignored: list[str] = []
    untracked: list[str] = []
    changed: list[str] = []
    edited: list[str] = []
    held = case.repository.at_head(
        case.below(PathRef.from_json(entry["path"])) or "" for entry in code.get("used", [])
    )
    then = {str(one["path"].get("path")) for one in code.get("changed", [])}
    for entry in code.get("used", []):
        path = case.below(PathRef.from_json(entry["path"]))
        if path is None or not case.repository.has_git:
            continue
        if path not in case.repository.tracked:
            (ignored if case.repository.ignored(path) else untracked).append(path)
        elif not _is(held.get(path), path, entry):
            (changed if path in then else edited).append(path)
    if ignored:
        fix = "take %s out of .gitignore; git add them" % few(ignored)
        text = "git ignores code that the run used"
        yield Objection("code-ignored", BLOCKS, text, tuple(ignored), fix)
    if untracked:
        text = "git does not hold code that the run used"
        yield Objection(
            "code-untracked", BLOCKS, text, tuple(untracked), "git add %s" % " ".join(untracked[:9])
        )
    if changed:
        text = "the run used uncommitted changes that no commit holds"
        yield Objection(
            "code-uncommitted", BLOCKS, text, tuple(changed), "git commit them; run it again"
        )
    if edited:
        text = "code that the run used has changed since"
        fix = "run it again and lock that run, or restore the files"
        yield Objection("code-changed", BLOCKS, text, tuple(edited), fix)


def _is(data: bytes | None, path: str, entry: dict[str, Any]) -> bool:
    """Return whether ``data`` is what the run used, comments and layout apart."""
    if data is None:
        return False
    known = entry.get("digests") or {}
    if not known or known.get("sha256") == hashlib.sha256(data).hexdigest():
        return True
    now = sourcedigest.digests(path, data)
    return any(name in known and now.get(name) == known[name] for name in _TOKENS)


def _masked(code: dict[str, Any]) -> Iterator[Objection]:
    """Yield uncommitted code in which prov masked a secret."""
    masked = [
        path.get("path") if isinstance(path, dict) else path
        for part in ("untracked", "ignored")
        for path in (code.get(part) or {}).get("redacted", [])
    ]
    if masked:
        text = "uncommitted code of the run holds a secret"
        fix = "read it from an environment variable; renew the secret"
        yield Objection("secret", BLOCKS, text, tuple(map(str, masked)), fix)


def _submodules(code: dict[str, Any]) -> Iterator[Objection]:
    for one in code.get("submodules", []):
        path = str(one.get("path", {}).get("path"))
        if one.get("dirty"):
            text = "submodule %s had uncommitted changes" % path
            yield Objection("code-uncommitted", BLOCKS, text, (), "commit and push them there")
        elif one.get("commit") != one.get("recorded"):
            text = "submodule %s was at another commit than the repository asks for" % path
            yield Objection("submodule", BLOCKS, text, (), "git add %s; git commit" % path)
        if one.get("url") and is_here(str(one["url"])) and not str(one["url"]).startswith("."):
            text = "submodule %s comes from a folder of this machine" % path
            yield Objection("submodule", BLOCKS, text, (), "give it a public address")


def _repositories(code: dict[str, Any]) -> Iterator[Objection]:
    """Yield other repositories whose code the run used."""
    used = [str(PathRef.from_json(one["path"])) for one in code.get("used", [])]
    for one in code.get("repositories", []):
        path = str(PathRef.from_json(one["path"]))
        if not any(name.startswith(path + "/") for name in used):
            continue  # it was only on the import path
        url = str(one.get("url") or "")
        if one.get("patch") or one.get("untracked"):
            text = "the run used uncommitted code of another repository, %s" % path
            yield Objection("code-uncommitted", BLOCKS, text, (), "commit and push it there")
        if not url or is_here(url):
            text = "the run used code of %s, which has no public address" % path
            fix = "publish it, or copy what is needed into this repository"
            yield Objection("code-elsewhere", BLOCKS, text, (), fix)
        else:
            text = "the run used code of %s at commit %.12s" % (url, one.get("commit"))
            yield Objection("code-elsewhere", NOTE, text, (), "say so in the README")
