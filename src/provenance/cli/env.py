"""``prov env``: the recorded environment as a folder, or as a file of another tool."""

from __future__ import annotations

import os
from typing import Annotated

import typer

from provenance.cli import envelope, options
from provenance.cli.progress import Stages
from provenance.cli.style import plural

app = typer.Typer(
    no_args_is_help=True,
    help="The recorded environment: built into a folder, or written as a file of another tool.",
)

_Reference = Annotated[
    str | None,
    typer.Argument(metavar="RUN|prov.lock", help="Default: prov.lock, else the last run."),
]


@app.command("create")
def create(
    reference: _Reference = None,
    at: Annotated[
        str, typer.Option("--at", metavar="DIR", help="A folder that is new or empty.")
    ] = ".venv",
    offline: Annotated[
        bool, typer.Option("--offline", help="Only from uv's cache and what is kept here.")
    ] = False,
    json: options.Json = False,
) -> None:
    """Build the recorded environment into a folder, with uv.

    Exactly the recorded versions; files whose hashes are in prov.lock must have them. After the
    releases come commits of repositories, kept wheels, and editable installs. The folder is whole,
    or as it was before.
    """
    from provenance.operations import creating

    with Stages() as stages:
        wish = creating.Wish(os.getcwd(), dict(os.environ), reference, at, offline, stages)
        made = creating.create(wish)
    if json:
        envelope.put("env-create", creating.as_json(made))
        return
    shown = os.path.relpath(made.folder)
    checked = ", %d by hash" % made.hashed if made.hashed else ""
    text = "built %s: Python %s, %s%s (%.1f s)"
    count = plural(made.packages, "package")
    typer.echo(text % (shown, made.version, count, checked, made.seconds))
    for one in made.missing:
        typer.echo("  ! without %s" % str(one))
    for note in made.notes:
        typer.echo("  ! %s" % note)
    typer.echo("next: prov verify --python %s" % os.path.join(shown, "bin", "python"))


@app.command("export")
def export(
    reference: _Reference = None,
    form: Annotated[
        str,
        typer.Option(
            "--format",
            metavar="FORMAT",
            help="requirements, pylock, conda-lock, explicit, dockerfile, apptainer, devcontainer.",
        ),
    ] = "requirements",
    out: Annotated[
        str | None, typer.Option("--out", "-o", metavar="FILE", help="Instead of the terminal.")
    ] = None,
    offline: Annotated[
        bool, typer.Option("--offline", help="Hashes only of the lock and of uv's cache.")
    ] = False,
) -> None:
    """Write the recorded environment as a file of another tool.

    Exactly the recorded versions, with the hashes of prov.lock, else those that the index states
    now. What such a file cannot hold is named in its comments.
    """
    from provenance.operations import exporting

    with Stages() as stages:
        environ = dict(os.environ)
        wish = exporting.Wish(os.getcwd(), environ, reference, form, out, offline, stages)
        made = exporting.export(wish)
    if made.path is None:
        typer.echo(made.text, nl=False)
    else:
        typer.echo("wrote %s" % os.path.relpath(made.path))
    for note in made.notes:
        typer.echo("  ! %s" % note, err=True)
