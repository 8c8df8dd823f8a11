"""Capturing and restoring a small repository, for the tests of both."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

from provenance.core import context, record
from provenance.core.digest import file_digests
from provenance.core.paths import Roots
from provenance.core.record import Record
from provenance.core.redact import Redactor
from provenance.facets import code
from provenance.operations import restore

ENV = {
    **{name: value for name, value in os.environ.items() if not name.startswith("GIT_")},
    "GIT_CONFIG_GLOBAL": os.devnull,
    "GIT_CONFIG_SYSTEM": os.devnull,
}


def git(folder: Path | str, *words: str, **options: Any) -> str:
    identity = ("-c", "user.name=A", "-c", "user.email=a@example.org", "-c", "commit.gpgsign=false",
                "-c", "protocol.file.allow=always")  # fmt: skip
    done = subprocess.run(
        ["git", *identity, *words], cwd=folder, env=ENV, check=True, capture_output=True, **options
    )
    return os.fsdecode(done.stdout)


def repository(folder: Path, files: dict[str, str | bytes]) -> Path:
    """Make a repository with one commit of ``files``; names that end in ! are executable."""
    folder.mkdir(parents=True, exist_ok=True)
    git(folder, "init", "-q", "-b", "main")
    write(folder, files)
    git(folder, "add", "-A")
    git(folder, "commit", "-q", "-m", "start")
    return folder


def write(folder: Path, files: dict[str, str | bytes]) -> None:
    for name, text in files.items():
        path = folder / name.rstrip("!")
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(text if isinstance(text, bytes) else text.encode())
        if name.endswith("!"):
            path.chmod(0o755)


def a_context(repo: Path, run_dir: Path | None, **more: Any) -> context.Context:
    given: dict[str, Any] = {
        "phase": context.BEFORE,
        "roots": Roots(str(repo), str(more.pop("cwd", repo)), "/nowhere"),
        "command": (),
        "environ": ENV,
        "redact": Redactor(),
        "digest": file_digests,
        "run_dir": str(run_dir) if run_dir else None,
    }
    return context.Context(**{**given, **more})


def capture(repo: Path, run_dir: Path, **more: Any) -> Record:
    """Capture ``repo`` around a run that does nothing, and return its record."""
    run_dir.mkdir(parents=True, exist_ok=True)
    before = a_context(repo, run_dir, **more)
    first = code.capture(before)
    during = code.capture(before._replace(phase=context.DURING, earlier=first))
    after = before._replace(phase=context.AFTER, earlier=during)
    return a_record(before.roots, code.capture(after))


def a_record(roots: Roots, answer: record.Payload) -> Record:
    kept = Record(
        "20260101T000000Z-00000001", ("true",), roots.refer(roots.cwd), record.DONE, "2026",
        facets={"code": answer},
    )  # fmt: skip
    return record.from_json(record.to_json(kept))


def blobs_of(run_dir: Path) -> Callable[[str], bytes | None]:
    def blob(name: str) -> bytes | None:
        path = run_dir / name
        return path.read_bytes() if path.exists() else None

    return blob


def there_and_back(repo: Path, tmp: Path, **more: Any) -> restore.Restored:
    """Capture ``repo``, restore it to ``tmp/tree``, and check that ``repo`` was not touched."""
    before = state(repo)
    kept = capture(repo, tmp / "run", **more)
    done = restore.restore_code(kept, blobs_of(tmp / "run"), str(repo), str(tmp / "tree"))
    after = state(repo)
    for name, value in before.items():
        assert after[name] == value, name
    return done


def state(repo: Path) -> dict[str, Any]:
    """Return all that must not change in a repository when it is recorded or restored from."""
    folder = Path(os.path.join(repo, git(repo, "rev-parse", "--git-common-dir").strip()))
    own = Path(os.path.join(repo, git(repo, "rev-parse", "--git-dir").strip()))
    index = own / "index"
    # git freshens the time of an object that it would write and finds it has: not a change
    files = {
        str(path): (0 if "objects" in path.parts else path.stat().st_mtime_ns, path.read_bytes())
        for path in sorted(folder.rglob("*"))
        if path.is_file() and not path.is_symlink()
    }
    return {
        "git": files,
        "index": (index.read_bytes(), index.stat().st_mtime_ns) if index.exists() else None,
        "status": git(repo, "--no-optional-locks", "status", "--porcelain=v2", "-z", "--branch"),
        "stash": git(repo, "stash", "list"),
        "worktrees": git(repo, "worktree", "list"),
        "tree": tree(repo, everything=True),
    }


def tree(folder: Path | str, everything: bool = False) -> dict[bytes, Any]:
    """Return mode and content of the files of a work tree: tracked and kept, or all of them."""
    found: dict[bytes, Any] = {}
    top = os.fsencode(folder)
    for place, folders, names in os.walk(top):
        folders[:] = [name for name in folders if name not in (b".git", b".prov")]
        links = [n for n in folders if os.path.islink(os.path.join(place, n))]
        for name in [*names, *links]:
            path = os.path.join(place, name)
            below = os.path.relpath(path, top)
            if name == b".git":
                continue
            if os.path.islink(path):
                found[below] = ("link", os.readlink(path))
            else:
                with open(path, "rb") as stream:
                    found[below] = (bool(os.stat(path).st_mode & 0o100), stream.read())
    return found
