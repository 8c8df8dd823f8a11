"""Two files compared by what they say rather than by their bytes, where their form is known.

Nothing is executed: pickles and anything that may hold one (torch, joblib, numpy's object arrays)
are never loaded.
"""

from __future__ import annotations

import csv
import gzip
import importlib
import itertools
import json
import os
import zipfile
import zlib
from collections.abc import Callable, Iterator
from typing import Any

from provenance.compare.judged import Judged
from provenance.compare.tolerance import Tolerance
from provenance.compare.values import Tally

LIMIT = 64 << 20
"""Bytes up to which a file is read to be compared by content."""

TEXTS = frozenset(".txt .log .out .err .md .tex .html .svg .xml .ini .cfg .toml .rst".split())
ZIPS = frozenset(".npz .pt .pth .zip .keras .docx .xlsx .pptx .ckpt".split())

Comparer = Callable[[str, str, Tally], None]


class Opaque(Exception):
    """The contents cannot be compared; the text says why."""


def compare(old: str, new: str, name: str, tolerance: Tolerance, new_name: str = "") -> Judged:
    """Compare the contents of the files at ``old`` and ``new``, of the form that ``name`` says.

    Raises `Opaque` where that cannot be done.
    """
    comparer = _comparer(name)
    if comparer is None or os.path.splitext(new_name or name)[1] != os.path.splitext(name)[1]:
        raise Opaque("")
    tally = Tally(tolerance)
    try:
        if max(os.path.getsize(old), os.path.getsize(new)) > LIMIT:
            raise Opaque("larger than %d MiB" % (LIMIT >> 20))
        comparer(old, new, tally)
    except (OSError, ValueError, EOFError, RecursionError, csv.Error, zlib.error) as error:
        raise Opaque("not readable as what its name says") from error
    except zipfile.BadZipFile as error:
        raise Opaque("not readable as what its name says") from error
    return tally.judged()


def _comparer(name: str) -> Comparer | None:
    suffix = os.path.splitext(name)[1].lower()
    known: dict[str, Comparer] = {
        ".json": _json,
        ".jsonl": _json_lines,
        ".ndjson": _json_lines,
        ".csv": lambda a, b, t: _table(a, b, t, ","),
        ".tsv": lambda a, b, t: _table(a, b, t, "\t"),
        ".yaml": _yaml,
        ".yml": _yaml,
        ".npy": _arrays,
        ".png": _png,
        ".gz": _gzip,
    }
    if suffix in TEXTS or os.path.basename(name) == "nohup.out":
        return _text
    if suffix == ".npz":
        return _arrays
    return _zip if suffix in ZIPS else known.get(suffix)


def _read(path: str) -> str:
    with open(path, encoding="utf-8-sig", errors="surrogateescape", newline="") as stream:
        return stream.read()


def _json(old: str, new: str, tally: Tally) -> None:
    tally.values("", json.loads(_read(old)), json.loads(_read(new)))


def _yaml(old: str, new: str, tally: Tally) -> None:
    yaml = importlib.import_module("yaml")
    try:
        tally.values("", yaml.safe_load(_read(old)), yaml.safe_load(_read(new)))
    except yaml.YAMLError as error:
        raise Opaque("not readable as YAML") from error


def _json_lines(old: str, new: str, tally: Tally) -> None:
    def rows(path: str) -> list[Any]:
        return [json.loads(line) for line in _read(path).splitlines() if line.strip()]

    tally.values("", rows(old), rows(new))


def _text(old: str, new: str, tally: Tally) -> None:
    tally.lines(_read(old).split("\n"), _read(new).split("\n"))


def _table(old: str, new: str, tally: Tally, delimiter: str) -> None:
    with (
        open(old, encoding="utf-8-sig", errors="surrogateescape", newline="") as first,
        open(new, encoding="utf-8-sig", errors="surrogateescape", newline="") as second,
    ):
        tally.rows(csv.reader(first, delimiter=delimiter), csv.reader(second, delimiter=delimiter))


def _arrays(old: str, new: str, tally: Tally) -> None:
    """Compare numpy arrays where numpy is here; else the members of the archive."""
    try:
        numpy = importlib.import_module("numpy")
    except ImportError:
        if old.endswith(".npz"):
            return _zip(old, new, tally)
        raise Opaque("numpy is not installed beside prov") from None
    first, second = (numpy.load(path, allow_pickle=False) for path in (old, new))
    if not hasattr(first, "files"):
        return _array(numpy, "the array", first, second, tally)
    with first, second:
        for name in dict.fromkeys([*first.files, *second.files]):
            if name in first.files and name in second.files:
                _array(numpy, name, first[name], second[name], tally)
            else:
                tally.leaf(name, name in first.files, name in second.files)
    return None


def _array(numpy: Any, name: str, old: Any, new: Any, tally: Tally) -> None:
    tally.leaf(name + " (type)", str(old.dtype), str(new.dtype))
    tally.leaf(name + " (shape)", list(old.shape), list(new.shape))
    if old.dtype != new.dtype or old.shape != new.shape or old.tobytes() == new.tobytes():
        return
    rule = tally.tolerance
    tolerant = old.dtype.kind in "fc" or (old.dtype.kind in "iu" and rule.source != "default")
    if tolerant and numpy.allclose(new, old, rtol=rule.rtol, atol=rule.atol, equal_nan=True):
        tally.within += 1
        return
    tally.leaf(name, "recorded values", "other values")


def _zip(old: str, new: str, tally: Tally) -> None:
    """Compare the members of two archives by checksum: their time stamps do not count."""
    first, second = _members(old), _members(new)
    if first != second:
        different = sorted(set(first.items()) ^ set(second.items()))
        raise Opaque("its part %s has other bytes" % different[0][0])
    tally.compared += len(first)
    tally.volatile += 1


def _members(path: str) -> dict[str, tuple[int, int]]:
    with zipfile.ZipFile(path) as archive:
        return {
            info.filename.partition("/")[2] or info.filename: (info.CRC, info.file_size)
            for info in archive.infolist()
        }


def _gzip(old: str, new: str, tally: Tally) -> None:
    with gzip.open(old) as first, gzip.open(new) as second:
        while True:
            one, other = first.read(1 << 20), second.read(1 << 20)
            if one != other:
                raise Opaque("its unpacked content has other bytes")
            if not one:
                break
    tally.compared += 1
    tally.volatile += 1


def _png(old: str, new: str, tally: Tally) -> None:
    """Compare the picture itself: text chunks hold versions and times."""
    for one, other in itertools.zip_longest(_critical(old), _critical(new)):
        if one != other:
            raise Opaque("another picture")
    tally.compared += 1
    tally.volatile += 1


def _critical(path: str) -> Iterator[tuple[bytes, bytes]]:
    """Yield the chunks of a PNG file that make up the picture: their names begin with a capital."""
    with open(path, "rb") as stream:
        if stream.read(8) != b"\x89PNG\r\n\x1a\n":
            raise ValueError("not a PNG file")
        while True:
            head = stream.read(8)
            if len(head) < 8:
                return
            data = stream.read(int.from_bytes(head[:4], "big") + 4)
            if head[4:5].isupper():
                yield head[4:], data
