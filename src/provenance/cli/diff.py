"""``prov diff``: two runs, or two files, folders or outputs of runs."""

from __future__ import annotations

import os
from typing import Annotated

import typer

from provenance.cli import diff_curves, diff_files, diff_ported, diff_runs, options, report
from provenance.errors import UsageError

_ExitCode = Annotated[
    bool,
    typer.Option("--exit-code", help="Of two runs too: exit 1 where they differ, as for files."),
]
_Map = Annotated[
    str | None,
    typer.Option(
        "--map", metavar="FILE", help="Names and layouts of tensors of one file in the other's."
    ),
]
_GuessMap = Annotated[
    str | None,
    typer.Option("--guess-map", metavar="FILE", help="Write a first map for two files to FILE."),
]
_Outputs = Annotated[
    bool,
    typer.Option("--outputs", help="The files hold outputs of two models for the same input."),
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
    tensor_map: _Map = None,
    guess_map: _GuessMap = None,
    outputs: _Outputs = False,
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
    if tensor_map or guess_map or outputs:
        ported = diff_ported.Wanted(tensor_map, guess_map, outputs, limits)
        meant = loose.sides(cwd, old, new)
        raise typer.Exit(diff_ported.show(meant, ported, verbose, markdown, json))
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
        result = result._replace(notes=(*sides.notes, *result.notes))
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
    found = loose.diff(sides, rtol, atol, ulp)
    diff_files.show(found, verbose, markdown, json)
    raise typer.Exit(found.exit_code)
