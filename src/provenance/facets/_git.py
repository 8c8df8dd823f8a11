"""Asking the git program, so that it changes nothing, prompts nobody and costs little.

A call takes about 3 ms; ``subprocess`` would take longer to import than git takes to answer, so
that the child is started with ``posix_spawn`` where there is one.
"""

from __future__ import annotations

import os
import time
from typing import Dict, Iterator, List, Mapping, NamedTuple, Optional, Sequence, Tuple

from provenance.core import programs

SAFE = (
    "--no-optional-locks",  # plain `git status` rewrites the user's index
    "-c", "core.fsmonitor=false", "-c", "core.quotePath=false", "-c", "core.hooksPath=/dev/null",
    "-c", "color.ui=false", "-c", "diff.autoRefreshIndex=false", "-c", "gc.auto=0",
)  # fmt: skip
LONGEST_S = 120.0
"""A git that has not answered by then hangs (a dead network drive): we go on without it."""
_PIPE = 60000
"""Bytes that a pipe takes without a reader; Linux gives 65536."""
_PLACES = ("GIT_DIR", "GIT_WORK_TREE", "GIT_INDEX_FILE", "GIT_COMMON_DIR", "GIT_OBJECT_DIRECTORY")
_DROPPED = ("GIT_EXTERNAL_DIFF", "GIT_DIFF_OPTS", "GIT_LITERAL_PATHSPECS", "GIT_ICASE_PATHSPECS",
            "GIT_GLOB_PATHSPECS", "GIT_NOGLOB_PATHSPECS", "GIT_PREFIX")  # fmt: skip

UNCHANGED = "."


class Answer(NamedTuple):
    """What git said. code: exit status; 127: there is no git, 124: it did not end in time."""

    code: int
    out: bytes
    err: str


class Entry(NamedTuple):
    """A tracked path that differs from the last commit, as ``git status`` gives it.

    path: below the top. status: two letters, index then work tree. submodule: "" or "S..." with the
    letters C (other commit), M (changed files), U (untracked files). head: blob in the commit, all
    zeros where it is not there.
    """

    path: str
    status: str
    submodule: str
    head: str


class Status(NamedTuple):
    """The state of a work tree. commit: None before the first one; branch: None when detached."""

    commit: Optional[str]
    branch: Optional[str]
    upstream: Optional[str]
    entries: Tuple[Entry, ...]
    untracked: Tuple[str, ...]


class Git:
    """The git program in one folder, with an environment in which it only reads."""

    def __init__(self, environ: Mapping[str, str], cwd: str) -> None:
        self._program = programs.find("git", environ)
        self._environ = _quiet(environ, cwd)

    def __call__(
        self, folder: str, *words: str, feed: bytes = b"", environ: Optional[Dict[str, str]] = None
    ) -> Answer:
        """Return git's answer to ``words`` in ``folder``. ``feed``: its input, at most 60 kB."""
        if self._program is None:
            return Answer(127, b"", "git is not installed")
        env = dict(self._environ, **environ) if environ else self._environ
        argv = ["git", "-C", folder, *SAFE, *words]
        try:
            if hasattr(os, "posix_spawn"):
                return _spawned(self._program, argv, env, feed)
            return _called(self._program, argv, env, feed)
        except OSError as error:
            return Answer(127, b"", "git cannot be started: %s" % error.strerror)

    def elsewhere(self) -> Git:
        """Return the same for other repositories than the one that the environment selects."""
        other = Git({}, os.sep)
        other._program = self._program
        other._environ = {n: v for n, v in self._environ.items() if n not in _PLACES}
        return other

    def chosen(self) -> bool:
        """Return whether the environment, not the folder, says which repository is meant."""
        return "GIT_DIR" in self._environ or "GIT_WORK_TREE" in self._environ

    def status(self, top: str) -> Tuple[Optional[Status], Answer]:
        """Return the state of the work tree at ``top``, None where git refuses."""
        answer = self(
            top, "status", "--porcelain=v2", "-z", "--branch", "--no-renames",
            "--untracked-files=all", "--no-ahead-behind",
        )  # fmt: skip
        return (parse_status(answer.out) if answer.code == 0 else None), answer


def parse_status(out: bytes) -> Status:
    """Read ``git status --porcelain=v2 -z --branch``; unknown lines are left out."""
    head: Dict[str, str] = {}
    entries: List[Entry] = []
    untracked: List[str] = []
    fields = _fields(os.fsdecode(out))
    for line in fields:
        kind = line[:1]
        if kind == "#":
            key, _, value = line[2:].partition(" ")
            head[key] = value
        elif kind == "?":
            untracked.append(line[2:])
        elif kind in ("1", "2", "u"):
            parts = line.split(" ", {"1": 8, "2": 9, "u": 10}[kind])
            if kind == "2":
                next(fields, "")  # the former name
            hidden = "" if parts[2] == "N..." else parts[2]
            entries.append(Entry(parts[-1], parts[1], hidden, parts[6 if kind != "u" else 8]))
    commit, branch = head.get("branch.oid"), head.get("branch.head")
    return Status(
        None if commit in (None, "(initial)") else commit,
        None if branch in (None, "(detached)") else branch,
        head.get("branch.upstream"),
        tuple(entries),
        tuple(untracked),
    )


def _fields(text: str) -> Iterator[str]:
    """Yield what stands between NULs in ``text``: a split of a million paths takes 80 MB."""
    start = 0
    while start < len(text):
        end = text.find("\0", start)
        end = len(text) if end < 0 else end
        yield text[start:end]
        start = end + 1


def trouble(answer: Answer, top: str) -> str:
    """Return why git refused, in one sentence that says what can be done."""
    if answer.code == 127:
        return "%s: the code was kept without it" % answer.err
    if answer.code == 124:
        return "git did not answer within %d s: the code was kept without it" % LONGEST_S
    if "dubious ownership" in answer.err:
        return (
            "git refuses the repository at %s because another user owns it: the code was kept "
            "without it. To allow it: git config --global --add safe.directory %s" % (top, top)
        )
    first = answer.err.strip().partition("\n")[0] or "exit status %d" % answer.code
    return "git cannot read the repository (%s): the code was kept without it" % first


def _quiet(environ: Mapping[str, str], cwd: str) -> Dict[str, str]:
    """Return the environment for git: the repository that the user selected, nothing that acts."""
    clean = {
        name: value
        for name, value in environ.items()
        if name not in _DROPPED and not name.startswith("GIT_TRACE")
    }
    for name in _PLACES:
        if clean.get(name):
            clean[name] = os.path.join(cwd, clean[name])
    clean.update(GIT_TERMINAL_PROMPT="0", GIT_OPTIONAL_LOCKS="0", GIT_PAGER="cat", LC_ALL="C")
    clean.pop("LANGUAGE", None)
    return clean


def _spawned(program: str, argv: List[str], env: Dict[str, str], feed: bytes) -> Answer:
    import signal

    if len(feed) > _PIPE:
        raise ValueError("too much input for git: %d bytes" % len(feed))
    fds: List[int] = []
    try:
        for _ in range(3):
            fds.extend(os.pipe())
        (stdin, write), (out, stdout), (err, stderr) = fds[0:2], fds[2:4], fds[4:6]
        actions = [(os.POSIX_SPAWN_DUP2, fd, n) for n, fd in enumerate((stdin, stdout, stderr))]
        if min(stdin, stdout, stderr) <= 2:  # we were started with a closed standard stream
            return _called(program, argv, env, feed)
        pid = os.posix_spawn(program, argv, env, file_actions=actions, setsigdef=(signal.SIGPIPE,))
        try:
            os.write(write, feed)
        except BrokenPipeError:  # it ended without reading: its exit status says why
            pass
        for fd in (stdin, write, stdout, stderr):
            os.close(fd)
            fds.remove(fd)
        texts, ended = _drained((out, err), time.monotonic() + LONGEST_S)
        if not ended:
            os.kill(pid, signal.SIGKILL)
        status = os.waitpid(pid, 0)[1]
    finally:
        for fd in fds:
            os.close(fd)
    code = 124 if not ended else os.WEXITSTATUS(status) if os.WIFEXITED(status) else 128
    return Answer(code, texts[0], texts[1].decode("utf-8", "replace"))


def _drained(fds: Sequence[int], deadline: float) -> Tuple[List[bytes], bool]:
    """Return all that comes from ``fds``, and whether they ended before ``deadline``."""
    import select

    poll = select.poll()
    chunks: Dict[int, List[bytes]] = {fd: [] for fd in fds}
    for fd in fds:
        poll.register(fd, select.POLLIN | select.POLLHUP)
    left = len(fds)
    while left:
        wait = deadline - time.monotonic()
        ready = poll.poll(wait * 1000) if wait > 0 else []
        if not ready:
            break
        for fd, _ in ready:
            chunk = os.read(fd, 1 << 20)
            chunks[fd].append(chunk)
            if not chunk:
                poll.unregister(fd)
                left -= 1
    return [b"".join(chunks[fd]) for fd in fds], left == 0


def _called(program: str, argv: List[str], env: Dict[str, str], feed: bytes) -> Answer:
    import subprocess

    try:
        done = subprocess.run(
            argv, executable=program, env=env, input=feed, stdout=subprocess.PIPE,
            stderr=subprocess.PIPE, timeout=LONGEST_S, check=False,
        )  # fmt: skip
    except subprocess.TimeoutExpired:
        return Answer(124, b"", "")
    return Answer(done.returncode, done.stdout, done.stderr.decode("utf-8", "replace"))
