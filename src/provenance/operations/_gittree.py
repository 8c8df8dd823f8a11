"""Building a separate work tree from a commit, with git, touching nobody's repository.

The new repository borrows the objects of the user's (``objects/info/alternates``, which is what
``git clone --shared`` does) and leaves no trace there: no worktree entry, no ref, no reflog. Git
only renews the time of an object there that it would have written here. Hooks and content filters
are never run.
"""

from __future__ import annotations

import os
import re
import shutil
import subprocess
from collections.abc import Sequence
from typing import NamedTuple

from provenance.errors import SystemRefused

_QUIET = ("-c", "core.hooksPath=/dev/null", "-c", "core.fsmonitor=false", "-c", "gc.auto=0",
          "-c", "advice.detachedHead=false", "-c", "color.ui=false")  # fmt: skip
_PROTOCOLS = "file:git:http:https:ssh"
"""Ways to fetch that cannot be made to run a program of the address's choice (``ext::`` can)."""
_KEPT = ("GIT_CONFIG", "GIT_SSH", "GIT_SSL")
_COMMIT = re.compile(r"^[0-9a-f]{40}(?:[0-9a-f]{24})?$")
_REMOTE = re.compile(r"^[A-Za-z0-9_][\w.\-]*$")
_PLAIN_NAME = re.compile(r"^[\w-]+$", re.ASCII)
_POINTER = re.compile(rb"^version https://git-lfs[^\n]*\n(?:[^\n]*\n)*?oid sha256:([0-9a-f]{64})\n")
_FETCH_S = 900.0


class Answer(NamedTuple):
    """What git said; ``why`` is the first line of its complaint."""

    code: int
    out: bytes
    why: str


class Wanted(NamedTuple):
    """What a tree is to be: see `provenance.facets.code.Code` for the members."""

    commit: str | None
    branch: str | None
    remotes: tuple[tuple[str, str], ...]
    settings: dict[str, str]


def git(folder: str, *words: str, feed: bytes | None = None, timeout: float = 300.0) -> Answer:
    """Run git in ``folder`` and return its answer. Raises `SystemRefused` where there is no git."""
    env = {name: value for name, value in os.environ.items() if not name.startswith("GIT_")}
    kept = {n: v for n, v in os.environ.items() if n.startswith(_KEPT)}
    env.update(kept, GIT_TERMINAL_PROMPT="0", GIT_OPTIONAL_LOCKS="0", LC_ALL="C",
               GIT_ALLOW_PROTOCOL=_PROTOCOLS, GIT_LFS_SKIP_SMUDGE="1")  # fmt: skip
    try:
        done = subprocess.run(
            ["git", "-C", folder, *_QUIET, *words],
            env=env,
            input=feed if feed is not None else b"",
            capture_output=True,
            check=False,
            timeout=timeout,
        )
    except FileNotFoundError as error:
        raise SystemRefused("git is not installed, and the code cannot be restored.") from error
    except subprocess.TimeoutExpired:
        return Answer(124, b"", "git did not answer within %d s" % timeout)
    lines = done.stderr.decode("utf-8", "replace").strip().splitlines()
    return Answer(done.returncode, done.stdout, lines[0] if lines else "")


def make(folder: str, wanted: Wanted, source: str | None) -> str | None:
    """Make an empty work tree in ``folder`` whose index is ``wanted.commit``.

    source: a local repository that may have the commit. Returns None, or why there is no such
    commit to be had.
    """
    long = wanted.commit is not None and len(wanted.commit) == 64
    form = ("--object-format=sha256",) if long else ()
    made = git(os.path.dirname(folder), "init", "-q", "--template=", *form, folder)
    if made.code != 0:
        raise SystemRefused("git cannot make a repository in %s: %s." % (folder, made.why))
    for name, value in {"core.autocrlf": "false", **wanted.settings}.items():
        git(folder, "config", name, value)
    if source is not None:
        _borrow(folder, source)
    for name, url in wanted.remotes:
        if _REMOTE.match(name) and not url.startswith("-"):
            git(folder, "remote", "add", name, _absolute(url, source))
    if wanted.commit is None:
        _on_branch(folder, wanted.branch)
        return None
    if not _COMMIT.match(wanted.commit):
        return "%r is no commit" % wanted.commit
    why = _find(folder, wanted)
    if why is None:
        if source is not None:
            _copy_refs(folder, source)
        check_in(folder, wanted)
    return why


def _borrow(folder: str, source: str) -> None:
    """Let the repository in ``folder`` read the objects of ``source``."""
    answer = git(source, "rev-parse", "--git-path", "objects", "--git-common-dir")
    if answer.code != 0:
        return
    objects, common = (os.path.join(source, os.fsdecode(p)) for p in answer.out.splitlines()[:2])
    inside = os.path.join(folder, ".git")
    os.makedirs(os.path.join(inside, "objects", "info"), exist_ok=True)
    with open(os.path.join(inside, "objects", "info", "alternates"), "wb") as stream:
        stream.write(os.fsencode(os.path.abspath(objects)) + b"\n")
    shallow = os.path.join(common, "shallow")
    if os.path.exists(shallow):
        shutil.copyfile(shallow, os.path.join(inside, "shallow"))


def _absolute(url: str, source: str | None) -> str:
    """Return a remote's address; one that is relative to the user's repository made absolute."""
    if source is not None and url.startswith(("./", "../")):
        return os.path.normpath(os.path.join(source, url))
    return url


def has_commit(folder: str, commit: str) -> bool:
    """Return whether the repository at ``folder`` can read ``commit``."""
    return git(folder, "cat-file", "-e", commit + "^{commit}").code == 0


def _find(folder: str, wanted: Wanted) -> str | None:
    """Fetch the commit from the remotes where it is not here; return why it cannot be had."""
    assert wanted.commit is not None
    if has_commit(folder, wanted.commit):
        return None
    reasons = []
    for name, url in sorted(wanted.remotes, key=lambda remote: remote[0] != "origin"):
        answer = git(folder, "fetch", "-q", "--no-tags", name, timeout=_FETCH_S)
        if answer.code == 0 and not has_commit(folder, wanted.commit):
            # not in a branch: a server may still give it by name
            git(folder, "fetch", "-q", "--no-tags", name, wanted.commit, timeout=_FETCH_S)
        if has_commit(folder, wanted.commit):
            git(folder, "fetch", "-q", "--tags", name, timeout=_FETCH_S)
            return None
        reasons.append("not in %s" % url if answer.code == 0 else "%s: %s" % (url, answer.why))
    return "; ".join(reasons) or "the record names no remote"


def _copy_refs(folder: str, source: str) -> None:
    """Give the new repository the tags and remote branches of the old: versions come from them."""
    listed = git(source, "for-each-ref", "--format=create %(refname) %(objectname)",
                 "refs/tags", "refs/remotes")  # fmt: skip
    kept = [row for row in listed.out.splitlines() if not row.split()[1].endswith(b"/HEAD")]
    if kept:
        git(folder, "update-ref", "--stdin", feed=b"\n".join(kept) + b"\n")


def _on_branch(folder: str, branch: str | None) -> bool:
    if branch is None or git(folder, "check-ref-format", "--branch", branch).code != 0:
        return False
    return git(folder, "symbolic-ref", "HEAD", "refs/heads/" + branch).code == 0


def head(folder: str) -> str | None:
    """Return the commit that the repository at ``folder`` is at, None where it has none."""
    answer = git(folder, "rev-parse", "-q", "--verify", "HEAD^{commit}")
    return answer.out.decode("ascii", "replace").strip() if answer.code == 0 else None


def check_in(folder: str, wanted: Wanted) -> None:
    """Put the repository in ``folder`` on ``wanted.commit``, and its files into the index."""
    assert wanted.commit is not None
    on_branch = _on_branch(folder, wanted.branch)
    words = () if on_branch else ("--no-deref",)
    git(folder, "update-ref", "-m", "prov restore", *words, "HEAD", wanted.commit)
    answer = git(folder, "read-tree", wanted.commit)
    if answer.code != 0:
        raise SystemRefused("commit %s is damaged: %s." % (wanted.commit, answer.why))


def apply(folder: str, patch: bytes) -> str | None:
    """Apply ``patch`` to the index of ``folder``; return why it could not be."""
    words = ("--cached", "--binary", "--whitespace=nowarn", "-")
    answer = git(folder, "apply", *words, feed=patch)
    return None if answer.code == 0 else answer.why


def remove(folder: str, paths: Sequence[str]) -> None:
    """Take ``paths`` out of the index of ``folder``."""
    feed = b"".join(os.fsencode(path) + b"\0" for path in paths)
    git(folder, "update-index", "--force-remove", "-z", "--stdin", feed=feed)


def blob(folder: str, commit: str | None, path: bytes) -> bytes | None:
    """Return what ``path`` is in ``commit``, None where it is not there."""
    answer = git(folder, "cat-file", "blob", "%s:%s" % (commit, os.fsdecode(path)))
    return answer.out if answer.code == 0 else None


def check_out(folder: str, source: str | None) -> list[str]:
    """Write the files of the index into ``folder``; return what could not be written as it was."""
    names = _filters(folder)
    off: list[str] = []
    for name in names:
        for key, value in (("smudge", ""), ("clean", ""), ("process", ""), ("required", "false")):
            off += ["-c", "filter.%s.%s=%s" % (name, key, value)]
    answer = git(folder, *off, "checkout-index", "--all", "--force", "--index", "--quiet")
    notes = [] if answer.code == 0 else ["not all files could be written: %s" % answer.why]
    for name in filter(_PLAIN_NAME.match, names):
        found = git(folder, "ls-files", "-z", "--", ":(top,attr:filter=%s)" % name)
        paths = [os.fsdecode(path) for path in found.out.split(b"\0") if path]
        if paths and name == "lfs":
            notes += _lfs(folder, source, paths)
        elif paths:
            text = "%d files pass a filter (%s) in git, which was not run: %s first"
            notes.append(text % (len(paths), name, paths[0]))
    return notes


def _filters(folder: str) -> list[str]:
    """Return the names of the content filters that git would run here."""
    listed = git(folder, "config", "--name-only", "--get-regexp", r"^filter\.")
    rows = (os.fsdecode(row) for row in listed.out.splitlines())
    names = {row[len("filter.") :].rpartition(".")[0] for row in rows}
    return sorted(names | {"lfs"})


def _lfs(folder: str, source: str | None, paths: list[str]) -> list[str]:
    """Put the contents of LFS files, where the user's clone has them, in their pointers' place."""
    store = None
    if source is not None:
        common = git(source, "rev-parse", "--git-common-dir")
        store = os.path.join(source, os.fsdecode(common.out).strip(), "lfs", "objects")
    missing = []
    for path in paths:
        full = os.path.join(folder, path)
        if os.path.islink(full) or not os.path.isfile(full) or os.path.getsize(full) > 1024:
            continue
        with open(full, "rb") as stream:
            pointer = _POINTER.match(stream.read())
        if pointer is None:
            continue
        name = pointer.group(1).decode("ascii")
        content = os.path.join(store, name[:2], name[2:4], name) if store else ""
        if os.path.isfile(content):
            mode = os.stat(full).st_mode
            os.unlink(full)
            shutil.copyfile(content, full)
            os.chmod(full, mode)
        else:
            missing.append(path)
    if not missing:
        return []
    text = "%d files of Git LFS are not here (%s first): run `git lfs pull`"
    return [text % (len(missing), missing[0])]
