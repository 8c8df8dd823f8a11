"""Whether a run read anything from elsewhere that is worth asking for; cheap where it did not."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from provenance.config import Settings, is_url
from provenance.core.context import Context
from provenance.core.record import Payload
from provenance.facets import _remote


def declared(data: tuple[str, ...], settings: Settings) -> dict[str, Any]:
    """Return the members of a context that say which data the user and the settings declare.

    data: paths and addresses, of which none has a local path.
    """
    urls = tuple((one, "") for one in data if is_url(one))
    return {
        "declared_data": tuple(one for one in data if not is_url(one)) + settings.data,
        "declared_sources": urls + settings.sources,
    }


@contextmanager
def asking(context: Context, limit_s: float, answers: dict[str, Payload]) -> Iterator[None]:
    """While in the context, ask servers for the versions that the run did not learn itself.

    limit_s: seconds that they have; 0: nobody is asked. What they said is put into the data among
    ``answers``.
    """
    if not limit_s or all(one.versioned for one in _remote.remotes(context)):
        yield
        return
    from provenance.operations import remote_data  # and with it the clients: only where needed

    asked = remote_data.Asked(context, limit_s)
    yield
    if "data" in answers:
        answers["data"] = asked.told(answers["data"])
