"""The payload of the ``code`` facet, as types."""

# No postponed annotations here: typing compiles each one that is text, 10 us a field at start-up.

from typing import Any, Dict, NamedTuple, Optional, Tuple

from provenance.core import codec
from provenance.core.paths import PathRef

GIT, NO_GIT = "git", "none"
IMPORTED, READ, NAMED = "imported", "observed", "named"


class Patch(NamedTuple):
    """Uncommitted changes.

    file: its name in the record's folder. base: the commit it applies to, None for nothing at all.
    size, sha256: of that file. files: how many it changes. applies: whether git alone can apply it.
    redacted: masked lines.
    """

    file: str
    base: Optional[str]
    size: int
    sha256: str
    files: int
    applies: bool = True
    redacted: int = 0


class UsedFile(NamedTuple):
    """A source file that the run used. Members that have their default are left out of the JSON.

    digests: "sha256", and for Python and notebooks the digest of the code alone (see
    `core.sourcedigest`); empty where there was no time. how: "observed" (the run opened it),
    "imported" (a module's file), "named" (on the command line). module: its path below the folder
    of ``sys.path`` it was imported from, for files outside the repository. changed_during: it was
    edited while the run went on; the digests are of its content at the start where git knew that.
    missing: it is not there (in the present only).
    """

    path: PathRef
    digests: Dict[str, str] = {}
    how: str = READ
    module: str = ""
    changed_during: bool = False
    missing: bool = False

    def to_json(self) -> Dict[str, Any]:
        """Return the members that do not have their default, and always the first two."""
        kept = {"path": self.path.to_json(), "digests": dict(self.digests)}
        for name in ("how", "module", "changed_during", "missing"):
            if getattr(self, name) != self._field_defaults[name]:
                kept[name] = getattr(self, name)
        return kept

    @classmethod
    def from_json(cls, value: Any) -> "UsedFile":
        """Read the JSON form back; raises ValueError where it is not one."""
        return cls(
            PathRef.from_json(value["path"]),
            codec.decode(Dict[str, str], value.get("digests", {}), "used.digests"),
            str(value.get("how", READ)),
            str(value.get("module", "")),
            value.get("changed_during") is True,
            value.get("missing") is True,
        )


class Change(NamedTuple):
    """A tracked file that differed from the commit. status: git's two letters, "M." or ".D"."""

    path: PathRef
    status: str


class LeftOut(NamedTuple):
    """A changed or untracked file that is not kept, and why. size: bytes, None if not known."""

    path: PathRef
    reason: str
    size: Optional[int] = None


class Archive(NamedTuple):
    """The untracked code and settings, as a tar file.

    file: its name in the record's folder. files: what is in it, below the top. redacted: those of
    them in which secrets were masked.
    """

    file: str
    size: int
    sha256: str
    files: Tuple[PathRef, ...]
    redacted: Tuple[PathRef, ...] = ()


class Remote(NamedTuple):
    """A remote of the repository. url: without credentials."""

    name: str
    url: str


class Submodule(NamedTuple):
    """A repository within the repository.

    path: where. commit: what was checked out, None where nothing was. recorded: what the outer
    repository asks for. dirty: whether it had changes of its own. url: where it is fetched from.
    patch: those changes.
    """

    path: PathRef
    commit: Optional[str] = None
    recorded: Optional[str] = None
    dirty: bool = False
    url: str = ""
    patch: Optional[Patch] = None


class Repository(NamedTuple):
    """Another git repository whose code the run used (an editable install elsewhere).

    dirty: whether it had uncommitted changes, or untracked code where the run used some of it.
    patch, untracked: where these are kept, as they were when the run had ended; None where there
    are none, or the run used no file of it.
    """

    path: PathRef
    commit: Optional[str]
    branch: Optional[str]
    dirty: bool
    url: str = ""
    patch: Optional[Patch] = None
    untracked: Optional[Archive] = None


class Code(NamedTuple):
    """The code of a run.

    vcs: "git" or "none". top: the top of the work tree; paths in the patch and in the archive are
    below it. commit: None before the first one. branch: None when detached. upstream: the branch it
    follows. pushed: whether the commit is in a remote's branch as far as this clone knew; None
    without a remote. dirty: whether there were uncommitted changes or untracked code. changed: the
    changed files, the first 500; changed_count: all. patch, untracked: where these are kept.
    ignored: used source files that git is told to ignore, as they were when the run had ended.
    untracked_others: untracked files that are neither code nor settings, not kept. settings: how
    git writes files here (core.autocrlf ...). used: the source files that the run used.
    """

    vcs: str
    top: PathRef
    commit: Optional[str] = None
    branch: Optional[str] = None
    upstream: Optional[str] = None
    pushed: Optional[bool] = None
    dirty: bool = False
    changed: Tuple[Change, ...] = ()
    changed_count: int = 0
    patch: Optional[Patch] = None
    untracked: Optional[Archive] = None
    ignored: Optional[Archive] = None
    untracked_others: int = 0
    left_out: Tuple[LeftOut, ...] = ()
    remotes: Tuple[Remote, ...] = ()
    submodules: Tuple[Submodule, ...] = ()
    repositories: Tuple[Repository, ...] = ()
    settings: Dict[str, str] = {}
    used: Tuple[UsedFile, ...] = ()
