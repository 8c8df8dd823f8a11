"""What a ``requirements.txt`` states, line by line.

First form: names with version specifiers, as the ``packaging`` library reads them. Lines of pip's
own syntax (options, files, URLs) state nothing here and are passed over.
"""

from __future__ import annotations

import re
from typing import NamedTuple

from packaging.requirements import InvalidRequirement, Requirement
from packaging.utils import canonicalize_name


class Stated(NamedTuple):
    """One stated fact: a distribution, the versions allowed ("" for any), and where it stands."""

    name: str
    specifier: str
    where: str

    def allows(self, version: str) -> bool:
        """Return whether ``version`` is among the allowed ones."""
        requirement = Requirement("x" + self.specifier)
        return requirement.specifier.contains(version, prereleases=True)


def read(text: str, path: str) -> tuple[Stated, ...]:
    """Return what ``text``, the content of ``path``, states about packages."""
    found = []
    for number, line in enumerate(text.splitlines(), 1):
        bare = re.sub(r"(^|\s)#.*$", "", line).split(" --hash", 1)[0].rstrip("\\ ").strip()
        if not bare or bare.startswith("-"):
            continue
        try:
            one = Requirement(bare)
        except InvalidRequirement:
            continue
        if one.url is None and (one.marker is None or one.marker.evaluate()):
            place = "%s:%d" % (path, number)
            found.append(Stated(canonicalize_name(one.name), str(one.specifier), place))
    return tuple(found)
