"""What differs between any two runs, however equal they are: times, durations, process numbers.

Told apart by names (``train_time_s``) and by form (``2025-01-02 03:04:05``, ``12.3it/s``), so that
they never count as a different result.
"""

from __future__ import annotations

import re

_UNIT = r"(?:ns|us|µs|ms|s|sec|secs|seconds?|min|mins|minutes?|hours?|h)"
_FORMS = tuple(
    (name, re.compile(form))
    for name, form in (
        ("uuid", r"\b[0-9a-f]{8}-(?:[0-9a-f]{4}-){3}[0-9a-f]{12}\b"),
        (
            "time",
            r"\b\d{4}-\d\d-\d\d(?:[T _]\d\d[:\-]?\d\d(?:[:\-]?\d\d(?:[.,]\d+)?)?"
            r"(?:Z|[+-]\d\d:?\d\d)?)?",
        ),
        ("time", r"\b\d{8}[T_\-]\d{6}Z?(?:-[0-9a-f]{8})?\b"),
        ("time", r"\b(?:Mon|Tue|Wed|Thu|Fri|Sat|Sun),? +\w{3} +\d{1,2}\b"),
        ("time", r"\b(?:\d+ days?, )?\d{1,3}:\d\d(?::\d\d)?(?:[.,]\d+)?\b"),
        ("time", r"(?<![\d.])1[4-9]\d{8}(?:\.\d+|\d{3})?(?![\d.])"),
        ("rate", r"\b\d+(?:\.\d+)? ?(?:[a-zA-Z]+/s|s/[a-zA-Z]+|[KMG]i?B/s)"),
        ("duration", r"(?<![\w.])\d+(?:\.\d+)?(?:e-?\d+)? ?%s\b" % _UNIT),
        ("address", r"\b0x[0-9a-fA-F]{4,}\b"),
        ("process", r"(?i)\b(?:pid|process|ppid)\b[ =:]+\d+"),
        ("path", r"(?<![\w.:/])(?:/[\w.@+\-]+)+/"),
    )
)


def masked(text: str) -> str:
    """Return ``text`` with everything volatile in it replaced by what it is: ``<time>``."""
    for name, form in _FORMS:
        text = form.sub("<%s>" % name, text)
    return text
