"""The artifact appendix that ACM conferences ask for, as LaTeX: a check-list, then all tables.

The fields are those of the artifact appendix of ASPLOS, MICRO and PPoPP (ctuning).
"""

from __future__ import annotations

from provenance.core.table import TEXT, WIDE, Table
from provenance.exports import latex
from provenance.operations import _kit_answers, _kit_answers_results, appendix
from provenance.operations._kit_answers import Asked, some
from provenance.operations._kit_values import first


def render(asked: Asked) -> str:
    """Return the appendix of the first run; what the record does not know is a TODO."""
    tables = [_checklist(asked), *_claims(asked)]
    tables += appendix.tables(asked.run) if asked.run else ()
    return latex.render(tuple(tables), "Artifact appendix")


def _claims(asked: Asked) -> tuple[Table, ...]:
    """Return the key results to be reproduced: the claims of the paper, where it states any."""
    rows = tuple(
        (one.says or one.name, one.stated, ", ".join(one.selectors)) for one in asked.known.claims
    )
    columns = (("claim", WIDE), ("stated", WIDE), ("run", TEXT))
    note = ("Checked by: prov claims check",)
    return (Table("claims", "Claims of the paper", columns, rows, note),) if rows else ()


def _checklist(asked: Asked) -> Table:
    code, results, known = _kit_answers, _kit_answers_results, asked.known
    names = list(first(asked.run, "metrics").get("final", {}))
    outputs = [
        str((one.get("path") or {}).get("path"))
        for one in first(asked.run, "outputs").get("files", ())
    ]
    fields = {
        "Program": code.used(asked).text,
        "Data set": results.data(asked).text,
        "Run-time environment": code.environment(asked).text,
        "Hardware": code.machine(asked).text,
        "Execution": code.commands(asked).text,
        "Metrics": some(names),
        "Output": some(outputs),
        "Disk space and memory": results.room(asked).text,
        "Time to prepare": "",
        "Time of the experiment": results.time(asked).text,
        "Publicly available": known.remote,
        "Version": code.commit(asked).text,
        "Code licence": code.licence(asked).text,
        "Data licence": "",
        "Archived (DOI)": "",
    }
    rows = tuple((name, text or "TODO") for name, text in fields.items())
    columns = (("field", TEXT), ("value", WIDE))
    return Table("artifact", "Artifact check-list", columns, rows)
