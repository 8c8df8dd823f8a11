"""Archives and compressed files by their members: times, owners and order do not count."""

from __future__ import annotations

import bz2
import gzip
import lzma
import os
import tarfile
import tempfile
import zipfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import IO, Any, NamedTuple

from provenance.compare.judged import Judged, Part, gravest
from provenance.compare.kinds.base import Opaque, Pair
from provenance.compare.values import counted
from provenance.core.verdict import DIFFERENT, NOT_COMPARED, SAME, WITHIN

KIND = "archive"
MOST_MEMBERS = 100_000
MOST_BYTES = 4 << 30
"""Bytes that are unpacked from one of the two, whatever it claims to hold."""
MOST_DEPTH = 3
"""Archives in archives that are opened."""
_CHUNK = 1 << 20
_PACKERS: dict[str, Callable[..., Any]] = {".gz": gzip.open, ".bz2": bz2.open, ".xz": lzma.open}


class _Member(NamedTuple):
    """crc: a checksum that the archive states, None for none."""

    size: int
    crc: int | None
    open: Callable[[], IO[bytes]]


def compare(pair: Pair) -> Judged:
    """Compare the members of two zip or tar archives by name, each by its kind."""
    if pair.depth >= MOST_DEPTH:
        raise Opaque("archives in archives are opened %d deep" % MOST_DEPTH)
    with _opened(pair.old) as old, _opened(pair.new) as new:
        if not old and not new:
            raise Opaque("both archives are empty")
        budget = [MOST_BYTES]
        parts = []
        same = 0
        for name in dict.fromkeys([*old, *new]):
            if name not in old or name not in new:
                which = "first" if name in old else "second"
                parts.append(Part(name, DIFFERENT, "only in the %s" % which))
                continue
            judged = _member(pair, name, old[name], new[name], budget)
            if judged.verdict == SAME:
                same += 1
            else:
                figures = {"kind": judged.kind, **judged.figures}
                parts.append(Part(name, judged.verdict, judged.detail, figures))
    return _judged(parts, same)


def _judged(parts: list[Part], same: int) -> Judged:
    total = same + len(parts)
    if not parts:
        text = "%s the same: only times, order or packing differ" % counted(total, "member")
        return Judged(WITHIN, text, KIND, total)
    verdicts = {one.verdict for one in parts}
    verdict = NOT_COMPARED if verdicts == {NOT_COMPARED} else gravest([WITHIN, *verdicts])
    order = (DIFFERENT, NOT_COMPARED, WITHIN)
    parts.sort(key=lambda one: order.index(one.verdict))
    apart = [one.name for one in parts if one.verdict == parts[0].verdict]
    names = ", ".join(apart[:3]) + (" and %d more" % (len(apart) - 3) if len(apart) > 3 else "")
    clause = "%d of %s %s: %s" % (
        len(apart), counted(total, "member"), _verb(parts[0].verdict), names)  # fmt: skip
    if parts[0].detail and len(apart) == 1:
        clause += " (%s)" % parts[0].detail
    return Judged(verdict, clause, KIND, total, tuple(parts), {"members": total, "same": same})


def _verb(verdict: str) -> str:
    return {DIFFERENT: "differ", NOT_COMPARED: "not compared"}.get(verdict, verdict)


def _member(pair: Pair, name: str, old: _Member, new: _Member, budget: list[int]) -> Judged:
    if old.crc is not None and (old.size, old.crc) == (new.size, new.crc):
        return Judged(SAME)
    budget[0] -= max(old.size, new.size)
    if budget[0] < 0:
        return Judged(NOT_COMPARED, "more than %d GiB to unpack" % (MOST_BYTES >> 30))
    with tempfile.TemporaryDirectory(prefix="prov-diff-") as folder:
        paths = [os.path.join(folder, side) for side in ("old", "new")]
        for path, one in zip(paths, (old, new), strict=True):
            _unpack(one, path)
        below = pair._replace(
            old=paths[0], new=paths[1], old_name=name, new_name=name, depth=pair.depth + 1
        )
        return pair.again(below)


def _unpack(one: _Member, path: str, most: int | None = None) -> None:
    """Write a member to ``path``; one that holds more than it claims is refused."""
    left = one.size if most is None else most
    with one.open() as stream, open(path, "wb") as out:
        while data := stream.read(_CHUNK):
            left -= len(data)
            if left < 0:
                raise Opaque("unpacks to more than it says")
            out.write(data)


@contextmanager
def _opened(path: str) -> Iterator[dict[str, _Member]]:
    """Give the files in an archive by name. Raises `Opaque`."""
    try:
        if zipfile.is_zipfile(path):
            with zipfile.ZipFile(path) as archive:
                yield _zip_members(archive)
            return
        with tarfile.open(path) as tar:
            yield _tar_members(tar)
    except (tarfile.TarError, zipfile.BadZipFile, NotImplementedError, RuntimeError) as error:
        raise Opaque("not readable as an archive: %s" % str(error)[:80]) from error


def _zip_members(archive: zipfile.ZipFile) -> dict[str, _Member]:
    found = {}
    infos = [info for info in archive.infolist() if not info.is_dir()]
    if len(infos) > MOST_MEMBERS:
        raise Opaque("more than %d members" % MOST_MEMBERS)
    top = {info.filename.partition("/")[0] for info in infos}
    cut = len(top) == 1 and all("/" in info.filename for info in infos)
    for info in infos:
        name = info.filename.partition("/")[2] if cut else info.filename

        def opened(info: zipfile.ZipInfo = info) -> IO[bytes]:
            return archive.open(info)

        found[name] = _Member(info.file_size, info.CRC, opened)
    return found


def _tar_members(archive: tarfile.TarFile) -> dict[str, _Member]:
    found: dict[str, _Member] = {}
    for info in archive:
        if len(found) >= MOST_MEMBERS:
            raise Opaque("more than %d members" % MOST_MEMBERS)
        if not info.isfile():
            continue

        def opened(info: tarfile.TarInfo = info) -> IO[bytes]:
            stream = archive.extractfile(info)
            assert stream is not None
            return stream

        found[info.name.removeprefix("./")] = _Member(info.size, None, opened)
    return found


def unpacked(pair: Pair) -> Judged:
    """Compare two compressed files (gz, bz2, xz) by what is in them."""
    if pair.depth >= MOST_DEPTH:
        raise Opaque("archives in archives are opened %d deep" % MOST_DEPTH)
    with tempfile.TemporaryDirectory(prefix="prov-diff-") as folder:
        below: list[Any] = []
        for path, name, which in pair.sides:
            stem, packed = os.path.splitext(name)
            target = os.path.join(folder, which.replace(" ", "-"))
            opener = _PACKERS[packed.lower()]
            try:
                with opener(path, "rb") as stream, open(target, "wb") as out:
                    _copy(stream, out)
            except (EOFError, OSError, lzma.LZMAError, ValueError) as error:
                raise Opaque("%s is not readable as %s" % (which, packed[1:])) from error
            below.append((target, stem))
        (old, old_name), (new, new_name) = below
        judged = pair.again(
            pair._replace(
                old=old, new=new, old_name=old_name, new_name=new_name, depth=pair.depth + 1
            )
        )
    if judged.verdict == SAME:
        text = "the same content: only times or packing differ"
        return judged._replace(verdict=WITHIN, detail=text, compared=max(judged.compared, 1))
    return judged


def _copy(stream: IO[bytes], out: IO[bytes]) -> None:
    """Copy at most `MOST_BYTES`. Raises `Opaque` where there are more."""
    left = MOST_BYTES
    while data := stream.read(_CHUNK):
        left -= len(data)
        if left < 0:
            raise Opaque("unpacks to more than %d GiB" % (MOST_BYTES >> 30))
        out.write(data)
