"""Options that several commands share."""

from __future__ import annotations

from typing import Annotated

import typer

Json = Annotated[bool, typer.Option("--json", help="Print the versioned JSON envelope.")]
Verbose = Annotated[bool, typer.Option("--verbose", "-v", help="Show also what cannot matter.")]
Python = Annotated[
    str | None, typer.Option("--python", metavar="P", help="The interpreter to look at.")
]
Rtol = Annotated[
    float | None, typer.Option("--rtol", help="Relative tolerance, as numpy means it.")
]
Atol = Annotated[
    float | None, typer.Option("--atol", help="Absolute tolerance, as numpy means it.")
]
Ulp = Annotated[
    int | None,
    typer.Option("--ulp", metavar="N", help="Allow N units in the last place of a double."),
]
Like = Annotated[
    list[str] | None,
    typer.Option(
        "--like",
        metavar="RUN",
        help="A recorded run that shows how far results vary, once per run; none: no such.",
    ),
]
Calls = Annotated[
    str | None,
    typer.Option(
        "--calls",
        metavar="MODE",
        help="How your own calls are compared: auto, off, synthetic, cut or full.",
    ),
]
Build = Annotated[
    bool,
    typer.Option("--build", help="Build the recorded environment with uv where it is gone."),
]
Anonymous = Annotated[
    bool,
    typer.Option("--anonymous", help="For double-blind review: name nobody, no host, no place."),
]
Markdown = Annotated[
    bool, typer.Option("--markdown", help="Print a summary in Markdown, for a pull request.")
]
Github = Annotated[
    bool,
    typer.Option(
        "--github", help="Print annotations for GitHub Actions too, and write the step summary."
    ),
]
FailOn = Annotated[
    str | None,
    typer.Option(
        "--fail-on",
        metavar="EFFECT",
        help="Exit 1 from this effect on: unknown, possible, known (default) or broken.",
    ),
]
