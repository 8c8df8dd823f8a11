"""``prov diff --map``, ``--guess-map`` and ``--outputs``: one framework's model in another."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import typer

from provenance.cli import diff_files, envelope, report
from provenance.cli.style import plural

if TYPE_CHECKING:
    from provenance.operations._sides import Sides
    from provenance.operations.allowed import Limits
    from provenance.operations.porting import Guessed


class Wanted(NamedTuple):
    """What was asked for: a map to use, a map to write, or outputs; and the tolerance."""

    tensor_map: str | None
    guess_map: str | None
    outputs: bool
    limits: Limits


def show(sides: Sides, wanted: Wanted, verbose: bool, markdown: bool, json: bool) -> int:
    """Do what was asked for, print it, and return the exit code. Raises `ProvError`."""
    from provenance.operations import porting

    report.require_one(
        **{
            "map": wanted.tensor_map is not None,
            "guess-map": wanted.guess_map is not None,
            "outputs": wanted.outputs,
        }
    )
    if wanted.guess_map is not None:
        _guessed(porting.guess(sides, wanted.guess_map), json)
        return 0
    if wanted.tensor_map is not None:
        found = porting.mapped(sides, wanted.tensor_map, wanted.limits)
    else:
        found = porting.outputs(sides, wanted.limits)
    diff_files.show(found, verbose, markdown, json)
    return found.exit_code


def _guessed(found: Guessed, json: bool) -> None:
    if json:
        envelope.put("diff", {"guessed": found._asdict()})
        return
    words = ["%d by %s" % (count, sure) for sure, count in found.pairs.items()]
    typer.echo("wrote %s: %s" % (found.path, ", ".join(words) or "no pair was found"))
    for count, which in zip(found.unmatched, ("first", "second"), strict=True):
        if count:
            typer.echo(
                "  %s of the %s file without a counterpart" % (plural(count, "tensor"), which)
            )
    typer.echo("next: read it, mend it, then: prov diff OLD NEW --map %s" % found.path)
