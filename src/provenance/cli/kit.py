"""What ``prov init`` says of the adoption kit."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

import typer

from provenance.cli import envelope
from provenance.cli.style import plural
from provenance.errors import UsageError

if TYPE_CHECKING:
    from provenance.operations.adoption import KitResult, Wish


def put(kit: KitResult) -> None:
    """Say what was written and kept, and what the values are from."""
    for word, paths in (("wrote", kit.made), ("wrote into", kit.changed)):
        for path in paths:
            todos = kit.todos.get(path)
            shown = os.path.relpath(os.path.join(kit.root, path))
            typer.echo("%s %s%s" % (word, shown, " (%s)" % plural(todos, "TODO") if todos else ""))
    for path in kit.kept:
        shown = os.path.relpath(os.path.join(kit.root, path))
        typer.echo("kept  %s (it was there; --print shows what it would be)" % shown)
    for name, text in kit.about.items():
        typer.echo("  %-10s%s" % (name, text))
    for note in kit.notes:
        typer.echo("  ! %s" % note)
    if kit.made or kit.changed:
        typer.echo("next: read them, fill in what says TODO, and commit them")


def put_list(json: bool) -> None:
    """Print the parts with their files."""
    from provenance.operations import adoption

    rows = [(part.name, [path for path, _ in part.files], part.help) for part in adoption.PARTS]
    if json:
        parts = [{"name": name, "files": paths, "help": text} for name, paths, text in rows]
        envelope.put("init", {"parts": parts})
        return
    for name, paths, text in rows:
        typer.echo("%-13s%-36s%s" % (name, paths[0], text))
        for path in paths[1:]:
            typer.echo("%-13s%s" % ("", path))


def put_files(wish: Wish) -> None:
    """Print what the parts would be. Raises `ProvError`."""
    from provenance.operations import adoption

    if not wish.parts:
        raise UsageError("--print needs a part.", "prov init readme --print; prov init --list")
    _, rendered, left_out = adoption.render(wish)
    for number, one in enumerate(rendered):
        if len(rendered) > 1:
            typer.echo("%s==> %s <==" % ("\n" if number else "", one.path))
        typer.echo(one.content.decode("utf-8"), nl=False)
    for note in left_out:
        typer.echo("prov: %s" % note, err=True)
