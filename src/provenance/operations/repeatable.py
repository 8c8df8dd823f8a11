"""Whether a run could be repeated bit for bit, as far as its record tells."""

from __future__ import annotations

from provenance.core.record import Record


def doubts(run: Record) -> tuple[str, ...]:
    """Return one sentence per reason to doubt that ``run`` is repeatable."""
    found = []
    for subject in run.payloads("seeds"):
        for entry in subject.payload.get("unseeded", []):
            if isinstance(entry, dict):
                where = ", ".join(entry.get("where", [])[:3])
                found.append(("%s unseeded %s" % (entry.get("library"), where)).strip())
    for subject in run.payloads("code"):
        found += [
            "%s was edited while the run went on" % entry["path"].get("path")
            for entry in subject.payload.get("used", [])
            if entry.get("changed_during")
        ]
    return tuple(dict.fromkeys(found))
