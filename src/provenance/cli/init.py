"""``prov init``."""

from __future__ import annotations

import os
from typing import Annotated, NoReturn

import typer

from provenance.cli import envelope, kit, options
from provenance.errors import UsageError

Parts = Annotated[
    list[str] | None,
    typer.Argument(metavar="PART...", help="Of the adoption kit: see --list.", show_default=False),
]
Test = Annotated[bool, typer.Option("--test", help="The drop-in test, test_provenance.py.")]
Sdk = Annotated[
    bool, typer.Option("--sdk", help="prov_sdk.py, by which code tells the record things.")
]
Check = Annotated[
    bool,
    typer.Option(
        "--check",
        help="With --test: change nothing; say whether the test file here is the one of this "
        "prov, byte for byte, and end with 1 where it is not.",
    ),
]
Every = Annotated[bool, typer.Option("--all", help="All parts of the kit.")]
Listing = Annotated[
    bool, typer.Option("--list", help="List the parts and their files; write nothing.")
]
Show = Annotated[
    bool, typer.Option("--print", help="Print what the parts would be; write nothing.")
]
IntoReadme = Annotated[
    bool, typer.Option("--into-readme", help="Put the part readme into the README that is there.")
]
Anonymous = Annotated[
    bool, typer.Option("--anonymous", help="For double-blind review: the kit names nobody.")
]


def command(
    parts: Parts = None,
    test: Test = False,
    sdk: Sdk = False,
    check: Check = False,
    every: Every = False,
    listing: Listing = False,
    show: Show = False,
    into_readme: IntoReadme = False,
    anonymous: Anonymous = False,
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

    if check:
        _check(test, json)
    if listing:
        kit.put_list(json)
        return
    if into_readme and "readme" not in (parts or ()) and not every:
        raise UsageError(
            "--into-readme goes with the part readme.", "prov init readme --into-readme"
        )
    chosen = adoption.names(tuple(parts or ()), every)
    wish = adoption.Wish(os.getcwd(), dict(os.environ), chosen, anonymous, into_readme)
    if show:
        kit.put_files(wish)
        return
    result = initialise.init(os.getcwd(), test, sdk)
    adopted = adoption.adopt(wish) if chosen else None
    if json:
        more = {"kit": adopted._asdict()} if adopted else {}
        envelope.put("init", {**result._asdict(), **more})
        return
    for path in result.made:
        typer.echo("wrote %s" % os.path.relpath(path))
    for path in result.kept:
        typer.echo("kept  %s (it was there)" % os.path.relpath(path))
    if adopted:
        kit.put(adopted)
        return
    typer.echo("records go to %s" % os.path.join(os.path.relpath(result.root), ".prov"))
    typer.echo("next: prov run -- python train.py; for readers and reviewers: prov init --list")


def _check(test: bool, json: bool) -> NoReturn:
    """Tell what the drop-in test of this repository is, and end."""
    from provenance.operations import dropin

    if not test:
        raise UsageError("--check goes with --test.", "prov init --test --check")
    found = dropin.check(os.getcwd())
    if json:
        envelope.put("init", found._asdict())
    else:
        typer.echo(found.sentence)
    raise typer.Exit(0 if found.state == dropin.SHIPPED else 1)
