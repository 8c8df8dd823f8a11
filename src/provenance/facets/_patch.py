"""A patch as git writes it: cut into files, and cleaned of secrets so that it still applies.

Secrets on added lines are masked in place. Where a line that must match the old file (context or
removed) had to be masked, git alone cannot apply the patch; `filled` restores such lines from the
old file, which is in the commit.
"""

from __future__ import annotations

import re
import zlib
from typing import Any, Callable, Dict, Iterator, List, NamedTuple, Optional, Tuple

from provenance.core import filekinds
from provenance.core.redact import MASK, Redactor

_SECTION = re.compile(rb"^diff --git ", re.M)
_HUNK = re.compile(rb"@@ -(\d+)(?:,(\d+))? \+(\d+)(?:,(\d+))? @@")
_BINARY = b"GIT binary patch\n"
_ALPHABET = b"0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz!#$%&()*+-;<=>?@^_`{|}~"
_DIGIT = {letter: value for value, letter in enumerate(_ALPHABET)}
_ESCAPES = {b"n": b"\n", b"t": b"\t", b"r": b"\r", b"a": b"\a", b"b": b"\b", b"f": b"\f",
            b"v": b"\v", b'"': b'"', b"\\": b"\\"}  # fmt: skip
_LARGEST_BINARY = 64 << 20


class Section(NamedTuple):
    """What a patch says of one file. path: below the top; text: from its ``diff --git`` on."""

    path: bytes
    text: bytes

    @property
    def binary(self) -> bool:
        """Whether it holds the file's bytes rather than lines."""
        return _BINARY in self.text and _HUNK.search(self.text) is None


class Clean(NamedTuple):
    """A section without secrets.

    added: masked lines that the patch adds. kept: masked lines that must match the old file.
    """

    text: bytes
    added: int = 0
    kept: int = 0


def sections(patch: bytes) -> List[Section]:
    """Cut ``patch`` into files; what stands before the first one is left out."""
    starts = [match.start() for match in _SECTION.finditer(patch)] + [len(patch)]
    found = []
    for start, end in zip(starts, starts[1:]):
        text = re.sub(rb"^\* Unmerged path [^\n]*\n", b"", patch[start:end], flags=re.M)
        if text.count(b"\n") > 1:  # else nothing but the times of the file differ
            found.append(Section(_path(text), text))
    return found


def _path(text: bytes) -> bytes:
    """Return the path of a section: the same on both sides, since renames are not looked for."""
    line = text[len(b"diff --git ") :].partition(b"\n")[0]
    if line.startswith(b'"'):
        return _unquoted(line[: (len(line) - 1) // 2])[2:]
    return line[2 : (len(line) - 1) // 2]


def _unquoted(name: bytes) -> bytes:
    inner = name[1:-1]

    def plain(match: Any) -> bytes:
        code = match.group(1)
        return _ESCAPES[code] if code in _ESCAPES else bytes((int(code, 8) & 255,))

    return re.sub(rb'\\([0-7]{3}|[ntrabfv"\\])', plain, inner)


def clean(section: Section, redact: Redactor) -> Clean:
    """Return a text section with its secrets masked."""
    start = _HUNK.search(section.text)
    if start is None:
        return Clean(section.text)
    settings = filekinds.is_config(section.path.decode("utf-8", "replace"))
    pieces = [section.text[: start.start()]]
    added = kept = 0
    for header, lines in _hunks(section.text[start.start() :]):
        new = _masked(lines, b"+ ", redact, settings)
        old = _masked(lines, b"- ", redact, settings)
        pieces.append(redact.data(header))
        for index, line in enumerate(lines):
            masked = new.get(index, old.get(index))
            if masked is None:
                pieces.append(line)
                continue
            pieces.append(masked)
            added += line[:1] == b"+"
            kept += line[:1] != b"+"
    return Clean(b"".join(pieces), added, kept)


def _hunks(text: bytes) -> Iterator[Tuple[bytes, List[bytes]]]:
    """Yield the header and the lines (with their ends) of every hunk."""
    lines = _lines(text)
    at = 0
    while at < len(lines):
        match = _HUNK.match(lines[at])
        if match is None:
            return
        old, new = int(match.group(2) or 1), int(match.group(4) or 1)
        header, at, start = lines[at], at + 1, at + 1
        while at < len(lines) and (old > 0 or new > 0 or lines[at][:1] == b"\\"):
            sign = lines[at][:1]
            old -= sign in (b" ", b"-", b"\n")
            new -= sign in (b" ", b"+", b"\n")
            at += 1
        yield header, lines[start:at]


def _lines(text: bytes) -> List[bytes]:
    """Return the lines of ``text`` with their ends; only a line feed ends a line."""
    parts = text.split(b"\n")
    return [part + b"\n" for part in parts[:-1]] + ([parts[-1]] if parts[-1] else [])


def _masked(lines: List[bytes], signs: bytes, redact: Redactor, settings: bool) -> Dict[int, bytes]:
    """Return by index the lines of one side (``signs``) that hold secrets, masked."""
    chosen = [i for i, line in enumerate(lines) if line[:1] and line[:1] in signs]
    side = b"".join(lines[i][1:] for i in chosen)
    cleaned = redact.data(side, settings)
    if cleaned is side:
        return {}
    pairs = zip(chosen, _lines(cleaned))
    return {i: lines[i][:1] + line for i, line in pairs if line != lines[i][1:]}


def binary_contents(section: Section) -> Optional[List[bytes]]:
    """Return the byte strings that a binary section carries, None where they cannot be read.

    They are whole files or differences between files, new and old.
    """
    found = []
    chunks: List[bytes] = []
    for line in section.text.partition(_BINARY)[2].split(b"\n"):
        if line.startswith((b"literal ", b"delta ")):
            chunks = []
        elif line:
            chunks.append(line)
        elif chunks:
            data = _inflated(chunks)
            if data is None:
                return None
            found.append(data)
            chunks = []
    return found


def _inflated(lines: List[bytes]) -> Optional[bytes]:
    try:
        packed = b"".join(_decoded_line(line) for line in lines)
        return zlib.decompressobj().decompress(packed, _LARGEST_BINARY)
    except (zlib.error, KeyError, OverflowError):
        return None


def _decoded_line(line: bytes) -> bytes:
    """Return the bytes of one line: its length as a letter, then five letters for four bytes."""
    size = line[0] - 64 if line[:1].isupper() else line[0] - 96 + 26
    out = bytearray()
    for at in range(1, len(line), 5):
        value = 0
        for letter in line[at : at + 5]:
            value = value * 85 + _DIGIT[letter]
        out += value.to_bytes(4, "big")
    return bytes(out[:size])


def filled(section: Section, old: Callable[[bytes], Optional[bytes]]) -> Optional[Section]:
    """Return ``section`` with masked context and removed lines taken from the old file.

    ``old(path)`` gives its content. None where what is not masked does not match it.
    """
    start = _HUNK.search(section.text)
    content = old(section.path)
    if start is None or content is None:
        return None
    source = _lines(content)
    pieces = [section.text[: start.start()]]
    mask = MASK.encode("ascii")
    for header, lines in _hunks(section.text[start.start() :]):
        match = _HUNK.match(header)
        assert match is not None
        at = int(match.group(1)) - (match.group(2) != b"0")
        pieces.append(header)
        for line in lines:
            restored = line
            if line[:1] in (b" ", b"-", b"\n"):
                if mask in line:
                    if at >= len(source):
                        return None
                    restored = line[:1] + source[at].rstrip(b"\n") + b"\n"
                at += 1
            pieces.append(restored)
    return Section(section.path, b"".join(pieces))
