"""The ``prov`` command. ``prov run`` takes a path of its own that loads next to nothing."""

from __future__ import annotations

import sys
import time
from typing import NoReturn

_STARTED = time.monotonic()


def main(words: list[str] | None = None) -> NoReturn:
    """Run the command line ``words`` (default: the process's own) and end the process."""
    words = sys.argv[1:] if words is None else words
    if words[:1] == ["run"]:
        from provenance.cli import run

        run.main(words[1:], _STARTED)
    try:
        from provenance.cli import app
    except KeyboardInterrupt:  # while the program is loaded: there is nothing to be told about
        sys.exit(130)
    app.main(words)
