"""What ``prov claims check`` says, for a terminal, Markdown, GitHub, JUnit and files."""

from __future__ import annotations

import os
from collections.abc import Mapping
from typing import TYPE_CHECKING
from xml.etree import ElementTree

import typer

from provenance.cli import github, junit
from provenance.cli import markdown as md
from provenance.cli.github import Notice
from provenance.cli.style import Style, flat, plural
from provenance.errors import SystemRefused

if TYPE_CHECKING:
    from provenance.operations.claims import Checked, CheckResult

_COLOURS = {"holds": "green", "within tolerance": "green", "fails": "red", "stale": "red"}
_BAD = ("fails", "stale", "not checked")


def headline(result: CheckResult, code: int) -> str:
    """Return the verdict over all claims with the counts it rests on."""
    if not result.checked:
        return "NO CLAIMS in prov.yaml (exit %d)" % code
    words = ("holds", "within tolerance", "fails", "stale", "not checked")
    counts = {word: result.count(word) for word in words}
    tally = ["%d %s" % (count, _verb(word, count)) for word, count in counts.items() if count]
    word = {0: "ALL HOLD", 1: "NOT ALL HOLD", 3: "NOT CHECKED"}[code]
    if code == 0 and result.count("not checked"):
        word = "WHAT WAS CHECKED HOLDS"
    count = plural(len(result.checked), "claim")
    return "%s: %s: %s (exit %d)%s" % (word, count, ", ".join(tally), code, _basis(result))


def _verb(word: str, count: int) -> str:
    if count > 1:
        return {"holds": "hold", "fails": "fail"}.get(word, word)
    return word


def _basis(result: CheckResult) -> str:
    texts = {"recorded": "", "replayed": ", by replayed values", "run": ", by another run's values"}
    return texts[result.basis]


def lines(result: CheckResult, code: int, style: Style, verbose: bool) -> list[str]:
    """Return the verdict and a block per claim, those that need looking at in full."""
    colour = {0: "green", 1: "red"}.get(code, "yellow")
    found = [style(headline(result, code), "bold", colour)]
    if not result.checked:
        return [*found, "  prov claims suggest RUN prints some to begin with"]
    for one in result.checked:
        word = style(one.verdict.upper(), "bold", _COLOURS.get(one.verdict, "yellow"))
        says = "  %s" % flat(one.claim.says) if one.claim.says else ""
        found.append("%s  %s%s" % (word, one.claim.name, says))
        found += ["  " + flat(line) for line in _about(one, verbose)]
    return found


def _about(one: Checked, verbose: bool) -> list[str]:
    full = verbose or one.verdict in _BAD
    parts = ["stated %s" % one.claim.stated]
    if one.judged.found:
        parts.append("found %s" % one.judged.found)
    if one.judged.tolerance:
        parts.append(one.judged.tolerance)
    told = ["; ".join(parts)]
    if one.judged.detail:
        told.append(one.judged.detail)
    told += [str(each) for each in one.changed]
    if full:
        if one.runs:
            told.append("of run %s" % ", ".join(map(str, one.runs)))
        told.append("at %s" % one.claim.where)
    told += ["note: %s" % note for note in one.notes]
    if one.replays is not None and one.replays.total:
        told.append(str(one.replays))
    return told


def markdown_of(result: CheckResult, code: int) -> str:
    """Return the result as Markdown: the verdict, the table, what needs looking at."""
    from provenance.operations import claims_export

    parts = ["## %s" % md.text("prov claims: %s" % headline(result, code))]
    if result.checked:
        parts.append(claims_export.markdown_table(result))
    for one in result.checked:
        if one.verdict in _BAD:
            told = "; ".join(flat(line) for line in _about(one, False))
            parts.append("**%s** %s: %s" % (one.verdict, md.text(one.claim.name), md.text(told)))
    return "\n\n".join(parts) + "\n"


def put_github(result: CheckResult, code: int, strict: bool, verbose: bool) -> None:
    """Print the lines guarded, an annotation per claim at its line, and write the summary."""
    from provenance.operations import claims

    with open(os.devnull, "w", encoding="utf-8") as nowhere:
        for line in github.guarded(lines(result, code, Style(nowhere), verbose)):
            typer.echo(line)
    bad = claims.failed(result, strict)
    told = [
        Notice(
            "error" if one in bad else "warning",
            "claim %s: %s" % (one.claim.name, one.verdict),
            tuple(flat(line) for line in (one.claim.says, *_about(one, False)) if line),
            (one.claim.where,),
        )
        for one in result.checked
        if one.verdict in _BAD
    ]
    for line in github.notices(told, github.folder_in_workspace(result.top, os.environ)):
        typer.echo(line)
    problem = github.write_summary(markdown_of(result, code), os.environ)
    if problem:
        typer.echo("prov: " + problem, err=True)


def write_files(result: CheckResult, asked: Mapping[str, str | None]) -> None:
    """Write the files that were asked for, by form. Raises `SystemRefused`."""
    from provenance.operations import claims_export

    for form, path in asked.items():
        if path is None:
            continue
        text = _junit(result) if form == "junit" else claims_export.render(result, form)
        try:
            with open(path, "w", encoding="utf-8", newline="\n") as stream:
                stream.write(text)
        except OSError as error:
            raise SystemRefused("%s cannot be written: %s." % (path, error.strerror)) from error


def _junit(result: CheckResult) -> str:
    """Return a test case per claim: failed where it fails or is stale, skipped if not checked."""
    counts = {"tests": len(result.checked), "failures": result.count("fails", "stale")}
    counts |= {"errors": 0, "skipped": result.count("not checked")}
    root = ElementTree.Element("testsuites", {"name": "prov claims"})
    numbers = {name: str(count) for name, count in counts.items()}
    suite = ElementTree.SubElement(root, "testsuite", {"name": "claims", **numbers})
    for one in result.checked:
        name = {"classname": "provenance.claims", "name": junit.clean(one.claim.name)}
        case = ElementTree.SubElement(suite, "testcase", name)
        text = junit.clean("\n".join((one.claim.says, *_about(one, True))).strip())
        if one.verdict == "not checked":
            ElementTree.SubElement(case, "skipped", {"message": junit.clean(one.judged.detail)})
        elif one.verdict in _BAD:
            told = {"type": one.verdict, "message": junit.clean(one.claim.stated)}
            ElementTree.SubElement(case, "failure", told).text = text
        else:
            ElementTree.SubElement(case, "system-out").text = text
    ElementTree.indent(root)
    text = ElementTree.tostring(root, encoding="unicode")
    return '<?xml version="1.0" encoding="UTF-8"?>\n%s\n' % text
