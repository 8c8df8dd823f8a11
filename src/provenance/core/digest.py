"""What a file contains: digests as ``{algorithm: hex}``.

``blake3`` is taken when recording where the library is there (it is not in the standard library,
and 10 to 20 times faster than SHA-256 on common CPUs); ``sha256`` is what published locks carry, so
that the drop-in test can check them anywhere. A folder's digest is named ``<algorithm>-tree-1``:
the digest of the compact canonical JSON of ``[[relative POSIX path, size, hex], ...]`` sorted by
the path's bytes, symbolic links contributing their target text as ``[path, -1, target]``.
"""

from __future__ import annotations

import os
import stat
from typing import AbstractSet, Any, Callable, Dict, Iterable, Iterator, NamedTuple, Optional, Tuple

from provenance.core import canonical

BLAKE3, SHA256, MD5 = "blake3", "sha256", "md5"
TREE = "-tree-1"
CHUNK = 1 << 20
_ROWS = 64

Digests = Dict[str, str]
Row = Tuple[str, int, str]
"""One line of a folder's digest: relative POSIX path, size in bytes, hex digest; for a symbolic
link -1 and the target's text."""


class ChangedWhileRead(OSError):
    """A file changed while its digest was taken, so that no digest would be of one state of it."""


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
    import hashlib  # loads OpenSSL: 3 ms that the start of a run need not pay

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


def available(algorithms: Iterable[str]) -> Tuple[str, ...]:
    """Return those of ``algorithms`` that can be computed in this interpreter, in their order."""
    found = []
    for name in algorithms:
        try:
            new_hash(name)
        except ValueError:
            continue
        found.append(name)
    return tuple(found)


def walk(folder: str) -> Iterator[Tuple[str, os.DirEntry]]:  # type: ignore[type-arg]  # 3.7: DirEntry is not subscriptable
    """Yield ``(relative POSIX path, entry)`` of files and links below ``folder``, sorted by path.

    Only one folder's names are held at a time for each level. Folders that cannot be listed raise
    OSError: a tree digest must never silently leave one out.
    """
    stack = [("", iter(_listed(folder)))]
    while stack:
        prefix, entries = stack[-1]
        for is_folder, entry in entries:
            if is_folder:
                stack.append((prefix + entry.name + "/", iter(_listed(entry.path))))
                break
            yield prefix + entry.name, entry
        else:
            stack.pop()


def _listed(folder: str) -> Any:
    """Return ``(is a folder, entry)`` pairs in the order that whole paths below would sort in."""
    with os.scandir(folder) as entries:
        found = [(entry.is_dir(follow_symlinks=False), entry) for entry in entries]
    plain = "".join([item[1].name for item in found]).isascii()
    if plain and not any(item[0] for item in found):
        found.sort(key=_name)  # then text sorts as its bytes do
    else:
        found.sort(key=lambda item: os.fsencode(item[1].name) + (b"/" if item[0] else b""))
    return found


def _name(item: Tuple[bool, Any]) -> str:
    return str(item[1].name)


def tree_digest(
    folder: str,
    algorithm: str,
    digest_of: Optional[Callable[[Any], Digests]] = None,
    leave_out: AbstractSet[str] = frozenset(),
    walked: Optional[Iterable[Tuple[str, Any]]] = None,
) -> Tree:
    """Return the digest of all files below ``folder``; ``digest_of(entry)`` may serve from a cache.

    digest_of: gets the `os.DirEntry`, whose status has been asked for and need not be again.
    leave_out: relative POSIX paths to pass over, as if they were not there.
    walked: what `walk` yields of the folder, where the caller walks it. Memory does not grow
    with the number of files except by the names of one folder. Raises OSError where a file or
    folder cannot be read.
    """
    files = size = 0

    def rows() -> Iterator[Row]:
        nonlocal files, size
        for below, entry in walk(folder) if walked is None else walked:
            if leave_out and below in leave_out:
                continue
            status = entry.stat(follow_symlinks=False)
            if not stat.S_ISREG(status.st_mode):
                if stat.S_ISLNK(status.st_mode):
                    files += 1
                    yield below, -1, os.readlink(entry.path)
                continue  # a pipe or socket has no content, and opening one may wait for ever
            files += 1
            length = status.st_size
            found = digest_of(entry) if digest_of else file_digests(entry.path, (algorithm,))
            size += length
            yield below, length, found[algorithm]

    value = rows_digest(rows(), algorithm)
    return Tree({algorithm + TREE: value}, files, size)


def rows_digest(rows: Iterable[Row], algorithm: str) -> str:
    """Return the folder digest of ``rows``, which must be sorted by the bytes of their paths."""
    state = new_hash(algorithm)
    before, some = b"[", []
    for row in rows:
        some.append(_row(row))
        if len(some) == _ROWS:  # hashed together: a call costs as much as a row
            state.update(before + b",".join(some))
            before = b","
            some.clear()
    if some or before == b"[":
        state.update(before + b",".join(some))
    state.update(b"]")
    return str(state.hexdigest())


def _row(row: Row) -> bytes:
    """Return the compact canonical JSON of ``row``; by hand where nothing needs escaping."""
    path, size, value = row
    text = path if size >= 0 else path + value  # a digest needs no look: it is hexadecimal
    if text.isprintable() and '"' not in text and "\\" not in text:
        return ('["%s",%d,"%s"]' % row).encode("utf-8")
    return canonical.compact(row)


def same(old: Digests, new: Digests) -> Optional[bool]:
    """Return whether two digest maps agree, or None where they share no algorithm."""
    shared = [name for name in old if name in new]
    if not shared:
        return None
    return all(old[name] == new[name] for name in shared)
