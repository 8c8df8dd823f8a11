"""Which line of a source file changed since a run: what the file was, and the first edit."""

from __future__ import annotations

import io
import os
import posixpath
import tempfile
import tokenize
from collections.abc import Mapping

from provenance.core.digest import bytes_digest
from provenance.core.paths import CWD, REPO, PathRef, Roots
from provenance.errors import ProvError
from provenance.facets import code as code_facet
from provenance.facets._git import Git
from provenance.operations import _gittree, restore
from provenance.operations.references import Reference

_SHOWN = 60
_QUIET = frozenset((tokenize.COMMENT, tokenize.NL, tokenize.NEWLINE, tokenize.ENDMARKER))
_LAYOUT = {tokenize.INDENT: "indent", tokenize.DEDENT: "dedent"}
"""What counts of these is that they are there, not how many spaces they have."""
_BEFORE_DOCSTRING = frozenset((tokenize.NEWLINE, tokenize.INDENT, tokenize.DEDENT, -1))


def old_text(
    path: PathRef, sha256: str, reference: Reference, roots: Roots, environ: Mapping[str, str]
) -> str | None:
    """Return what a source file was where that can be had, to the byte, without asking a network.

    From git, else from the record with its uncommitted changes restored to a folder for a moment.
    """
    code = code_facet.of(reference.record)
    if code is None or path.root not in (REPO, CWD):
        return None
    below = path.path
    if path.root == REPO and code.top.path != ".":
        below = posixpath.relpath(path.path, code.top.path)
    data = _committed(code, below, roots, environ)
    if data is None or bytes_digest(data) != sha256:
        data = _restored(reference, code, below, roots)
    if data is None or bytes_digest(data) != sha256:
        return None
    try:
        return data.decode("utf-8")
    except UnicodeDecodeError:
        return None


def _committed(
    code: code_facet.Code, below: str, roots: Roots, environ: Mapping[str, str]
) -> bytes | None:
    """Return a file of the recorded commit, else of today's: another history may hold the same."""
    if not roots.repo or code.commit is None:
        return None
    git = Git(environ, roots.cwd if os.path.isdir(roots.cwd) else roots.repo)
    for commit in (code.commit, "HEAD"):
        answer = git(roots.repo, "show", "%s:%s" % (commit, below))
        if answer.code == 0:
            return answer.out
    return None


def _restored(
    reference: Reference, code: code_facet.Code, below: str, roots: Roots
) -> bytes | None:
    """Return a file of the code with its uncommitted changes; None where the commit is not here."""
    if code.patch is None and code.untracked is None:
        return None
    repo = roots.repo or roots.cwd
    try:
        if code.commit is not None and not _gittree.has_commit(repo, code.commit):
            return None
        with tempfile.TemporaryDirectory(prefix="prov-claims-") as folder:
            tree = os.path.join(folder, "tree")
            restored = restore.restore_code(reference.record, reference.blob, repo, tree)
            with open(os.path.join(restored.path, below), "rb") as stream:
                return stream.read()
    except (ProvError, OSError):
        return None


def first_edit(old: str, new: str) -> tuple[int, str] | None:
    """Return the line of ``new`` where the code first differs, and the old and new line.

    Comments, docstrings and layout do not count where both are Python; else lines are compared.
    """
    was, now = _tokens(old), _tokens(new)
    if was is None or now is None:
        was = [(number, line.strip()) for number, line in enumerate(old.split("\n"), 1)]
        now = [(number, line.strip()) for number, line in enumerate(new.split("\n"), 1)]
    at = next(
        (n for n, (a, b) in enumerate(zip(was, now, strict=False)) if a[1] != b[1]),
        min(len(was), len(now)),
    )
    if at == len(was) == len(now):
        return None
    before = _line(old, was[at][0] if at < len(was) else 0)
    line = now[at][0] if at < len(now) else max(1, new.rstrip("\n").count("\n") + 1)
    after = _line(new, line) if at < len(now) else "nothing"
    return line, "%s -> %s" % (before, after)


def _line(text: str, number: int) -> str:
    if not number:
        return "nothing"
    line = text.split("\n")[number - 1].strip()
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
            found.append((one.start[0], _LAYOUT.get(one.type, one.string)))
        if one.type not in (tokenize.COMMENT, tokenize.NL):
            before = one.type
    return found
