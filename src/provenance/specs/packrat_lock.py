"""What a ``packrat.lock`` states: blocks of fields, one for each package of R."""

from __future__ import annotations

from provenance.specs._locked import Found, spec
from provenance.specs._text import brief, decoded
from provenance.specs.description import MOST_BYTES, blocks_of
from provenance.specs.model import (
    EXACT,
    NAMED,
    PACKAGE,
    Fact,
    R,
    Source,
    Spec,
    Unread,
    Unreadable,
)
from provenance.specs.renv_lock import language, placed_at, remote

FORMAT = "packrat.lock"


def read(source: Source) -> Spec:
    """Return what a packrat.lock states. Raises `Unreadable`."""
    blocks = list(blocks_of(decoded(source.data, MOST_BYTES)))
    if not blocks or "PackratFormat" not in blocks[0].fields:
        raise Unreadable("It names no PackratFormat: it is no lock of packrat.", 1)
    found: Found = []
    version = blocks[0].fields.get("RVersion")
    if version:
        found.append(language("r", version[0][0], "%s:%d" % (source.path, version[0][1])))
    for block in blocks[1:]:
        values = {name: " ".join(text for text, _ in lines) for name, lines in block.fields.items()}
        where = "%s:%d" % (source.path, block.line)
        if not values.get("Package"):
            found.append(Unread(where, brief(", ".join(values)), "This package has no name."))
            continue
        stated = values.get("Version", "")
        level = EXACT if stated else NAMED
        fact = Fact(PACKAGE, values["Package"], level, where, stated, ecosystem=R)
        fact = fact._replace(channel=values.get("Source", ""))
        found.append(placed_at(fact, remote(_remotes(values))))
    return spec(source, FORMAT, found)


def _remotes(values: dict[str, str]) -> dict[str, str]:
    """Return packrat's fields under renv's names."""
    return {
        "Source": values.get("Source", ""),
        "RemoteUsername": values.get("GithubUsername") or values.get("RemoteUsername", ""),
        "RemoteRepo": values.get("GithubRepo") or values.get("RemoteRepo", ""),
        "RemoteSha": values.get("GithubSha1") or values.get("RemoteSha", ""),
        "RemoteSubdir": values.get("GithubSubdir") or values.get("RemoteSubdir", ""),
        "RemoteUrl": values.get("RemoteUrl", ""),
    }
