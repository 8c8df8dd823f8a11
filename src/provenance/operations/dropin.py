"""Whether the drop-in test of a repository is the one that this version ships.

Its first lines name its version and the SHA-256 of what follows. That digest stands in the file
itself, so it tells a slip from a release, not a forger: only the comparison with the file that this
version makes proves anything.
"""

from __future__ import annotations

import os
from typing import NamedTuple

from provenance import __version__, pack
from provenance.operations import initialise
from provenance.store import project

SHIPPED, MISSING = pack.SHIPPED, "missing"


class Found(NamedTuple):
    """path: of the test. state: `SHIPPED`, "of another version", "changed" or `MISSING`.

    version: the one that the file names, "" where it names none. sentence: all of it for people.
    """

    path: str
    state: str
    version: str
    sentence: str


def check(cwd: str) -> Found:
    """Return what the drop-in test of the project around ``cwd`` is."""
    path = initialise.test_path(project.find(cwd).root)
    shown = os.path.relpath(path, cwd)
    try:
        with open(path, encoding="utf-8", newline="") as stream:
            text = stream.read()
    except FileNotFoundError:
        return Found(path, MISSING, "", "%s is not here: prov init --test writes it." % shown)
    except (OSError, UnicodeDecodeError) as error:
        why = getattr(error, "strerror", None) or "it is not UTF-8"
        return Found(path, pack.CHANGED, "", "%s cannot be read: %s." % (shown, why))
    state, version = pack.state_of(text)
    told = _TOLD[state] if version or state == SHIPPED else _UNSTAMPED
    return Found(path, state, version, told % {"path": shown, "old": version, "new": __version__})


_RENEW = "renew it: rm %(path)s; prov init --test"
_TOLD = {
    pack.SHIPPED: "%(path)s is the drop-in test of prov %(new)s, byte for byte.",
    pack.OTHER: "%(path)s is the drop-in test of another prov, %(old)s, unchanged by its own "
    "digest; this is %(new)s: " + _RENEW,
    pack.CHANGED: "%(path)s was changed since prov %(old)s made it: " + _RENEW,
}
_UNSTAMPED = "%(path)s does not name the prov that made it: of an early one, or not ours: " + _RENEW
