"""Fingerprints as the SDK left them, each with the step of the metrics that were told before it."""

from __future__ import annotations

import json
from typing import Any, Iterator, List, Optional, Tuple

from provenance.core.context import Context
from provenance.facets import _sdk

_METRICS = b'["m",'
_MARKS = b'["f",'


def marked(context: Context) -> Iterator[Tuple[_sdk.Told, Any]]:
    """Yield every fingerprint with the step of the metrics that its process logged last before.

    None where there is no such step. The order is that of `_sdk.told`.
    """
    yield from zip(_sdk.told(context, "f"), _steps(context))


def _steps(context: Context) -> Iterator[Any]:
    process, last = "", b""
    for path in sorted((p for p in context.observed.sdk if p.endswith(".sdk")), key=_sdk._order):
        if _sdk._order(path)[0] != process:
            process, last = _sdk._order(path)[0], b""
        for raw in _sdk._lines(path):
            if raw.startswith(_METRICS):
                last = raw
            elif raw.startswith(_MARKS) and _parsed(raw) is not None:
                parts = _parsed(last)
                step = parts[2] if parts else None
                yield step if type(step) in (int, float) else None


def _parsed(raw: bytes) -> Optional[List[Any]]:
    """Return a line's parts, None where it is none: as `_sdk` sees it."""
    try:
        parts = json.loads(raw) if raw else None
    except (ValueError, RecursionError):
        return None
    return parts if isinstance(parts, list) and len(parts) >= 4 else None
