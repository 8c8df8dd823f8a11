"""What DVC's files state of the data that a run read: which file, which stage, which remote."""

from __future__ import annotations

from typing import Any, Dict, Iterable, NamedTuple, Optional, Tuple

from provenance.core import codec
from provenance.core.context import Context
from provenance.core.paths import PathRef
from provenance.core.record import Subject
from provenance.core.redact import without_credentials
from provenance.facets._entries import Places


class Tracked(NamedTuple):
    """A file or folder that DVC tracks and the run read, or read files of.

    path: of it. file: the DVC file that states it. stage: of ``dvc.lock``, "" in ``x.dvc``. md5:
    as stated, with ".dir" for the list of a folder. remote, url: of DVC, where its content is
    pushed, without credentials; "" where nowhere is named. origin: address and revision that it was
    imported from. same: whether what the run read is what was stated; None where not known.
    """

    path: PathRef
    file: PathRef
    stage: str = ""
    md5: str = ""
    remote: str = ""
    url: str = ""
    origin: str = ""
    same: Optional[bool] = None

    def to_json(self) -> Dict[str, Any]:
        """Return the JSON form, without what says nothing."""
        found = {name: codec.encode(value) for name, value in zip(self._fields, self)}
        return {name: value for name, value in found.items() if value not in ("", None)}


def tracked(context: Context, paths: Iterable[str]) -> Tuple[Tracked, ...]:
    """Return what DVC states of ``paths``, which are absolute."""
    if context.ahead is None:
        return ()
    places, clean = Places(context), context.redact.text
    return tuple(
        Tracked(
            places.refer(one.path),
            places.refer(one.file),
            clean(one.told.stage),
            one.told.md5,
            clean(one.remote.name),
            clean(without_credentials(one.remote.url)),
            clean(without_credentials(one.told.origin)),
            one.same,
        )
        for one in context.ahead.tracked(paths)
    )


def of(subjects: Iterable[Subject]) -> Tuple[Tracked, ...]:
    """Return what all ``subjects`` say of DVC. Raises ValueError where that is no such thing."""
    return tuple(
        codec.decode(Tracked, one, "dvc[]")
        for subject in subjects
        for one in subject.payload.get("dvc", [])
    )


def notes(found: Iterable[Tracked]) -> Tuple[str, ...]:
    """Return sentences on data that DVC does not hold as it was read."""
    text = "%s is not what %s states: `dvc commit` or `dvc add` it, else DVC does not bring it back"
    return tuple(text % (one.path, one.file) for one in found if one.same is False)[:20]


def hint(path: PathRef, found: Iterable[Tracked]) -> str:
    """Return how DVC brings back a file that is not here, "" where it cannot."""
    for one in found:
        inside = path.path == one.path.path or path.path.startswith(one.path.path + "/")
        if inside and path.root == one.path.root and (one.url or one.origin):
            return "; `dvc pull %s` brings it" % (one.path,)
    return ""
