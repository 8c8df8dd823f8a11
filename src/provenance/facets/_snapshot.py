"""Writing down what git alone would not give back: uncommitted changes and untracked code."""

from __future__ import annotations

import hashlib
import os
import stat
from typing import Any, Dict, Iterable, List, NamedTuple, Optional, Tuple

from provenance.core import filekinds
from provenance.core.context import Context
from provenance.core.paths import PathRef
from provenance.core.redact import Redactor
from provenance.facets import _kept, _patch
from provenance.facets._code import Archive, Patch
from provenance.facets._git import Entry, Git, Status

PATCH, ARCHIVE, IGNORED = "code.patch", "untracked.tar.gz", "ignored.tar.gz"

LARGEST_CHANGED = 10 << 20
"""Bytes of a tracked file, before or after, above which its change is not kept."""
_MOST_EXCLUDED, _MOST_ASKED = 500, 1000
_EMPTY_TREE = {
    40: "4b825dc642cb6eb9a060e54bf8d69288fbee4904",
    64: "6ef19b41225c5369f1c104d45d8d85efa9b057b53b14b4b9b939dd74decc5321",
}
"""The tree without files, which git knows in every repository; by length of a commit id."""
_DIFF = ("diff", "--binary", "--full-index", "--no-ext-diff", "--no-textconv", "--no-renames",
         "--no-color", "--src-prefix=a/", "--dst-prefix=b/", "--unified=3", "--submodule=short",
         "--ignore-submodules=dirty", "--inter-hunk-context=0", "--diff-algorithm=myers",
         "-O/dev/null")  # fmt: skip


class Out(NamedTuple):
    """A file that was left out. path: below the top; size: bytes, None where not known."""

    path: str
    reason: str
    size: Optional[int] = None


class Taken(NamedTuple):
    """What was taken of one work tree."""

    patch: Optional[Patch]
    out: Tuple[Out, ...]
    notes: Tuple[str, ...]


def uncommitted(
    git: Git, top: str, status: Status, redact: Redactor, run_dir: str, name: str = PATCH
) -> Taken:
    """Write the changes against the last commit as one patch into ``run_dir``."""
    out = _too_much(git, top, status)
    if len(out) > _MOST_EXCLUDED:
        note = "%d changed files are too large or may hold secrets: no patch is kept" % len(out)
        return Taken(None, out[:_MOST_EXCLUDED], (note,))
    base = status.commit or _EMPTY_TREE[_id_length(git, top)]
    exclude = [":(top,exclude,literal)" + one.path for one in out]
    answer = git(top, *_DIFF, base, "--", *((":(top)", *exclude) if exclude else ()))
    if answer.code != 0:
        reason = answer.err.strip().partition("\n")[0]
        return Taken(None, out, ("the uncommitted changes could not be kept: %s" % reason,))
    return _written(answer.out, top, status, out, redact, os.path.join(run_dir, name))


def _written(
    raw: bytes, top: str, status: Status, out: Tuple[Out, ...], redact: Redactor, path: str
) -> Taken:
    pieces = []
    notes: List[str] = []
    dropped = list(out)
    added = kept = 0
    for section in _patch.sections(raw):
        if section.binary and _holds_secret(top, section, redact):
            dropped.append(Out(os.fsdecode(section.path), "a binary file that holds a secret"))
            continue
        clean = _patch.clean(section, redact)
        pieces.append(clean.text)
        added += clean.added
        kept += clean.kept
    if added:
        notes.append("%d changed lines hold secrets: masked in the patch" % added)
    if kept:
        notes.append("%d unchanged or removed lines hold secrets: masked in the patch" % kept)
    if not pieces:
        return Taken(None, tuple(dropped), tuple(notes))
    data = b"".join(pieces)
    with open(path, "wb") as stream:
        stream.write(data)
    digest = hashlib.sha256(data).hexdigest()
    patch = Patch(
        os.path.basename(path), status.commit, len(data), digest, len(pieces), not kept,
        added + kept,
    )  # fmt: skip
    return Taken(patch, tuple(dropped), tuple(notes))


def _holds_secret(top: str, section: _patch.Section, redact: Redactor) -> bool:
    """Return whether a binary section carries a secret, or cannot be read so as to be sure."""
    contents = _patch.binary_contents(section)
    if contents is None or any(redact.holds_secret(data) for data in contents):
        return True
    try:  # the section may hold nothing but differences, which cut a secret in two
        with open(os.path.join(os.fsencode(top), section.path), "rb") as stream:
            return redact.holds_secret(stream.read(LARGEST_CHANGED))
    except OSError:
        return False


def _id_length(git: Git, top: str) -> int:
    answer = git(top, "rev-parse", "--show-object-format")
    return 64 if answer.out.strip() == b"sha256" else 40


def _too_much(git: Git, top: str, status: Status) -> Tuple[Out, ...]:
    """Return the changed files whose change is not to be kept, and why."""
    before = _old_sizes(git, top, status.entries)
    out = []
    for entry in status.entries:
        if entry.submodule:
            continue
        size = max(before.get(entry.head, 0), _size(os.path.join(top, entry.path)))
        if _kept.is_secret_file(entry.path):
            out.append(Out(entry.path, "may hold credentials, by its name"))
        elif size > LARGEST_CHANGED:
            gone = not os.path.lexists(os.path.join(top, entry.path))
            what = (
                "deleted; its content is too large for the patch" if gone else "changed; too large"
            )
            out.append(Out(entry.path, what, size))
    return tuple(out)


def _old_sizes(git: Git, top: str, entries: Tuple[Entry, ...]) -> Dict[str, int]:
    asked = sorted({e.head for e in entries if not e.submodule and e.head.strip("0")})
    feed = "".join(one + "\n" for one in asked[:_MOST_ASKED]).encode("ascii")
    if not feed:
        return {}
    answer = git(top, "cat-file", "--batch-check=%(objectname) %(objectsize)", feed=feed)
    rows = (line.split() for line in answer.out.decode("ascii", "replace").splitlines())
    return {row[0]: int(row[1]) for row in rows if len(row) == 2 and row[1].isdigit()}


def _size(path: str) -> int:
    try:
        status = os.lstat(path)
    except OSError:
        return 0
    return status.st_size if stat.S_ISREG(status.st_mode) else 0


class Packer:
    """Collects untracked code and settings of one or several work trees for one archive."""

    def __init__(self, redact: Redactor) -> None:
        self._redact = redact
        self._members: Dict[str, Tuple[int, bytes]] = {}
        self._total = 0
        self.out: List[Out] = []
        self.redacted: List[str] = []
        self.others = 0

    def add(self, top: str, paths: Tuple[str, ...], prefix: str = "") -> None:
        """Take those of ``paths`` (below ``top``) that the rule keeps, under ``prefix``."""
        for path in _kept.candidates(paths):
            reason, size = self._take(top, path, prefix)
            if reason:
                self.out.append(Out(prefix + path, reason, size))
        nested = [path for path in paths if path.endswith("/")]
        self.out.extend(Out(prefix + path, "another git repository") for path in nested)

    def _take(self, top: str, path: str, prefix: str) -> Tuple[str, Optional[int]]:
        """Return why ``path`` was not taken, "" where it was or is none of our business."""
        full = os.path.join(top, path)
        if _kept.is_secret_file(path):
            return "may hold credentials, by its name", None
        try:
            status = os.lstat(full)
            if stat.S_ISLNK(status.st_mode):
                return self._take_link(top, path, prefix), None
            if not _kept.is_kept(path):
                self.others += 1
                return "", None
            if not stat.S_ISREG(status.st_mode):
                return "not a plain file", None
            if status.st_size > _kept.LARGEST:
                return "larger than %d KiB" % (_kept.LARGEST >> 10), status.st_size
            if self._total + status.st_size > _kept.LARGEST_TOTAL:
                return "more than %d MiB in all" % (_kept.LARGEST_TOTAL >> 20), status.st_size
            with open(full, "rb") as stream:
                data = stream.read(_kept.LARGEST + 1)
        except OSError as error:
            return "cannot be read: %s" % error.strerror, None
        clean = self._redact.data(data, filekinds.is_config(path))
        if clean is not data:
            self.redacted.append(prefix + path)
        self._total += len(clean)
        self._members[prefix + path] = (status.st_mode, clean)
        return "", None

    def _take_link(self, top: str, path: str, prefix: str) -> str:
        target = _kept.link_inside(top, path)
        if target is None:
            return "a link that leads out of the project"
        self._members[prefix + path] = (stat.S_IFLNK, os.fsencode(target))
        return ""

    @property
    def files(self) -> Tuple[str, ...]:
        """What was taken, sorted."""
        return tuple(sorted(self._members))

    def packed(self) -> bytes:
        """Return the archive: tar, compressed. The same files give the same bytes."""
        import io
        import tarfile
        import zlib

        stream = io.BytesIO()
        with tarfile.open(
            fileobj=stream, mode="w", format=tarfile.PAX_FORMAT, encoding="utf-8"
        ) as archive:
            for name, (mode, data) in sorted(self._members.items()):
                archive.addfile(*_member(tarfile.TarInfo(name), mode, data))
        squeeze = zlib.compressobj(9, zlib.DEFLATED, 31)
        return squeeze.compress(stream.getvalue()) + squeeze.flush()


def archived(packer: Packer, context: Context, top: str, name: str) -> Optional[Archive]:
    """Write what ``packer`` took to the file ``name`` of the run; None where that is nothing."""
    if not packer.files or context.run_dir is None:
        return None
    data = packer.packed()
    with open(os.path.join(context.run_dir, name), "wb") as stream:
        stream.write(data)

    def refer(paths: Iterable[str]) -> Tuple[PathRef, ...]:
        return tuple(context.roots.refer(os.path.join(top, path)) for path in paths)

    digest = hashlib.sha256(data).hexdigest()
    return Archive(name, len(data), digest, refer(packer.files), refer(packer.redacted))


def _member(member: Any, mode: int, data: bytes) -> Tuple[Any, Any]:
    import io

    if stat.S_ISLNK(mode):
        member.type, member.linkname, member.mode = b"2", os.fsdecode(data), 0o777
        return member, None
    member.size, member.mode = len(data), 0o755 if mode & stat.S_IXUSR else 0o644
    return member, io.BytesIO(data)
