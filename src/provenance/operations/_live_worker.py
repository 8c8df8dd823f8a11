"""The process beside a run that follows it: lines of JSON in, lines to be told out.

It is a program of its own, of the lowest priority, so that reading what the run says never holds up
the relay of its output. Its end, however it comes about, is nobody's trouble. The first line of its
input says what to follow; when its input ends, it ends.
"""

from __future__ import annotations

import json
import os
import select
import time
from typing import Any, BinaryIO

from provenance.compare import tracking
from provenance.operations import _live_texts
from provenance.operations.following import Follower

EVERY_S = 30.0
"""The least seconds from a message that something is wrong to the next."""


def main() -> None:
    """Follow until the input ends."""
    try:
        os.nice(19)
    except OSError:
        pass
    with os.fdopen(0, "rb") as given, os.fdopen(1, "wb", buffering=0) as out:
        said = json.loads(given.readline())
        _follow(said, given, out)


def _follow(said: dict[str, Any], given: BinaryIO, out: BinaryIO) -> None:
    known = tracking.bands(said["curves"], said["rtol"], said["atol"])
    follower = Follower(said["folder"], [tuple(one) for one in said["logs"]], known)
    news = _live_texts.News(said["label"], len(said["curves"]))
    next_at = 0.0
    while True:
        tracks, pause = follower.timed()
        now = time.monotonic()
        if now >= next_at:
            text = news.text(tracks)
            if text:
                next_at = now + EVERY_S if news.grave else now
                out.write(json.dumps(text).encode("ascii") + b"\n")
        if select.select([given], [], [], pause)[0]:
            return


if __name__ == "__main__":
    main()
