"""Whether the code or data of a run changed since it gave its numbers, and at which line.

The comparison is that of ``prov verify``: by the files that the run used; comments do not count.
"""

from __future__ import annotations

import io
import os
import posixpath
import time
import tokenize
from collections.abc import Mapping
from typing import NamedTuple

from provenance import facets
from provenance.core import context
from provenance.core.context import Context
from provenance.core.difference import BROKEN, Difference
from provenance.core.digest import SHA256, bytes_digest
from provenance.core.paths import CWD, REPO, PathRef, Roots
from provenance.core.record import Record
from provenance.core.redact import Redactor
from provenance.facets import code as code_facet
from provenance.facets._git import Git
from provenance.operations import facts
from provenance.operations._claims_locked import STALE_BY
from provenance.operations.recorder import CACHE
from provenance.operations.references import Reference
from provenance.store.digestcache import DigestCache
from provenance.store.project import Project

_SHOWN = 60
_QUIET = frozenset(
    (tokenize.COMMENT, tokenize.NL, tokenize.NEWLINE, tokenize.INDENT, tokenize.DEDENT)
)
_BEFORE_DOCSTRING = frozenset((tokenize.NEWLINE, tokenize.INDENT, tokenize.DEDENT, -1))


class Changed(NamedTuple):
    """What changed since a run. where: "train.py:12" or a file. text: how, in a clause."""

    where: str
    text: str
    facet: str

    def __str__(self) -> str:
        """Return it in words: "train.py:12 changed since the run: lr=0.1 -> lr=0.2"."""
        return "%s %s" % (self.where, self.text)


class Looked(NamedTuple):
    """What looking gave. left: what could not be compared, with the reason."""

    changed: tuple[Changed, ...] = ()
    left: tuple[str, ...] = ()


def look(reference: Reference, place: Project, environ: Mapping[str, str]) -> Looked:
    """Compare the files that the run used with those that are here now. Never raises for them."""
    run = reference.record
    roots = place.roots(place.root)
    cwd = roots.locate(run.cwd)
    roots = roots._replace(cwd=cwd) if cwd else roots
    cache = DigestCache(os.path.join(place.folder, CACHE))
    today = Context(
        phase=context.PRESENT,
        roots=roots,
        command=run.command,
        environ=environ,
        redact=Redactor.from_environment(environ),
        digest=cache.digest,
        started=time.time(),
        reference=run,
    )
    here = {name: facets.load(name).capture(today) for name in STALE_BY if name in run.facets}
    was = {name: answer for name, answer in run.facets.items() if name in here}
    compared = facts.compare(run._replace(facets=was), run._replace(facets=here))
    if os.path.isdir(place.folder):
        cache.save()
    grave = [one for one in compared.differences if one.effect == BROKEN]
    changed = tuple(_told(one, reference, roots, environ) for one in grave)
    left = tuple("%s: %s" % (one.what, one.reason) for one in compared.not_compared)
    return Looked(changed, left)


def _told(
    one: Difference, reference: Reference, roots: Roots, environ: Mapping[str, str]
) -> Changed:
    if one.facet != code_facet.NAME:
        return Changed(one.name, "has other content than the run read", one.facet)
    if one.kind == "missing":
        return Changed(one.name, "is not here any more", one.facet)
    edit = _edit(one, reference, roots, environ)
    if edit is None:
        return Changed(one.name, "changed since the run", one.facet)
    line, text = edit
    return Changed("%s:%d" % (one.name, line), "changed since the run: %s" % text, one.facet)


def _edit(
    one: Difference, reference: Reference, roots: Roots, environ: Mapping[str, str]
) -> tuple[int, str] | None:
    """Return line and words of the first edit that counts, None where the old text is gone."""
    used = next((u for u in _used(reference.record) if str(u.path) == one.name), None)
    path = roots.locate(used.path) if used is not None else None
    if used is None or path is None:
        return None
    old = _old(used.path, used.digests.get(SHA256, ""), reference, roots, environ)
    try:
        with open(path, "rb") as stream:
            new = stream.read().decode("utf-8")
    except (OSError, UnicodeDecodeError):
        return None
    return None if old is None else first_edit(old, new)


def _used(run: Record) -> tuple[code_facet.UsedFile, ...]:
    code = code_facet.of(run)
    return code.used if code is not None else ()


def _old(
    path: PathRef, sha256: str, reference: Reference, roots: Roots, environ: Mapping[str, str]
) -> str | None:
    """Return what a source file was, from git, where that is to the byte what the run used."""
    code = code_facet.of(reference.record)
    if code is None or code.commit is None or path.root not in (REPO, CWD) or not roots.repo:
        return None
    below = path.path
    if path.root == REPO and code.top.path != ".":
        below = posixpath.relpath(path.path, code.top.path)
    git = Git(environ, roots.cwd if os.path.isdir(roots.cwd) else roots.repo)
    for commit in (code.commit, "HEAD"):  # another history may hold the same code
        answer = git(roots.repo, "show", "%s:%s" % (commit, below))
        if answer.code == 0 and bytes_digest(answer.out) == sha256:
            try:
                return answer.out.decode("utf-8")
            except UnicodeDecodeError:
                return None
    return None


def first_edit(old: str, new: str) -> tuple[int, str] | None:
    """Return the line of ``new`` where the code first differs, and the old and new line.

    Comments, docstrings and layout do not count where both are Python; else lines are compared.
    """
    was, now = _tokens(old), _tokens(new)
    if was is None or now is None:
        was = [(number, line.strip()) for number, line in enumerate(old.splitlines(), 1)]
        now = [(number, line.strip()) for number, line in enumerate(new.splitlines(), 1)]
    at = next(
        (n for n, (a, b) in enumerate(zip(was, now, strict=False)) if a[1] != b[1]),
        min(len(was), len(now)),
    )
    if at == len(was) == len(now):
        return None
    before = _line(old, was[at][0] if at < len(was) else 0)
    line = now[at][0] if at < len(now) else max(1, len(new.splitlines()))
    after = _line(new, line) if at < len(now) else "nothing"
    return line, "%s -> %s" % (before, after)


def _line(text: str, number: int) -> str:
    if not number:
        return "nothing"
    line = text.splitlines()[number - 1].strip()
    return line if len(line) <= _SHOWN else line[: _SHOWN - 3] + "..."


def _tokens(text: str) -> list[tuple[int, str]] | None:
    """Return line and text of the tokens that mean something, None where it is no Python."""
    found: list[tuple[int, str]] = []
    before = -1
    try:
        every = list(tokenize.generate_tokens(io.StringIO(text).readline))
    except (tokenize.TokenError, SyntaxError, ValueError):
        return None
    for one, after in zip(every, [*every[1:], None], strict=True):
        alone = after is None or after.type in (tokenize.NEWLINE, tokenize.ENDMARKER)
        docstring = one.type == tokenize.STRING and before in _BEFORE_DOCSTRING and alone
        if one.type not in _QUIET and not docstring:
            found.append((one.start[0], one.string))
        if one.type not in (tokenize.COMMENT, tokenize.NL):
            before = one.type
    return found
