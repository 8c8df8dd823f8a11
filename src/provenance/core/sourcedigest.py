"""Digests of source code that do not move when only comments, docstrings or layout do.

``python-tokens-1``: SHA-256 over the tokens of a Python file. Comments, blank lines, the width of
an indentation, spaces between tokens, line continuations and line ends do not count; neither do
statements that are nothing but a string (docstrings), unless the file reads docstrings itself
(`_READS_DOCSTRINGS`), for then they are data. A string, f-strings included, counts by its source
text. The lexer is our own, so that the digest is the same whichever Python computes it: the
standard library's tokenizer splits f-strings from 3.12 on, and is several times slower.

``notebook-code-1``: SHA-256 over the sources of a notebook's code cells, in order: outputs, counts,
text cells and metadata do not count.
"""

from __future__ import annotations

import codecs
import hashlib
import json
import re
from typing import Any, Dict, List, NamedTuple, Optional, Tuple

PYTHON, NOTEBOOK = "python-tokens-1", "notebook-code-1"

LARGEST = 1 << 20
"""Bytes above which a source file gets no such digest: it is data in the guise of source."""

_STRING, _FSTRING, _INDENT, _DEDENT = "\x00", "\x01", "\x02", "\x03"
_FORBIDDEN = re.compile("[\x00-\x08\x0e-\x1f]")
_MARK = re.compile(r"[#\"'\\]")
_FIELD_MARK = re.compile(r"[#\"'()\[\]{}:]")
_TOKEN = re.compile(r"\w+|[^\w \t\f]")
_COOKIE = re.compile(rb"^[ \t\f]*#.*?coding[:=][ \t]*([-\w.]+)")
_READS_DOCSTRINGS = re.compile(r"\b(?:__doc__|getdoc|docopt|dspy)\b")
_PREFIX_LETTERS = frozenset("rRbBuUfFtT")
_END = {
    '"': re.compile(r'[^"\\\n]*(?:\\.[^"\\\n]*)*"', re.S),
    "'": re.compile(r"[^'\\\n]*(?:\\.[^'\\\n]*)*'", re.S),
    '"""': re.compile(r'[^"\\]*(?:(?:\\.|"(?!""))[^"\\]*)*"""', re.S),
    "'''": re.compile(r"[^'\\]*(?:(?:\\.|'(?!''))[^'\\]*)*'''", re.S),
}
_LITERAL_MARK = {quote: re.compile(r"[{\\\n]|" + quote) for quote in _END}


class _Unreadable(Exception):
    """The source does not have the form of Python."""


class _Code(NamedTuple):
    """Source with comments gone, line continuations joined, and each string as one character."""

    text: str
    strings: Tuple[str, ...]


def digests(name: str, data: bytes) -> Dict[str, str]:
    """Return the digests beyond content that a source file called ``name`` has; may be none."""
    if len(data) > LARGEST:
        return {}
    if name.endswith((".py", ".pyi")):
        found, algorithm = python_tokens_digest(data), PYTHON
    elif name.endswith(".ipynb"):
        found, algorithm = notebook_code_digest(data), NOTEBOOK
    else:
        return {}
    return {} if found is None else {algorithm: found}


def python_tokens_digest(source: bytes) -> Optional[str]:
    """Return the ``python-tokens-1`` digest, or None where ``source`` is not readable as Python."""
    text = _decoded(source)
    if text is None or _FORBIDDEN.search(text):
        return None
    try:
        return _digest(_without_comments(text))
    except (_Unreadable, RecursionError):
        return None


def notebook_code_digest(source: bytes) -> Optional[str]:
    """Return the ``notebook-code-1`` digest, or None where ``source`` is not a notebook."""
    try:
        document = json.loads(source.decode("utf-8"))
        sheets = document.get("worksheets") or [document]
        cells = [cell for sheet in sheets for cell in sheet["cells"]]
        code = [_cell_source(cell) for cell in cells if cell["cell_type"] == "code"]
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError):
        return None
    text = json.dumps([cell for cell in code if cell], separators=(",", ":"))
    return hashlib.sha256(text.encode("ascii")).hexdigest()


def _cell_source(cell: Dict[str, Any]) -> str:
    source = cell["source"] if "source" in cell else cell["input"]
    text = source if isinstance(source, str) else "".join(source)
    return text.replace("\r\n", "\n").rstrip()


def _decoded(source: bytes) -> Optional[str]:
    encoding = "utf-8"
    for line in source.split(b"\n", 2)[:2]:
        match = _COOKIE.match(line)
        if match:
            encoding = match.group(1).decode("ascii")
            break
    if source.startswith(codecs.BOM_UTF8):
        source, encoding = source[3:], "utf-8"
    try:
        text: Any = codecs.lookup(encoding).decode(source, "strict")[0]
    except (LookupError, ValueError, TypeError):
        return None
    if not isinstance(text, str):
        return None
    return str(text.replace("\r\n", "\n").replace("\r", "\n"))


def _without_comments(text: str) -> _Code:
    """Return the code of ``text``. Raises `_Unreadable`."""
    pieces: List[str] = []
    strings: List[str] = []
    position, size = 0, len(text)
    while True:
        mark = _MARK.search(text, position)
        if mark is None:
            pieces.append(text[position:])
            return _Code("".join(pieces), tuple(strings))
        at = mark.start()
        if text[at] == "#":
            pieces.append(text[position:at])
            position = text.find("\n", at)
            position = size if position < 0 else position
        elif text[at] == "\\":
            if text[at + 1 : at + 2] != "\n":
                raise _Unreadable
            pieces.append(text[position:at] + " ")
            position = at + 2
        else:
            start, end, formatted = _string(text, at, position)
            pieces.append(text[position:start] + (_FSTRING if formatted else _STRING))
            strings.append(text[start:end])
            position = end


def _string(text: str, at: int, floor: int) -> Tuple[int, int, bool]:
    """Return start (with prefix), end, and whether it is an f-string, of the string quoted at."""
    start = at
    while start > floor and at - start < 2 and text[start - 1] in _PREFIX_LETTERS:
        start -= 1
    if start > floor and (text[start - 1].isalnum() or text[start - 1] == "_"):
        start = at
    quote = text[at : at + 3] if text.startswith(text[at] * 3, at) else text[at]
    prefix = text[start:at].lower()
    if "f" in prefix or "t" in prefix:
        return start, _literal_end(text, at + len(quote), quote, "r" in prefix), True
    end = _END[quote].match(text, at + len(quote))
    if end is None:
        raise _Unreadable
    return start, end.end(), False


def _literal_end(text: str, position: int, quote: str, raw: bool) -> int:
    """Return where the f-string ends whose text goes on at ``position``."""
    search = _LITERAL_MARK[quote].search
    while True:
        mark = search(text, position)
        if mark is None:
            raise _Unreadable
        position, found = mark.end(), mark.group()
        if found == quote:
            return position
        if found == "\n":
            if len(quote) == 1:
                raise _Unreadable
        elif found == "\\":
            position = _after_escape(text, position, raw)
        elif text.startswith("{", position):
            position += 1
        else:
            position = _field_end(text, position)


def _after_escape(text: str, position: int, raw: bool) -> int:
    if not raw and text.startswith("N{", position):
        end = text.find("}", position)
        if end < 0:
            raise _Unreadable
        return end + 1
    return position if text.startswith("{", position) else position + 1


def _field_end(text: str, position: int) -> int:
    """Return where the replacement field ends that was opened before ``position``."""
    depth = 0
    while True:
        mark = _FIELD_MARK.search(text, position)
        if mark is None:
            raise _Unreadable
        floor, position, found = position, mark.end(), mark.group()
        if found in "([{":
            depth += 1
        elif found == "}" and depth == 0:
            return position
        elif found in ")]}":
            depth -= 1
        elif found == "#":
            position = text.find("\n", position)
            if position < 0:
                raise _Unreadable
        elif found != ":":
            position = _string(text, mark.start(), floor)[1]
        elif depth == 0:
            return _format_end(text, position)


def _format_end(text: str, position: int) -> int:
    """Return where the replacement field ends whose format goes on at ``position``."""
    while True:
        close = text.find("}", position)
        if close < 0:
            raise _Unreadable
        nested = text.find("{", position, close)
        if nested < 0:
            return close + 1
        position = _field_end(text, nested + 1)


def _digest(code: _Code) -> str:
    """Return the digest of the tokens of ``code``. Raises `_Unreadable`."""
    keep_docstrings = _READS_DOCSTRINGS.search(code.text) is not None
    out: List[str] = []
    kept: List[str] = []
    indents = [0]
    depth = taken = 0
    for line in code.text.split("\n"):
        count = line.count(_STRING) + line.count(_FSTRING)
        strings = code.strings[taken : taken + count]
        taken += count
        if depth == 0:
            body = line.lstrip(" \t\f")
            if not body or not (keep_docstrings or body.strip(_STRING + " \t\f")):
                continue
            _indent(line[: len(line) - len(body)], indents, out)
        out.append(line)
        kept.extend(strings)
        depth += _opened(line)
        if depth < 0:
            raise _Unreadable
        out.append(" " if depth else "\n")
    if depth:
        raise _Unreadable
    tokens = _TOKEN.findall("".join(out))
    state = hashlib.sha256("\x1f".join(tokens).encode("utf-8", "surrogatepass"))
    for string in kept:
        raw = string.encode("utf-8", "surrogatepass")
        state.update(b"\x00%d\x00" % len(raw) + raw)
    return state.hexdigest()


def _opened(line: str) -> int:
    """Return how many more brackets ``line`` opens than it closes."""
    count = line.count
    return (count("(") + count("[") + count("{")) - (count(")") + count("]") + count("}"))


def _indent(lead: str, indents: List[int], out: List[str]) -> None:
    """Write what the indentation ``lead`` opens or closes. Raises `_Unreadable`."""
    width = len(lead.rpartition("\f")[2].expandtabs(8))
    if width > indents[-1]:
        indents.append(width)
        out.append(_INDENT)
    while width < indents[-1]:
        indents.pop()
        out.append(_DEDENT)
    if width != indents[-1]:
        raise _Unreadable
