"""What differs between any two runs, however equal they are: times, durations, process numbers.

Told apart by names (``train_time_s``) and by form (``2025-01-02 03:04:05``, ``12.3it/s``), so that
they never count as a different result. A form is here only where a result can't have it: a number
alone never is, and neither is a bare word that might be a host's name.
"""

from __future__ import annotations

import re

_UNIT = r"(?:ns|us|µs|ms|s|sec|secs|seconds?|min|mins|minutes?|hours?|h)"
_FORMS = tuple(
    (name, re.compile(form))
    for name, form in (
        ("events", r"\bevents\.out\.tfevents\.\d+\.[\w.\-]+"),
        ("uuid", r"\b[0-9a-f]{8}-(?:[0-9a-f]{4}-){3}[0-9a-f]{12}\b"),
        (
            "time",
            r"\b\d{4}-\d\d-\d\d(?:[T _]\d\d[:\-]?\d\d(?:[:\-]?\d\d(?:[.,]\d+)?)?"
            r"(?:Z|[+-]\d\d:?\d\d)?)?",
        ),
        ("time", r"\b\d{8}[T_\-]\d{6}Z?(?:-[0-9a-f]{8})?\b"),
        ("time", r"\b(?:Mon|Tue|Wed|Thu|Fri|Sat|Sun),? +\w{3} +\d{1,2}\b"),
        (
            "address",
            r"(?<![\d.])(?:(?:127|10)\.\d{1,3}|192\.168|172\.(?:1[6-9]|2\d|3[01]))(?:\.\d{1,3}){2}"
            r"(?::\d+)?\b(?!\.\d)"
            r"|\b(?:\d{1,3}\.){3}\d{1,3}:\d{2,5}\b|\blocalhost:\d+",
        ),
        ("port", r"(?i)\bport[ =:]+\d+"),
        ("time", r"\b(?:\d+ days?, )?\d{1,3}:\d\d(?::\d\d)?(?:[.,]\d+)?\b"),
        ("time", r"(?<![\d.])1[4-9]\d{8}(?:\.\d+|\d{3})?(?![\d.])"),
        ("rate", r"\b\d+(?:\.\d+)? ?(?:[a-zA-Z]+/s|s/[a-zA-Z]+|[KMG]i?B/s)"),
        ("duration", r"(?<![\w.])\d+(?:\.\d+)?(?:e-?\d+)? ?%s\b" % _UNIT),
        ("address", r"\b0x[0-9a-fA-F]{4,}\b"),
        ("process", r"(?i)\b(?:pid|process|ppid|process id|worker pid)\b[ =:]+\d+"),
        ("host", r"(?i)\b(?:host|hostname|node ?name)(?:[=:] ?[\w.\-]+| +[a-z][\w.\-]*\d[\w.\-]*)"),
        # The folder that TensorBoard's SummaryWriter of torch makes: month, day, time, host.
        (
            "time",
            r"\b(?:Jan|Feb|Mar|Apr|May|Jun|Jul|Aug|Sep|Oct|Nov|Dec)\d\d_\d\d-\d\d-\d\d_[\w.\-]+",
        ),
        ("path", r"(?<![\w.:/])(?:/[\w.@+\-]+)+/"),
        ("path", r"(?<![\w])tmp(?=[a-z0-9_]{0,7}\d)[a-z0-9_]{8}\b"),
    )
)
_PROGRAM = re.compile(
    r"^(\W*<time>[^\[\]<>]{0,60}?\b(?!epoch|step|iter|batch|fold|layer|loss)[A-Za-z_][\w.\-]*)"
    r"\[\d{2,7}\](?=[:\s])"
)
"""A line of a log: a time, and behind the name of the program the number of its process."""
_CLOCK = frozenset(("time", "rate", "duration"))
_MIDNIGHT = re.compile(r"^(\d{4}-\d\d-\d\d)[T ]00:00:00(?:\.0+)?(?:Z|\+00:00)?$")
_SET = re.compile(r"\{('[^'{}]*'(?:, '[^'{}]*')+)\}")
"""How Python prints a set of texts: its order follows from the hash seed, and says nothing."""


def masked(text: str) -> str:
    """Return ``text`` with everything volatile in it replaced by what it is: ``<time>``.

    Printed sets of texts are put into one order.
    """
    for name, form in _FORMS:
        text = form.sub("<%s>" % name, text)
    if "[" in text:
        text = _PROGRAM.sub(r"\1[<process>]", text)
    return _SET.sub(_in_order, text) if "{'" in text else text


def masked_data(text: str) -> str:
    """Return ``text``, a cell of data, with what is volatile in it replaced, but for times.

    When something was measured and how long it took is what such a cell says.
    """
    for name, form in _FORMS:
        if name not in _CLOCK:
            text = form.sub("<%s>" % name, text)
    return _MIDNIGHT.sub(r"\1", text)


def _in_order(match: re.Match[str]) -> str:
    return "{%s}" % ", ".join(sorted(match[1].split(", ")))
