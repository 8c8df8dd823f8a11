"""``prov diff`` of two recorded runs."""

from __future__ import annotations

import io
import sys
from typing import Any

import typer

from provenance.cli import curves, envelope, findings, parting, report, results, summary
from provenance.cli.style import Style


def _curve_notes(result: Any) -> list[str]:
    """Return tolerances and curves as sentences for a report."""
    found = results.tolerances(result.results.metrics)
    found += curves.lines(curves.of_metrics(result.results.metrics), Style(io.StringIO()))
    return [one.strip() for one in found if one.strip() != "curves:"]


def show(result: Any, verbose: bool, markdown: bool, json: bool) -> None:
    """Print what differs between two runs, why it matters, and what came out."""
    from provenance.operations import diff

    if json:
        envelope.put("diff", diff.as_json(result))
        return
    heading = "%s  vs  %s" % (summary.headline(result.old), summary.headline(result.new))
    if markdown:
        told = "results: %s: %s" % (result.judged.verdict.upper(), result.judged.summary)
        notes = (*parting.notes(result.parted), told, *_curve_notes(result), *result.notes)
        part = report.section(
            heading, result.findings, result.facts, result.not_compared, None, notes
        )
        report.put_markdown("prov diff: %s" % result.verdict.upper(), [part])
        return
    typer.echo(heading)
    style = Style(sys.stdout)
    shown = parting.lines(result.parted, style)
    shown += findings.lines(result.findings, style, verbose)
    shown += results.lines(result.results, style, verbose)
    shown += ["  ! " + note for note in result.notes]
    shown.append(findings.compared_line(result.facts))
    shown += findings.not_compared_lines(result.not_compared, verbose)
    tally = findings.tally(result.findings)
    shown.append("causes: %s%s" % (result.verdict.upper(), ": " + tally if tally else ""))
    shown.append("results: %s: %s" % (result.judged.verdict.upper(), result.judged.summary))
    for line in shown:
        typer.echo(line)
