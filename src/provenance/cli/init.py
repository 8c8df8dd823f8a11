"""``prov init``."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Annotated

import typer

from provenance.cli import envelope, options
from provenance.cli.style import plural
from provenance.errors import UsageError

if TYPE_CHECKING:
    from provenance.operations.adoption import KitResult, Wish


def command(
    parts: Annotated[
        list[str] | None,
        typer.Argument(
            metavar="[PART]...", help="Of the adoption kit: see --list.", show_default=False
        ),
    ] = None,
    test: Annotated[
        bool, typer.Option("--test", help="Also write test_provenance.py, the drop-in test.")
    ] = False,
    sdk: Annotated[
        bool,
        typer.Option("--sdk", help="Also write prov_sdk.py, to tell records things from code."),
    ] = False,
    every: Annotated[bool, typer.Option("--all", help="All parts of the kit.")] = False,
    listing: Annotated[
        bool, typer.Option("--list", help="List the parts and their files; write nothing.")
    ] = False,
    show: Annotated[
        bool, typer.Option("--print", help="Print what the parts would be; write nothing.")
    ] = False,
    into_readme: Annotated[
        bool,
        typer.Option("--into-readme", help="Put the part readme into the README that is there."),
    ] = False,
    anonymous: Annotated[
        bool,
        typer.Option("--anonymous", help="For double-blind review: the kit names nobody."),
    ] = False,
    json: options.Json = False,
) -> None:
    """Set the project up: prov.yaml and .prov. Optional, and safe to repeat.

    `prov run` works without it. With --test, one readable file is written that checks prov.lock
    with nothing but the standard library, under pytest or plain python. With --sdk, one file is
    written here by which code can log parameters, metrics, artifacts and fingerprints; it does
    nothing outside of `prov run`.

    PARTs are files by which readers and reviewers can check a paper's repository: workflows of
    GitHub and GitLab, a Dockerfile, a section for the README with the reviewer's checklist and
    more. They are filled from prov.lock, else from the last run and the files of the repository;
    what nobody knows is a TODO. A file that exists is kept.
    """
    from provenance.operations import adoption, initialise

    if listing:
        _put_list(json)
        return
    if into_readme and "readme" not in (parts or ()) and not every:
        raise UsageError(
            "--into-readme goes with the part readme.", "prov init readme --into-readme"
        )
    chosen = adoption.names(tuple(parts or ()), every)
    wish = adoption.Wish(os.getcwd(), dict(os.environ), chosen, anonymous, into_readme)
    if show:
        _print(wish)
        return
    result = initialise.init(os.getcwd(), test, sdk)
    kit = adoption.adopt(wish) if chosen else None
    if json:
        more = {"kit": kit._asdict()} if kit else {}
        envelope.put("init", {**result._asdict(), **more})
        return
    for path in result.made:
        typer.echo("wrote %s" % os.path.relpath(path))
    for path in result.kept:
        typer.echo("kept  %s (it was there)" % os.path.relpath(path))
    if kit:
        _put_kit(kit)
        return
    typer.echo("records go to %s" % os.path.join(os.path.relpath(result.root), ".prov"))
    typer.echo("next: prov run -- python train.py")


def _put_kit(kit: KitResult) -> None:
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


def _put_list(json: bool) -> None:
    from provenance.operations import adoption

    rows = [(part.name, [path for path, _ in part.files], part.help) for part in adoption.PARTS]
    if json:
        parts = [{"name": name, "files": paths, "help": text} for name, paths, text in rows]
        envelope.put("init", {"parts": parts})
        return
    for name, paths, text in rows:
        typer.echo("%-13s%-34s%s" % (name, paths[0], text))
        for path in paths[1:]:
            typer.echo("%-13s%s" % ("", path))


def _print(wish: Wish) -> None:
    from provenance.operations import adoption

    if not wish.parts:
        raise UsageError("--print needs a part.", "prov init readme --print; prov init --list")
    _, rendered = adoption.render(wish)
    for number, one in enumerate(rendered):
        if len(rendered) > 1:
            typer.echo("%s==> %s <==" % ("\n" if number else "", one.path))
        typer.echo(one.content.decode("utf-8"), nl=False)
