"""Text that Markdown shows as it is."""

from __future__ import annotations

import re

_SPECIAL = re.compile(r"([\\`*_{}\[\]<>#|~$])")
_BREAK = re.compile(r"\s+")


def escape(text: str) -> str:
    """Return ``text`` so that it is shown as it is, on one line."""
    flat = _BREAK.sub(" ", "".join(c if c.isprintable() or c.isspace() else "?" for c in text))
    return _SPECIAL.sub(r"\\\1", flat).replace("&", "&amp;").strip()
