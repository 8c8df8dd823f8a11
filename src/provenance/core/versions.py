"""Ordering of version numbers, enough to tell on which side of a release an installed one stands.

Follows the ordering rules of the Python packaging specification (epoch, release, pre-, post- and
development releases; the local part is ignored, since ``2.1.0+cu121`` is release 2.1.0). A test
holds it against the ``packaging`` library, which cannot be used here: this runs in any interpreter.
"""

from __future__ import annotations

import re
from typing import Any, Tuple

_FORM = (
    r"^\s*v?(?:(?P<epoch>\d+)!)?(?P<release>\d+(?:\.\d+)*)"
    r"(?:[-_.]?(?P<pre>alpha|beta|preview|pre|a|b|c|rc)[-_.]?(?P<pre_n>\d*))?"
    r"(?P<post>-(?P<post_1>\d+)|[-_.]?(?:post|rev|r)[-_.]?(?P<post_2>\d*))?"
    r"(?P<dev>[-_.]?dev[-_.]?(?P<dev_n>\d*))?"
    r"(?:\+(?P<local>[a-z0-9]+(?:[-_.][a-z0-9]+)*))?\s*$"
)
"""Compiled at its first use, by ``re`` itself: most runs order no versions."""
_PRE = {"alpha": "a", "beta": "b", "c": "rc", "pre": "rc", "preview": "rc"}
_BEFORE, _AFTER = (-1, "", 0), (1, "", 0)


def key(version: str) -> Tuple[Any, ...]:
    """Return a sort key for ``version``. Raises ValueError where it is not a version."""
    match = re.match(_FORM, version, re.IGNORECASE)
    if match is None:
        raise ValueError("not a version number: %r" % version)
    part = match.groupdict()
    release = tuple(int(n) for n in part["release"].split("."))
    while len(release) > 1 and release[-1] == 0:
        release = release[:-1]
    dev = (0, int(part["dev_n"] or 0)) if part["dev"] else (1, 0)
    post = (1, int(part["post_1"] or part["post_2"] or 0)) if part["post"] else (0, 0)
    if part["pre"]:
        letter = part["pre"].lower()
        pre: Tuple[Any, ...] = (0, _PRE.get(letter, letter), int(part["pre_n"] or 0))
    else:
        pre = _BEFORE if part["dev"] and not part["post"] else _AFTER
    return (int(part["epoch"] or 0), release, pre, post, dev)


def is_version(text: str) -> bool:
    """Return whether ``text`` is a version number that can be ordered."""
    return re.match(_FORM, text, re.IGNORECASE) is not None


def requirement(name: str, asked: str) -> str:
    """Return what pip is asked for, ready for a shell; asked: "1.1.3", "1.4.*" or ">=1,<2"."""
    if asked[:1] in "<>=!~":
        return "'%s%s'" % (name, asked)
    return "'%s==%s'" % (name, asked) if "*" in asked else "%s==%s" % (name, asked)


def crossed(old: str, new: str, boundary: str) -> bool:
    """Return whether ``boundary`` lies between the two versions, in either direction.

    The boundary belongs to its newer side: going from 1.3.2 to 1.4.0 crosses 1.4. Pre-releases of
    the boundary count as its newer side, since they carry its changes. Versions that are not
    numbers cross nothing.
    """
    if not (is_version(old) and is_version(new)):
        return False
    start = key(boundary)[:2]
    return (key(old)[:2] < start) != (key(new)[:2] < start)
