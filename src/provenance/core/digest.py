"""What a file contains: digests as ``{algorithm: hex}``.

``blake3`` is taken when recording where the library is there (it is not in the standard library,
and 10 to 20 times faster than SHA-256 on common CPUs); ``sha256`` is what published locks carry, so
that the drop-in test can check them anywhere. A folder's digest is named ``<algorithm>-tree-1``:
the digest of the compact canonical JSON of ``[[relative POSIX path, size, hex], ...]`` sorted by
path, symbolic links contributing their target text as ``[path, -1, target]``.
"""

from __future__ import annotations

import hashlib
import os
from typing import Any, Callable, Dict, Iterator, List, NamedTuple, Optional, Tuple

from provenance.core import canonical

BLAKE3, SHA256, MD5 = "blake3", "sha256", "md5"
TREE = "-tree-1"
CHUNK = 1 << 20

Digests = Dict[str, str]


class Tree(NamedTuple):
    """A folder's content: digest by algorithm, number of files, total size in bytes."""

    digests: Digests
    files: int
    size: int


def best_algorithm() -> str:
    """Return the algorithm used at record time in this interpreter."""
    try:
        import blake3  # noqa: F401  # host only: looked up, not required
    except ImportError:
        return SHA256
    return BLAKE3


def new_hash(algorithm: str) -> Any:
    """Return a hashlib-like object; raises ValueError for an algorithm this interpreter lacks."""
    if algorithm == BLAKE3:
        try:
            from blake3 import blake3
        except ImportError as error:
            raise ValueError("blake3 is not installed here") from error
        return blake3()
    return hashlib.new(algorithm)


def bytes_digest(data: bytes, algorithm: str = SHA256) -> str:
    """Return the hex digest of ``data``."""
    state = new_hash(algorithm)
    state.update(data)
    return str(state.hexdigest())


def file_digests(path: str, algorithms: Tuple[str, ...]) -> Digests:
    """Return the digests of the file at ``path``, read once. Raises OSError."""
    states = {name: new_hash(name) for name in algorithms}
    with open(path, "rb", buffering=0) as stream:
        while True:
            chunk = stream.read(CHUNK)
            if not chunk:
                break
            for state in states.values():
                state.update(chunk)
    return {name: str(state.hexdigest()) for name, state in states.items()}


def walk(folder: str) -> Iterator[Tuple[str, os.DirEntry]]:  # type: ignore[type-arg]  # 3.7: DirEntry is not subscriptable
    """Yield ``(relative POSIX path, entry)`` of files and links below ``folder``, any order.

    Folders that cannot be listed raise OSError: a tree digest must never silently leave one out.
    """
    stack = [("", folder)]
    while stack:
        prefix, current = stack.pop()
        with os.scandir(current) as entries:
            for entry in entries:
                below = prefix + entry.name
                if entry.is_dir(follow_symlinks=False):
                    stack.append((below + "/", entry.path))
                else:
                    yield below, entry


def tree_digest(
    folder: str,
    algorithm: str,
    digest_of: Optional[Callable[[str], Digests]] = None,
) -> Tree:
    """Return the digest of all files below ``folder``; ``digest_of(path)`` may serve from a cache.

    Raises OSError where a file or folder cannot be read.
    """
    rows: List[List[Any]] = []
    size = 0
    for below, entry in walk(folder):
        if entry.is_symlink():
            rows.append([below, -1, os.readlink(entry.path)])
            continue
        status = entry.stat(follow_symlinks=False)
        found = digest_of(entry.path) if digest_of else file_digests(entry.path, (algorithm,))
        rows.append([below, status.st_size, found[algorithm]])
        size += status.st_size
    rows.sort(key=lambda row: os.fsencode(row[0]))
    value = bytes_digest(canonical.compact(rows), algorithm)
    return Tree({algorithm + TREE: value}, len(rows), size)


def same(old: Digests, new: Digests) -> Optional[bool]:
    """Return whether two digest maps agree, or None where they share no algorithm."""
    shared = [name for name in old if name in new]
    if not shared:
        return None
    return all(old[name] == new[name] for name in shared)
