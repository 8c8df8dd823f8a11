"""``prov claims``: the numbers and sentences of a paper, held against its runs."""

from __future__ import annotations

import os
import sys
from typing import Annotated

import typer

from provenance.cli import claimlines, envelope, options, report
from provenance.cli.style import Style
from provenance.errors import UsageError

app = typer.Typer(
    no_args_is_help=True,
    help="The claims of a paper in prov.yaml: checked against its runs, listed, added.",
)

_Names = Annotated[
    list[str] | None, typer.Argument(metavar="[NAME]...", help="Default: all claims.")
]
_Latex = Annotated[
    str | None,
    typer.Option("--latex", metavar="FILE", help="Write the table for the paper as LaTeX."),
]
_Macros = Annotated[
    str | None,
    typer.Option(
        "--macros", metavar="FILE", help="Write the measured numbers as LaTeX macros (\\provNAME)."
    ),
]
_Csv = Annotated[str | None, typer.Option("--csv", metavar="FILE", help="Write the table as CSV.")]
_Junit = Annotated[
    str | None, typer.Option("--junit", metavar="FILE", help="Also write JUnit XML.")
]


@app.command("check")
def check(
    names: _Names = None,
    replayed: Annotated[
        bool, typer.Option("--replayed", help="Judge by the newest replays and receipts.")
    ] = False,
    run: Annotated[
        str | None, typer.Option("--run", metavar="RUN", help="Judge by this run's values.")
    ] = None,
    strict: Annotated[
        bool, typer.Option("--strict", help="What could not be checked counts as failed.")
    ] = False,
    latex: _Latex = None,
    macros: _Macros = None,
    csv: _Csv = None,
    junit: _Junit = None,
    verbose: Annotated[
        bool, typer.Option("--verbose", "-v", help="Show tolerances and runs of all claims.")
    ] = False,
    markdown: options.Markdown = False,
    github: options.Github = False,
    json: options.Json = False,
) -> None:
    """Say of each claim whether its runs still bear it out.

    Exit code: 0 all hold, 1 one fails or is stale, 3 none could be checked.
    """
    from provenance.operations import claims

    report.require_one(json=json, markdown=markdown, github=github)
    if replayed and run is not None:
        raise UsageError("--replayed and --run exclude each other.", "choose one")
    wish = claims.Wish(os.getcwd(), dict(os.environ), tuple(names or ()), replayed, run)
    result = claims.check(wish)
    code = result.exit_code(strict)
    claimlines.write_files(result, {"latex": latex, "macros": macros, "csv": csv, "junit": junit})
    if json:
        envelope.put("claims-check", claims.as_json(result, strict))
    elif markdown:
        typer.echo(claimlines.markdown_of(result, code), nl=False)
    elif github:
        claimlines.put_github(result, code, strict, verbose)
    else:
        for line in claimlines.lines(result, code, Style(sys.stdout), verbose):
            typer.echo(line)
    raise typer.Exit(code)


@app.command("list")
def list_(json: options.Json = False) -> None:
    """List the claims with what they state and the runs that they name; nothing is checked."""
    from provenance.operations import claims

    found = claims.stated(os.getcwd())
    if json:
        envelope.put("claims-list", {"claims": [claims.claim_json(one) for one in found]})
        return
    if not found:
        typer.echo("prov.yaml states no claims; prov claims suggest RUN prints some to begin with")
    width = max((len(one.name) for one in found), default=0)
    for one in found:
        typer.echo("%s  %s" % (one.name.ljust(width), one.says or one.stated))
        of = ", ".join(one.selectors)
        stated = one.stated + "  " if one.says else ""
        typer.echo("%s  %s[%s]  %s" % (" " * width, stated, of, one.where))


@app.command("suggest")
def suggest(
    runs: Annotated[list[str], typer.Argument(metavar="RUN...", help="names, ids or tags")],
    json: options.Json = False,
) -> None:
    """Print claims for the metrics of runs as YAML, to be cut down to what the paper says."""
    from provenance.operations import _claims_edit

    text = _claims_edit.suggested(os.getcwd(), tuple(runs))
    if json:
        envelope.put("claims-suggest", {"yaml": text})
    else:
        typer.echo(text, nl=False)


@app.command("add")
def add(
    name: Annotated[str, typer.Argument(metavar="NAME", help="letters, digits, - _ .")],
    says: Annotated[str | None, typer.Option("--says", help="The paper's sentence.")] = None,
    run: Annotated[str | None, typer.Option("--run", metavar="RUN")] = None,
    metric: Annotated[str | None, typer.Option("--metric", metavar="M")] = None,
    value: Annotated[
        str | None,
        typer.Option("--value", metavar="V", help="As printed; default: what the run has."),
    ] = None,
    tolerance: Annotated[str | None, typer.Option("--tolerance", metavar="T")] = None,
    holds: Annotated[str | None, typer.Option("--holds", metavar="SENTENCE")] = None,
    parameter: Annotated[
        list[str] | None, typer.Option("--parameter", metavar="NAME=VALUE")
    ] = None,
    package: Annotated[list[str] | None, typer.Option("--package", metavar="NAME=VERSION")] = None,
    json: options.Json = False,
) -> None:
    """Write a claim into prov.yaml; what else stands there keeps its form and comments."""
    from provenance.operations import _claims_edit

    members = {
        "says": says, "run": run, "metric": metric, "value": value, "tolerance": tolerance,
        "holds": holds,
    }  # fmt: skip
    wish = _claims_edit.Wish(
        os.getcwd(), name, members, tuple(parameter or ()), tuple(package or ())
    )
    path, text = _claims_edit.add(wish)
    if json:
        envelope.put("claims-add", {"path": path, "yaml": text})
        return
    typer.echo("wrote into %s:" % os.path.relpath(path))
    typer.echo(text, nl=False)
    typer.echo("next: prov claims check %s" % name)
