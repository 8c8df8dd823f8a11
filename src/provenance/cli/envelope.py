"""The versioned JSON envelope: ``{"schema", "data", "errors"}``, the stable interface of 0.x."""

from __future__ import annotations

import sys
from typing import Any

from provenance.core import canonical
from provenance.errors import ProvError


def put(verb: str, data: Any, errors: tuple[ProvError, ...] = ()) -> None:
    """Print the envelope of ``verb`` to stdout."""
    document = {
        "schema": "prov/%s/1" % verb,
        "data": data,
        "errors": [{"code": one.code, "message": one.message, "hint": one.hint} for one in errors],
    }
    sys.stdout.write(canonical.dumps(document))
    sys.stdout.flush()
