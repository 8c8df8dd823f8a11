"""The one JSON form of everything that is kept, and the seal of a closed record.

Canonical form: UTF-8, keys sorted, two spaces of indentation (a reviewer reads it and git diffs it
line by line), a final newline, and no NaN or infinity: those are ``{"float": "nan"}``,
``{"float": "inf"}`` and ``{"float": "-inf"}``. The seal is the SHA-256 of the compact canonical
form of the document without its ``sha256`` member.
"""

from __future__ import annotations

import json
import math
from typing import Any, Dict

SEAL = "sha256"


def plain(value: Any) -> Any:
    """Return ``value`` with non-finite floats spelled out and tuples as lists; keys become text."""
    if isinstance(value, float):
        if math.isfinite(value):
            return value
        return {"float": "nan" if math.isnan(value) else ("inf" if value > 0 else "-inf")}
    if isinstance(value, dict):
        return {str(key): plain(item) for key, item in value.items()}
    if isinstance(value, (list, tuple)):
        return [plain(item) for item in value]
    return value


def number(value: Any) -> Any:
    """Undo `plain` for one value: ``{"float": "nan"}`` becomes the float it stands for."""
    if isinstance(value, dict) and set(value) == {"float"}:
        return float(value["float"])
    return value


def dumps(value: Any) -> str:
    """Return the canonical text of ``value``: sorted keys, indented, newline at the end."""
    text = json.dumps(plain(value), sort_keys=True, indent=2, ensure_ascii=False, allow_nan=False)
    return _encodable(text) + "\n"


def compact(value: Any) -> bytes:
    """Return the shortest canonical bytes of ``value``: what digests are taken of."""
    text = json.dumps(
        plain(value), sort_keys=True, separators=(",", ":"), ensure_ascii=False, allow_nan=False
    )
    return _encodable(text).encode("utf-8")


def _encodable(text: str) -> str:
    """Return ``text`` with lone surrogates (undecodable bytes) written as JSON escapes."""
    if text.isascii():
        return text
    try:
        text.encode("utf-8")
    except UnicodeEncodeError:
        return "".join("\\u%04x" % ord(c) if 0xD800 <= ord(c) <= 0xDFFF else c for c in text)
    return text


def digest(value: Any) -> str:
    """Return the hex SHA-256 of the compact canonical form of ``value``."""
    import hashlib  # loads OpenSSL: 3 ms that the start of a run need not pay

    return hashlib.sha256(compact(value)).hexdigest()


def seal(document: Dict[str, Any]) -> Dict[str, Any]:
    """Return ``document`` with its own digest under ``sha256``, replacing an earlier one."""
    body = {key: item for key, item in document.items() if key != SEAL}
    return dict(body, **{SEAL: digest(body)})


def seal_holds(document: Dict[str, Any]) -> bool:
    """Return whether the ``sha256`` member of ``document`` is the digest of the rest of it."""
    body = {key: item for key, item in document.items() if key != SEAL}
    return document.get(SEAL) == digest(body)
