"""What differs between any two runs, however equal they are: times, durations, process numbers.

Told apart by names (``train_time_s``) and by form (``2025-01-02 03:04:05``, ``12.3it/s``), so that
they never count as a different result.
"""

from __future__ import annotations

import re

_WORDS = frozenset(
    (
        "time times timestamp timestamps datetime date duration durations elapsed runtime walltime "
        "seconds secs milliseconds ms minutes fps throughput latency created started finished "
        "ended uptime eta hostname host pid uuid memory mem rss vram speed"
    ).split()
)
_NOT_AFTER_TIME = frozenset(
    "step steps series dim dims index idx embedding embed point points lag".split()
)
_SPLIT = re.compile(r"[^A-Za-z0-9]+|(?<=[a-z0-9])(?=[A-Z])")
_PER_SECOND = re.compile(r"per_?(?:second|sec|s)$|/s$", re.I)


def is_volatile_name(name: str) -> bool:
    """Return whether a value of this name is a time, a duration, a rate or of the machine.

    Only the last part of a path of keys counts: ``time/acc`` is an accuracy.
    """
    last = name.rsplit("/", 1)[-1] if not name.endswith("/s") else name
    if _PER_SECOND.search(last):
        return True
    words = [word.lower() for word in _SPLIT.split(last) if word]
    for place, word in enumerate(words):
        following = words[place + 1] if place + 1 < len(words) else ""
        if word in _WORDS and following not in _NOT_AFTER_TIME:
            return True
    return False


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
