"""``prov diff``."""

from __future__ import annotations

import os
import sys
from typing import Annotated

import typer

from provenance.cli import envelope, findings, options, report, results, summary
from provenance.cli.style import Style


def command(
    old: Annotated[str, typer.Argument(metavar="RUN")],
    new: Annotated[str, typer.Argument(metavar="RUN")],
    rtol: options.Rtol = None,
    atol: options.Atol = None,
    verbose: options.Verbose = False,
    markdown: options.Markdown = False,
    json: options.Json = False,
) -> None:
    """Compare two recorded runs: what differs, why it matters, and what came out."""
    from provenance.operations import diff

    report.require_one(json=json, markdown=markdown)
    result = diff.diff(os.getcwd(), old, new, rtol, atol)
    if json:
        envelope.put("diff", diff.as_json(result))
        return
    style = Style(sys.stdout)
    heading = "%s  vs  %s" % (summary.headline(result.old), summary.headline(result.new))
    if markdown:
        notes = ("results: %s: %s" % (result.judged.verdict.upper(), result.judged.summary),)
        part = report.section(
            heading, result.findings, result.facts, result.not_compared, None, notes
        )
        report.put_markdown("prov diff: %s" % result.verdict.upper(), [part])
        return
    typer.echo(heading)
    shown = findings.lines(result.findings, style, verbose)
    shown += results.lines(result.results, style)
    shown.append(findings.compared_line(result.facts))
    shown += findings.not_compared_lines(result.not_compared, verbose)
    tally = findings.tally(result.findings)
    shown.append("causes: %s%s" % (result.verdict.upper(), ": " + tally if tally else ""))
    shown.append("results: %s: %s" % (result.judged.verdict.upper(), result.judged.summary))
    for line in shown:
        typer.echo(line)
