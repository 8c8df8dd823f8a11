"""Other git repositories whose code a run used: editable installs, folders put on the path."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Dict, List, Optional, Set, Tuple

from provenance.core import filekinds
from provenance.core.context import Context
from provenance.core.paths import is_inside
from provenance.core.redact import without_credentials
from provenance.facets._code import Code, Repository
from provenance.facets._git import UNCHANGED, Git, Status

if TYPE_CHECKING:
    from provenance.facets._snapshot import Out

_MOST_REPOSITORIES = 20


def found(
    code: Code, context: Context, git: Git, top: Optional[str], notes: List[str]
) -> Tuple[Repository, ...]:
    """Return the other repositories that modules came from or could have come from."""
    own = {top} | {context.roots.locate(one.path) for one in code.submodules}
    used = [context.roots.locate(one.path) or "" for one in code.used]
    inner = git.elsewhere()
    result: List[Repository] = []
    for folder in sorted(_other_tops(context, used) - own)[:_MOST_REPOSITORIES]:
        status, _ = inner.status(folder)
        if status is None:
            continue
        answer = inner(folder, "config", "--get", "remote.origin.url")
        url = os.fsdecode(answer.out).strip()
        one = Repository(
            context.roots.refer(folder),
            status.commit,
            status.branch,
            any(e.status != UNCHANGED * 2 for e in status.entries),
            context.redact.text(without_credentials(url)),
        )
        if context.run_dir is not None and any(is_inside(path, folder) for path in used):
            one = _with_changes(one, context, inner, folder, status, len(result) + 1, notes)
        result.append(one)
    return tuple(result)


def _with_changes(
    one: Repository,
    context: Context,
    git: Git,
    folder: str,
    status: Status,
    number: int,
    notes: List[str],
) -> Repository:
    """Keep what git alone would not give back of a repository that the run used."""
    from provenance.facets import _snapshot

    assert context.run_dir is not None
    out: List[Out] = []
    if status.entries:
        name = "repository-%d.patch" % number
        taken = _snapshot.uncommitted(git, folder, status, context.redact, context.run_dir, name)
        one = one._replace(patch=taken.patch)
        out.extend(taken.out)
        notes.extend("%s: %s" % (folder, note) for note in taken.notes)
    packer = _snapshot.Packer(context.redact)
    packer.add(folder, status.untracked)
    untracked = _snapshot.archived(packer, context, folder, "repository-%d.tar.gz" % number)
    lost = (out + packer.out)[:3]
    notes.extend("not kept: %s of %s (%s)" % (each.path, folder, each.reason) for each in lost)
    return one._replace(untracked=untracked, dirty=one.dirty or untracked is not None)


def _other_tops(context: Context, used: List[str]) -> Set[str]:
    environments = filekinds.environment_folders(context.interpreters)
    folders: Set[str] = set()
    for one in context.interpreters:
        folders.update(path for path in one.sys_path if os.path.isdir(path))
        folders.update(os.path.dirname(path) for path in one.modules.values() if path)
    folders.update(os.path.dirname(path) for path in used if path)
    tops: Dict[str, Optional[str]] = {}
    for folder in folders:
        if os.path.isabs(folder) and not filekinds.is_ignored(folder, environments):
            _climb(os.path.normpath(folder), tops)
    return {top for top in tops.values() if top is not None}


def _climb(folder: str, tops: Dict[str, Optional[str]]) -> Optional[str]:
    """Return the top of the repository that holds ``folder``, remembering it in ``tops``."""
    if folder not in tops:
        parent = os.path.dirname(folder)
        if os.path.lexists(os.path.join(folder, ".git")):
            tops[folder] = folder
        else:
            tops[folder] = None if parent == folder else _climb(parent, tops)
    return tops[folder]
