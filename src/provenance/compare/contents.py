"""Two files compared by what they say rather than by their bytes, each by its kind.

Nothing is executed: pickles are never loaded, notebooks never run, YAML makes no objects.
"""

from __future__ import annotations

import os
import zlib
from collections.abc import Callable

from provenance.compare.judged import Judged
from provenance.compare.kinds import (
    images,
    models,
    notebooks,
    packed,
    structured,
    svg,
    tables,
    texts,
)
from provenance.compare.kinds.base import LIMIT, Opaque, Pair, suffix
from provenance.compare.tolerance import Tolerance
from provenance.core.verdict import DIFFERENT, NOT_COMPARED, SAME
from provenance.readers.names import is_archive

__all__ = ["KINDS", "LIMIT", "Opaque", "compare", "is_equal", "kind_of", "lost", "unread"]

Comparer = Callable[[Pair], Judged]


def _arrays(pair: Pair) -> Judged:
    from provenance.compare.kinds import arrays  # loads numpy

    return arrays.compare(pair)


KINDS: dict[str, Comparer] = {
    "values": structured.compare,
    "table": tables.compare,
    "text": texts.compare,
    "svg": svg.compare,
    "notebook": notebooks.compare,
    "image": images.compare,
    "model text": models.compare,
    "tensors": _arrays,
    "archive": packed.compare,
    "packed": packed.unpacked,
}
"""What compares two files of a kind; it raises `Opaque` where it cannot."""

_TABLES = ".csv .tsv .tab .jsonl .ndjson"
_SUFFIXES = {
    "values": ".json .yaml .yml .toml",
    "table": _TABLES + " .parquet .pq .feather .arrow " + _TABLES.replace(" ", ".gz ") + ".gz",
    "text": ".txt .log .out .err .md .tex .html .xml .ini .cfg .rst .py .r .sh .bib .sql .conll "
    ".vocab .dot .mtx .srt .model",
    "svg": ".svg",
    "notebook": ".ipynb",
    "image": ".png .jpg .jpeg .tif .tiff .gif .bmp .webp",
    "archive": ".zip .tar .tgz .tar.gz .docx .xlsx .pptx .whl .jar",
    "packed": ".gz .bz2 .xz",
}
_BY_SUFFIX = {one: kind for kind, names in _SUFFIXES.items() for one in names.split()}
_NUMBERS = ("values", "table")
_HEAD = 8192
_CHUNK = 1 << 18

STAMPED = frozenset(".pdf .ps .eps .h5 .hdf5 .nc .sqlite .db .parquet .tar .tgz .mat".split())
"""Forms that carry times or versions of the writer, so that other bytes prove nothing."""


def compare(old: str, new: str, name: str, tolerance: Tolerance, new_name: str = "") -> Judged:
    """Compare the contents of the files at ``old`` and ``new``, of the form that ``name`` says.

    new_name: what the second is called, where that is something else. Raises `Opaque` where that
    cannot be done.
    """
    return _compare(Pair(old, new, name, new_name or name, tolerance, 0, _within))


def _compare(pair: Pair) -> Judged:
    kinds = [kind_of(path, name) for path, name, _ in pair.sides]
    if not kinds[0] or not kinds[1]:
        raise Opaque("")
    if kinds[0] != kinds[1]:
        kinds = [_common(*kinds)] * 2
    try:
        return KINDS[kinds[0]](pair)
    except (OSError, ValueError, EOFError, RecursionError, zlib.error) as error:
        text = "not readable as what its name says"
        raise Opaque(text) from error
    except MemoryError as error:
        raise Opaque("too large for the memory here") from error


def _common(old: str, new: str) -> str:
    """Return the kind by which files of two kinds are compared. Raises `Opaque`."""
    both = {old, new}
    if both <= {"text", "model text", "svg"}:
        return "text"
    raise Opaque("one is of the kind %s, the other %s" % (old, new))


def unread(name: str, why: str) -> Judged:
    """Return the verdict on other bytes in a form that is not read, or that cannot be: why."""
    detail = "differs (digest)" + ("; " + why if why else "")
    if os.path.splitext(name)[1].lower() in STAMPED:
        return Judged(NOT_COMPARED, detail + "; files of this form hold times of writing")
    return Judged(DIFFERENT, detail)


def lost(name: str, why: str) -> Judged:
    """Return the verdict on other bytes where one of the two contents is not at hand: why.

    Of numbers in a form that is compared with tolerance, other bytes may be no more than rounding.
    """
    if is_archive(name) or _BY_SUFFIX.get(suffix(name)) in _NUMBERS:
        text = "other bytes; %s: whether by more than rounding is not known" % why
        return Judged(NOT_COMPARED, text)
    return unread(name, why)


def is_equal(old: str, new: str) -> bool:
    """Return whether two files hold the same bytes. Raises OSError."""
    if os.path.getsize(old) != os.path.getsize(new):
        return False
    one, other = bytearray(_CHUNK), bytearray(_CHUNK)  # compared as they are: nothing is copied
    with open(old, "rb", buffering=0) as first, open(new, "rb", buffering=0) as second:
        while True:
            length, others = first.readinto(one), second.readinto(other)
            if length != others:  # one of them is being written
                return False
            if length < _CHUNK:
                return one[:length] == other[:length] and not first.read(1)
            if one != other:
                return False


def _within(pair: Pair) -> Judged:
    """Compare two files that came out of others; other bytes of no kind are different."""
    if is_equal(pair.old, pair.new):
        return Judged(SAME)
    try:
        return _compare(pair)
    except Opaque as reason:
        return unread(pair.old_name, str(reason))


def kind_of(path: str, name: str) -> str:
    """Return the kind of a file: by its name, else by its first bytes; "" for none known."""
    end = suffix(name)
    kind = _BY_SUFFIX.get(end) or _BY_SUFFIX.get(os.path.splitext(name.lower())[1], "")
    if name.lower().endswith(".tar.gz"):
        return "archive"
    if is_archive(name):
        return "tensors"
    if os.path.splitext(name.lower())[1] in STAMPED and not kind:
        return ""
    if kind in ("", "text") and (not kind or end in (".txt", ".model")):
        return "model text" if models.is_one(path, "") else kind or _sniffed(path)
    return kind


def _sniffed(path: str) -> str:
    """Return "text" where the first bytes are such, without control characters; else ""."""
    try:
        with open(path, "rb") as stream:
            head = stream.read(_HEAD)
    except OSError:
        return ""
    try:
        text = head.decode("utf-8")
    except UnicodeDecodeError as error:
        if error.start < len(head) - 4 or not error.start:
            return ""
        text = head[: error.start].decode("utf-8")
    plain = all(c.isprintable() or c in "\t\n\r\f\x1b\x08" for c in text)
    return "text" if text and plain else ""
