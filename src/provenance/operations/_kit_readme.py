"""The section of the README: how to set up, check and run, what comes out, what reviewers ask."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from provenance.exports import checklist, markdown
from provenance.operations import _kit_checklist, _kit_values
from provenance.operations._cells import cell
from provenance.operations._kit_answers import Asked
from provenance.operations._kit_known import Known

WORKFLOW = ".github/workflows/provenance.yml"


def values(known: Known, filled: Mapping[str, Any], files: frozenset[str]) -> dict[str, Any]:
    """Return the values that only the section has. files: there are or the kit makes."""
    items = _kit_checklist.items(Asked(known, files))
    clone = "git clone %s && cd %s" % (known.remote, known.remote.rpartition("/")[2])
    steps = [clone] if known.remote else []
    install = str(filled["install"]).replace(" --quiet", "")
    steps += [line.rpartition(" || ")[2] for line in install.splitlines()]
    steps.append("prov verify --python %s" % filled["interpreter"])
    words = filled["command"]
    if words[:1] == ("python",):
        steps.append(_kit_values.shell((filled["interpreter"], *words[1:])))
    elif words:
        activate = "conda activate ./.conda" if filled["conda"] else "source .venv/bin/activate"
        steps += [activate, _kit_values.shell(words)]
    runs = [len(one) for one in re.findall("`+", "".join(steps))]
    return {
        "fence": "`" * (max([2, *runs]) + 1),
        "badge": _badge(known, files),
        "with_uv": any(one.startswith(("uv ", "uvx ")) for one in steps),
        "setup": "\n".join(steps),
        "results": _results(known),
        "claims_table": _claims(known),
        "checklist": checklist.render(items),
        "checklist_summary": checklist.summary(items),
    }


def _badge(known: Known, files: frozenset[str]) -> str:
    """Return the badge of the workflow; "" without one, or without a public place."""
    if known.remote.startswith("https://github.com/") and WORKFLOW in files:
        page = known.remote + "/actions/workflows/provenance.yml"
        return "[![provenance](%s/badge.svg)](%s)" % (page, page)
    if known.remote.startswith("https://gitlab") and ".gitlab-ci.yml" in files:
        branch = known.branch or "main"
        return "[![provenance](%s/badges/%s/pipeline.svg)](%s/-/pipelines)" % (
            known.remote,
            branch,
            known.remote,
        )
    return ""


def _results(known: Known) -> str:
    """Return a table: what came out, of which command, in which time."""
    if not known.runs:
        return "TODO: the results of the paper, each with its command."
    lines = ["| run | command | results | time |", "| --- | --- | --- | --- |"]
    for run in known.runs:
        finals = _kit_values.first(run, "metrics").get("final", {})
        shown = ", ".join("%s %s" % (name, _number(value)) for name, value in finals.items())
        took = _kit_values.spell(run.duration_s) if run.duration_s else ""
        words = _kit_values.shell(_kit_values.command(run))
        cells = (run.name or run.id, words, shown, took)
        lines.append("| %s |" % " | ".join(markdown.escape(one) for one in cells))
    return "\n".join(lines)


def _claims(known: Known) -> str:
    """Return a table: the paper's claims, what they state, of which runs; "" where none are."""
    if not known.claims:
        return ""
    lines = ["| claim | stated | run |", "| --- | --- | --- |"]
    for one in known.claims:
        cells = (one.says or one.name, one.stated, ", ".join(one.selectors))
        lines.append("| %s |" % " | ".join(markdown.escape(cell) for cell in cells))
    return "\n".join(lines)


def _number(value: object) -> str:
    return "%.6g" % value if isinstance(value, float) else cell(value)
