"""Names of values that differ between any two runs: times, durations, rates, uses of memory."""

from __future__ import annotations

import re

_WORDS = frozenset(
    (
        "time times timestamp timestamps datetime date duration durations elapsed runtime walltime "
        "seconds secs milliseconds ms minutes fps throughput latency created started finished "
        "ended uptime eta hostname host pid uuid memory mem rss vram speed sps"
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
