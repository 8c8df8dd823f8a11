"""How the user's own calls are compared: the modes, which one applies, how much it reached.

=========  ====================================================================
mode       what the calls are given
=========  ====================================================================
off        the calls are not compared
synthetic  data made up from the recorded types, shapes and ranges
cut        the real data, cut to its first rows where it is loaded
full       the cut data that the record or lock keeps
auto       ``cut`` for runs recorded here, ``off`` for a lock and for runs of others
=========  ====================================================================

Comparing calls runs the recorded code, so a lock that came with somebody's repository, or a run
that was fetched from somebody else, is not rehearsed until it is asked for.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from provenance.core.difference import Difference, NotCompared
from provenance.errors import UsageError
from provenance.operations.references import RUN, Reference
from provenance.store import team

AUTO, OFF, SYNTHETIC, CUT, FULL = "auto", "off", "synthetic", "cut", "full"
MODES = (AUTO, OFF, SYNTHETIC, CUT, FULL)
FACET = "calls"


class Coverage(NamedTuple):
    """How many of the places where the user's code calls a library were compared.

    mode: one of `MODES`. compared: sites whose results were held against each other. sites: all
    that were found. missed: how many were not compared, by reason ("noisy", "not reached").
    short: what made the calls come to less than the run's, in words, "" where nothing did: "epochs
    cut to 2", "stopped after 60 s at train.py:31".
    """

    mode: str
    compared: int
    sites: int
    missed: dict[str, int]
    short: str = ""


def mode(asked: str | None, stated: str, reference: Reference) -> str:
    """Return the mode for ``reference``: what was asked for, else stated in the settings.

    Raises `UsageError` where it is not one.
    """
    chosen = asked or stated
    if chosen not in MODES:
        raise UsageError("--calls %r is not a mode." % chosen, "one of " + ", ".join(MODES))
    if chosen != AUTO:
        return chosen
    return CUT if _is_ours(reference) else OFF


def _is_ours(reference: Reference) -> bool:
    """Return whether the run was recorded here."""
    return reference.kind == RUN and team.origin(reference.source) is None


def left_out(
    asked: str | None, stated: str, reference: Reference, differences: Sequence[Difference]
) -> tuple[NotCompared, ...]:
    """Return the sentence that says how to compare the calls of others, where nobody decided.

    Nothing where no version differs: then there is nothing to find.
    """
    decided = (asked or stated) != AUTO or _is_ours(reference)
    if decided or not any(one.kind == "version" for one in differences):
        return ()
    carried = reference.calls.get("mode")
    whose = "of a run that was fetched" if reference.kind == RUN else "of a lock"
    text = "the code " + whose + " is run only when you ask for it: --calls %s"
    return (NotCompared(FACET, "your calls", text % (carried if carried in MODES else CUT)),)
