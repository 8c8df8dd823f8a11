"""Times as records state them: ISO 8601, UTC with offset, milliseconds."""

from __future__ import annotations

import time


def stamp(now: float) -> str:
    """Return ``now`` (seconds since the epoch) as records state times."""
    whole = time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime(now))
    return "%s.%03d+00:00" % (whole, int(now % 1 * 1000))
