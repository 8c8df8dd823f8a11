"""``prov diff``: two runs, or two files, folders or outputs of runs."""

from __future__ import annotations

import os
from typing import Annotated

import typer

from provenance.cli import diff_curves, diff_files, diff_runs, options, report
from provenance.errors import UsageError

_ExitCode = Annotated[
    bool,
    typer.Option("--exit-code", help="Of two runs too: exit 1 where they differ, as for files."),
]


_Plot = Annotated[
    bool,
    typer.Option(
        "--plot", help="Draw the curves in the terminal; with FILE.svg after it, into that file."
    ),
]


def command(
    old: Annotated[str, typer.Argument(metavar="RUN|FILE|RUN:PATH")],
    new: Annotated[str, typer.Argument(metavar="RUN|FILE|RUN:PATH")],
    third: Annotated[str | None, typer.Argument(metavar="[FILE.svg]", show_default=False)] = None,
    rtol: options.Rtol = None,
    atol: options.Atol = None,
    ulp: options.Ulp = None,
    like: options.Like = None,
    plot: _Plot = False,
    exit_code: _ExitCode = False,
    verbose: options.Verbose = False,
    markdown: options.Markdown = False,
    json: options.Json = False,
) -> None:
    """Compare two recorded runs: what differs, why it matters, and what came out.

    Or two files or folders by what they say: tables, arrays, checkpoints, notebooks, images, text,
    each by its kind. RUN:PATH is an output of a run. Exit code for files: 0 same or within
    tolerance, 1 different, 3 not compared.
    """
    from provenance.operations import curve_diff, diff, loose
    from provenance.operations.allowed import Limits

    report.require_one(json=json, markdown=markdown)
    words = [old, new, *([third] if third is not None else [])]
    (old, new), out = diff_curves.outlet(words, plot)
    cwd, limits = os.getcwd(), Limits(rtol, atol, ulp)
    drawn = plot and out is None and not (json or markdown)
    if curve_diff.is_meant(cwd, old, new, plot):
        curves = curve_diff.diff(cwd, old, new, limits, like or ())
        if out is not None:
            diff_curves.write(out, curves)
        diff_curves.show(curves, drawn, verbose, markdown, json)
        raise typer.Exit(curves.exit_code)
    sides = loose.sides(cwd, old, new)
    if sides.runs is not None:
        result = diff.diff(cwd, *sides.runs, limits, like or ())
        if out is not None:
            diff_curves.write(out, curve_diff.of_runs(result, cwd))
        diff_runs.show(result, verbose, markdown, json)
        if drawn:
            diff_curves.draw(curve_diff.of_runs(result, cwd))
        raise typer.Exit(diff.exit_code(result) if exit_code else 0)
    if plot:
        raise UsageError(
            "%s and %s hold no curves to draw." % (old, new),
            "--plot takes runs, and tables, JSON or event files with numbers by step",
        )
    found = loose.diff(sides, rtol, atol)
    diff_files.show(found, verbose, markdown, json)
    raise typer.Exit(found.exit_code)
