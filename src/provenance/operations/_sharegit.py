"""Records on a git remote, by the git program alone, without touching anybody's repository.

All git does here it does in a bare repository of our own below ``.prov/shared`` that is thrown away
afterwards: the user's branches, index, work tree, refs, hooks and settings are only read (for the
address of the remote and for how it is reached). Nothing that could be damaged stays behind.
"""

from __future__ import annotations

import hashlib
import os
import re
import shutil
import subprocess
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import NamedTuple

from provenance.core import runid
from provenance.core.urls import public
from provenance.errors import SystemRefused, UsageError
from provenance.store import files
from provenance.store.project import Project

REFS = "refs/prov/runs/"
BRANCHES = "refs/heads/prov/"
"""Where a record goes on a server that takes nothing but branches, if its user asks for that."""
FOLDER = "shared"
NAME = "team"
"""What the remote is called in our own repository."""
_KEPT = ("GIT_CONFIG", "GIT_SSH", "GIT_SSL", "GIT_ASKPASS", "GIT_PROXY", "GIT_HTTP", "GIT_CURL",
         "GIT_AUTHOR_", "GIT_COMMITTER_", "GIT_ALLOW_PROTOCOL", "GIT_TERMINAL_PROMPT")  # fmt: skip
_REACHING = r"^(https?|credential|ssh|url|protocol)\.|^core\.(sshcommand|gitproxy|askpass)$"
"""Settings of the user's repository that say how a remote is reached."""
_PROTOCOLS = "file:git:http:https:ssh"
"""Ways that cannot be made to run a program of the address's choice (``ext::`` can)."""
_LONGEST_S = 900.0
_STALE_S = 86400.0
_AGAIN = re.compile(
    "fetch first|non-fast-forward|stale|lock|failed to update ref|already exists|old value|expected"
)
"""Words of a refusal that comes from somebody else writing the same ref at the same moment."""


class Remote(NamedTuple):
    """A git remote. name: as the user calls it, without password. fetch, push: its addresses.

    settings: how it is reached, from the user's repository. form: "sha1" or "sha256". cwd: what a
    relative address is relative to. home: the folder below ``.prov`` for what is kept about it.
    """

    name: str
    fetch: str
    push: str
    settings: tuple[tuple[str, str], ...]
    form: str
    cwd: str
    home: str

    @property
    def shown(self) -> str:
        """The address without user names and passwords."""
        return public(self.fetch)

    @property
    def kept(self) -> str:
        """The file in which the last listing of this remote is kept."""
        key = hashlib.sha256(self.shown.encode("utf-8", "surrogateescape")).hexdigest()[:12]
        return os.path.join(self.home, key + ".json")


class Answer(NamedTuple):
    """What git said. code: exit status, 124 where it did not end in time. err: its complaints."""

    code: int
    out: bytes
    err: str

    @property
    def why(self) -> str:
        """The line of its complaints that says most, without a full stop."""
        lines = [line.strip() for line in self.err.splitlines() if line.strip()]
        telling = [line for line in lines if line.startswith(("fatal:", "ERROR", "remote: error"))]
        found = (telling or lines or ["exit status %d" % self.code])[0]
        told = found.removeprefix("fatal: ")
        return " ".join(public(one) if "://" in one else one for one in told.split(" ")).rstrip(".")


class Pushed(NamedTuple):
    """What became of one ref. state: "sent", "same", "again" (a race was lost) or "refused"."""

    state: str
    why: str = ""


def git(
    folder: str,
    *words: str,
    feed: bytes = b"",
    settings: Sequence[tuple[str, str]] = (),
    bare: str | None = None,
) -> Answer:
    """Run git in ``folder``. Raises `SystemRefused` where there is no git.

    settings: passed in the environment, where other users cannot see them (they may hold keys).
    bare: our own repository, where it is not the one of ``folder``.
    """
    argv = ["git", *(("--git-dir=" + bare,) if bare else ())]
    argv += ["-c", "core.hooksPath=/dev/null", "-c", "gc.auto=0", "-c", "maintenance.auto=false"]
    try:
        done = subprocess.run(
            [*argv, "-c", "core.fsmonitor=false", "-c", "color.ui=false", *words],
            cwd=folder,
            env=_environ(os.environ, settings),
            input=feed,
            capture_output=True,
            check=False,
            timeout=_LONGEST_S,
        )
    except FileNotFoundError as error:
        hint = "install git, or name the folder of records itself"
        raise SystemRefused("git is not installed: records are shared with it.", hint) from error
    except subprocess.TimeoutExpired:
        return Answer(124, b"", "git did not answer within %d s" % _LONGEST_S)
    return Answer(done.returncode, done.stdout, done.stderr.decode("utf-8", "replace"))


def _environ(given: Mapping[str, str], settings: Sequence[tuple[str, str]]) -> dict[str, str]:
    kept = {n: v for n, v in given.items() if not n.startswith("GIT_") or n.startswith(_KEPT)}
    kept.pop("LANGUAGE", None)
    kept.update(LC_ALL="C", GIT_OPTIONAL_LOCKS="0", GIT_LFS_SKIP_PUSH="1")
    kept.setdefault("GIT_ALLOW_PROTOCOL", _PROTOCOLS)
    kept.setdefault("GIT_TERMINAL_PROMPT", "1" if os.isatty(0) else "0")
    count = kept.get("GIT_CONFIG_COUNT", "0")
    first = int(count) if count.isdigit() else 0
    for place, (name, value) in enumerate(settings, first):
        kept["GIT_CONFIG_KEY_%d" % place] = name
        kept["GIT_CONFIG_VALUE_%d" % place] = value
    return dict(kept, GIT_CONFIG_COUNT=str(first + len(settings)))


def remote(place: Project, name: str | None) -> Remote:
    """Return the remote that ``name`` (a name or an address) means; without it the usual one.

    That is ``origin``, else the only one there is. Raises `UsageError`.
    """
    if name is not None and (name.startswith("-") or "\n" in name or not name):
        raise UsageError("%r is no remote." % name, "see: git remote -v")
    cwd = place.repo or place.root
    home = os.path.join(place.folder, FOLDER)
    if place.repo is None:
        if name is None or not _is_address(name):
            text = "%s is in no work tree of git: say which remote is meant by its address."
            raise UsageError(text % place.root, "such as ssh://HOST/PATH")
        return Remote(public(name), name, name, (), "sha1", cwd, home)
    known = _settings(cwd, r"^remote\..*\.(push)?url$")
    names = list(dict.fromkeys(key.split(".", 1)[1].rpartition(".")[0] for key, _ in known))
    chosen = name or _usual(names, cwd)
    reaching = tuple(_settings(cwd, _REACHING))
    answer = git(cwd, "rev-parse", "--show-object-format")
    form = "sha256" if answer.out.strip() == b"sha256" else "sha1"
    if chosen not in names:
        if not _is_address(chosen):
            listed = ", ".join(names) or "none"
            text = "there is no git remote %r here; known: %s." % (chosen, listed)
            raise UsageError(text, "see: git remote -v")
        return Remote(public(chosen), chosen, chosen, reaching, form, cwd, home)
    fetch = [v for key, v in known if key == "remote.%s.url" % chosen]
    push = [v for key, v in known if key == "remote.%s.pushurl" % chosen]
    first = (fetch or push)[0]
    return Remote(chosen, first, (push or fetch)[0], reaching, form, cwd, home)


def _is_address(name: str) -> bool:
    return "://" in name or ":" in name or os.sep in name


def _usual(names: list[str], cwd: str) -> str:
    if "origin" in names:
        return "origin"
    if len(names) == 1:
        return names[0]
    if not names:
        hint = "git remote add origin ADDRESS, or name one by its address"
        raise UsageError("the repository at %s has no git remote." % cwd, hint)
    text = "there are several git remotes and none is called origin: %s."
    raise UsageError(text % ", ".join(names), "say which is meant")


def _settings(cwd: str, pattern: str) -> list[tuple[str, str]]:
    answer = git(cwd, "config", "--local", "--includes", "-z", "--get-regexp", pattern)
    found = []
    for row in answer.out.split(b"\0"):
        key, mark, value = os.fsdecode(row).partition("\n")
        if mark:
            found.append((key, value))
    return found


class Repository:
    """A bare repository of our own that knows one remote, `NAME`."""

    def __init__(self, folder: str, at: Remote) -> None:
        self.folder = folder
        self.at = at

    def git(self, *words: str, feed: bytes = b"", far: bool = False) -> Answer:
        """Run git here. far: let it reach the remote; without, nothing is fetched behind our back.

        Its working folder is the user's, so that a relative address means the same as there.
        """
        settings: list[tuple[str, str]] = []
        if far:
            settings = [*self.at.settings, ("remote.%s.url" % NAME, self.at.fetch)]
            settings.append(("remote.%s.pushurl" % NAME, self.at.push))
        return git(self.at.cwd, *words, feed=feed, settings=settings, bare=self.folder)

    def refs(self) -> dict[str, tuple[str, str]]:
        """Return ``(ref, object)`` of every run on the remote by id. Raises `SystemRefused`."""
        answer = self.git("ls-remote", "--refs", NAME, REFS + "*", BRANCHES + "*", far=True)
        if answer.code != 0:
            raise SystemRefused(
                "%s cannot be asked: %s." % (self.at.name, answer.why),
                "does this work? git ls-remote %s" % self.at.name,
            )
        found: dict[str, tuple[str, str]] = {}
        for row in answer.out.decode("utf-8", "replace").splitlines():
            oid, _, ref = row.partition("\t")
            space = REFS if ref.startswith(REFS) else BRANCHES if ref.startswith(BRANCHES) else ref
            run_id = ref[len(space) :]
            if runid.is_id(run_id) and (space == REFS or run_id not in found):
                found[run_id] = (ref, oid)
        return found

    def fetch(self, refs: Sequence[str], leaving: str) -> None:
        """Bring ``refs`` here; ``leaving``: what is left out, as git's filters say it.

        A server without filters sends all. Raises `SystemRefused`.
        """
        feed = "".join("+%s:%s\n" % (ref, ref) for ref in refs).encode("utf-8")
        words = ("fetch", "-q", "--no-tags", "--no-write-fetch-head", "--no-recurse-submodules")
        answer = self.git(*words, "--filter=" + leaving, "--stdin", NAME, feed=feed, far=True)
        if answer.code != 0:
            text = "the records at %s cannot be fetched: %s."
            raise SystemRefused(text % (self.at.name, answer.why))

    def push(self, to: str) -> dict[str, Pushed]:
        """Send all runs below `REFS` to the space ``to``; say by id what became of each.

        Never forced: a ref only ever moves on to a commit that contains the former one.
        """
        words = ("push", "--porcelain", "--no-verify", "--no-signed", "--recurse-submodules=no")
        answer = self.git(*words, NAME, "%s*:%s*" % (REFS, to), far=True)
        found: dict[str, Pushed] = {}
        for row in answer.out.decode("utf-8", "replace").splitlines():
            flag, _, rest = row.partition("\t")
            refspec, _, said = rest.partition("\t")
            run_id = refspec.rpartition("/")[2]
            if not runid.is_id(run_id):
                continue
            if flag != "!":
                found[run_id] = Pushed("same" if flag == "=" else "sent")
            else:
                why = said.partition("(")[2].rstrip(")") or said
                found[run_id] = Pushed("again" if _AGAIN.search(why) else "refused", why)
        if answer.code != 0 and not any(
            one.state in ("again", "refused") for one in found.values()
        ):
            text = "nothing could be sent to %s: %s."
            hint = "does this work? git push --dry-run %s" % self.at.name
            raise SystemRefused(text % (self.at.name, answer.why), hint)
        return found

    def sizes(self) -> dict[str, tuple[str, int]]:
        """Return ``(type, bytes)`` of every object that is here, by its name."""
        answer = self.git("cat-file", "--batch-all-objects", "--batch-check")
        rows = (row.split() for row in answer.out.decode("ascii", "replace").splitlines())
        return {row[0]: (row[1], int(row[2])) for row in rows if len(row) == 3 and row[2].isdigit()}

    def objects(self, names: Sequence[str]) -> Iterator[tuple[str, bytes]]:
        """Yield the name and content of objects that are known to be here, in their order."""
        answer = self.git("cat-file", "--batch", feed="".join(n + "\n" for n in names).encode())
        view, place = answer.out, 0
        for name in names:
            line, size = view.find(b"\n", place), 0
            head = view[place:line].split()
            if line < 0 or len(head) != 3:
                return
            size = int(head[2])
            yield name, view[line + 1 : line + 1 + size]
            place = line + 1 + size + 1


@contextmanager
def repository(at: Remote) -> Iterator[Repository]:
    """Make a bare repository of our own for ``at`` and remove it at the end."""
    files.make_folder(at.home)
    _sweep(at.home)
    try:
        folder = tempfile.mkdtemp(prefix="tmp-", dir=at.home)
    except OSError as error:
        raise SystemRefused("%s cannot be written: %s." % (at.home, error.strerror)) from error
    try:
        form = ("--object-format=sha256",) if at.form == "sha256" else ()
        made = git(at.cwd, "init", "-q", "--bare", "--template=", *form, folder)
        if made.code != 0:
            raise SystemRefused("git cannot make a repository in %s: %s." % (folder, made.why))
        yield Repository(folder, at)
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def _sweep(home: str) -> None:
    """Remove what commands that were killed left behind, once it is a day old."""
    import time

    for name in os.listdir(home):
        path = os.path.join(home, name)
        try:
            if name.startswith("tmp-") and os.path.getmtime(path) < time.time() - _STALE_S:
                shutil.rmtree(path, ignore_errors=True)
        except OSError:
            continue
