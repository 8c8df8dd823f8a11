"""What `doctor` says of where a record goes: git, the folder, its file system, space, the clock."""

from __future__ import annotations

import os
import shutil
import tempfile
import time

from provenance import config
from provenance.errors import ProvError
from provenance.facets._git import Git, trouble
from provenance.operations._checks import LIMITED, NOT_POSSIBLE, OK, Check, Subject
from provenance.store import project
from provenance.store.project import Project

_NETWORK = frozenset("nfs nfs4 cifs smb3 smbfs lustre gpfs beegfs ceph afs glusterfs 9p".split())
_VANISHING = frozenset(("tmpfs", "ramfs"))
_LITTLE = 1 << 30
_NOTHING = 16 << 20
"""Bytes free below which a record is in danger, and below which it cannot be kept."""
_SKEW_S = 2.0
_EARLIEST = 1704067200
"""The start of 2024: a clock that shows less was never set."""


def checks(subject: Subject) -> list[Check]:
    """Return what is to be said of the project's folder and repository."""
    place = project.find(subject.cwd)
    return [_git(subject, place), _settings(place), *_folder(place)]


def _git(subject: Subject, place: Project) -> Check:
    git = Git(subject.environ, subject.cwd)
    told = git(subject.cwd, "version")
    if told.code:
        remedy = "install git, or set PATH so that it is found"
        return Check("git", LIMITED, "%s: commits and changes are not recorded" % told.err, remedy)
    version = told.out.decode("utf-8", "replace").replace("git version", "").strip()
    if place.repo is None and not git.chosen():
        says = "%s; %s is in no repository: the code that runs is kept, not its history"
        return Check("git", LIMITED, says % (version, subject.cwd), "git init, then commit")
    status, answer = git.status(subject.cwd)
    if status is None:
        remedy = "do what git says, then try again"
        if "dubious ownership" in answer.err:
            remedy = "git config --global --add safe.directory %s" % place.repo
        return Check("git", LIMITED, trouble(answer, place.repo or subject.cwd), remedy)
    if status.commit is None:
        says = "%s; the repository has no commit yet: everything counts as uncommitted" % version
        return Check("git", LIMITED, says, "commit once")
    parts = [version, "commit %s" % status.commit[:12]]
    parts += ["on %s" % status.branch if status.branch else "on no branch"]
    changed, new = len(status.entries), len(status.untracked)
    parts += ["%d changed and %d new files are kept as a patch" % (changed, new)]
    if b"true" in git(subject.cwd, "rev-parse", "--is-shallow-repository").out:
        says = ", ".join(parts) + "; a shallow clone: earlier commits cannot be restored here"
        return Check("git", LIMITED, says, "git fetch --unshallow")
    return Check("git", OK, ", ".join(parts))


def _settings(place: Project) -> Check:
    try:
        config.load(place.root)
    except ProvError as error:
        says = "%s They are not used" % error.message
        return Check("settings", LIMITED, says, error.hint or "mend the file")
    return Check("settings", OK, "read, or none are needed")


def _folder(place: Project) -> list[Check]:
    """Return what writing a file where records go has shown."""
    near = place.runs
    while not os.path.isdir(near) and os.path.dirname(near) != near:
        near = os.path.dirname(near)
    before = time.time()
    try:
        with tempfile.NamedTemporaryFile(prefix=".prov-doctor-", dir=near) as stream:
            stream.write(b"x")
            stream.flush()
            told = os.stat(stream.name)
            name = os.path.basename(stream.name)
            folded = os.path.exists(os.path.join(near, name.upper()))
    except OSError as error:
        says = "%s cannot be written: %s" % (near, error.strerror)
        remedy = "make it writable, or put a prov.yaml in a folder that is"
        return [Check("records", NOT_POSSIBLE, says, remedy, essential=True)]
    return [_kind(place, near, folded), _space(near), _clock(before, told.st_ctime)]


def _kind(place: Project, near: str, folded: bool) -> Check:
    kind = file_system(near)
    says = "go to %s" % place.folder
    if folded:
        says += "; names here do not tell upper from lower case"
    if kind in _NETWORK or kind.startswith("fuse."):
        says += ", on a network file system (%s): change times are the server's" % kind
        remedy = "nothing is needed; if runs start slowly, keep the project on a local disk"
        return Check("records", LIMITED if kind in _NETWORK else OK, says, remedy)
    if kind in _VANISHING:
        says += ", in memory (%s): they are gone when the machine restarts" % kind
        return Check("records", LIMITED, says, "work in a folder on a disk")
    return Check("records", OK, says + (" (%s)" % kind if kind else ""))


def file_system(path: str, mounts: str = "/proc/self/mountinfo") -> str:
    """Return the kind of file system that holds ``path``, "" where that is not told."""
    path = os.path.realpath(path)
    best, found = "", ""
    try:
        with open(mounts, encoding="utf-8", errors="replace") as stream:
            lines = stream.read().splitlines()
    except OSError:
        return ""
    for line in lines:
        left, _, right = line.partition(" - ")
        words = left.split()
        if len(words) < 5 or not right:
            continue
        point = words[4].replace("\\040", " ").rstrip("/")
        if (path + "/").startswith(point + "/") and len(point) >= len(best):
            best, found = point, right.split()[0]
    return found


def _space(near: str) -> Check:
    free = shutil.disk_usage(near).free
    says = "%.1f GB free" % (free / 1e9)
    remedy = "make room: rm -r .prov/replays, and runs that nobody needs"
    if free < _NOTHING:
        return Check("disk", NOT_POSSIBLE, says, remedy, essential=True)
    told = os.statvfs(near)
    if told.f_files and not told.f_favail:
        says += ", and no file can be made: the file system has no inodes left"
        return Check("disk", NOT_POSSIBLE, says, remedy, essential=True)
    if free < _LITTLE:
        return Check("disk", LIMITED, says + ": a long log may not fit", remedy)
    return Check("disk", OK, says)


def _clock(before: float, changed: float) -> Check:
    """Compare our clock with the file system's, by which changed files are found."""
    skew = max(before - changed, changed - time.time(), 0.0)
    if before < _EARLIEST:
        remedy = "set the clock (timedatectl set-ntp true)"
        return Check("clock", LIMITED, "shows %s" % time.strftime("%Y-%m-%d"), remedy)
    if skew > _SKEW_S:
        says = "the file system's clock is %.0f s off; outputs are found by its own" % skew
        return Check("clock", LIMITED, says, "synchronise both machines (NTP)")
    return Check("clock", OK, "agrees with the file system's")
