"""What a record answers of a reviewer's questions on data, results and cost."""

from __future__ import annotations

from provenance.facets import model
from provenance.operations._cells import cell, size
from provenance.operations._kit_answers import RECORD, Answer, Asked, count, either, some
from provenance.operations._kit_values import first, spell


def data(asked: Asked) -> Answer:
    """Say how many files were read, and how big they are."""
    files = asked.known.data
    if not files and asked.run:
        return Answer("the run read no data files")
    text = "%s, %s, with digests in %s" % (
        count(len(files), "input"),
        size(sum(one.size for one in files)),
        asked.known.reference,
    )
    return either(text if files else "", RECORD)


def sources(asked: Asked) -> Answer:
    """Say where others get what the run read."""
    if asked.run is None:
        return Answer("", "write where the data is and which version was used")
    remotes = [
        " ".join(filter(None, (str(one.get("url")), str(one.get("revision") or ""))))
        for one in first(asked.run, "data").get("remotes", ())
    ]
    held = sum(one.in_git for one in asked.known.data)
    told = [*remotes, *(["%s in the repository" % count(held, "input")] if held else [])]
    absent = [one.path for one in asked.known.data if not one.in_git]
    if absent:
        return Answer(some(told), "say where others get: %s" % some(absent))
    return Answer(some(told) or "the run read no data files")


def weights(asked: Asked) -> Answer:
    """Say which checkpoints the run wrote."""
    kept = [
        "%s (%s)" % ((one.get("path") or {}).get("path"), size(one.get("size")))
        for one in first(asked.run, "outputs").get("files", ())
        if one.get("kind") == "checkpoint"
    ]
    if kept:
        return Answer("the run wrote %s" % some(kept), "publish them and put the link here")
    return Answer("", "link them, or say why there are none")


def _finals(asked: Asked) -> list[str]:
    finals = first(asked.run, "metrics").get("final", {})
    return ["%s %s" % (name, cell(value)) for name, value in finals.items()]


def table(asked: Asked) -> Answer:
    """Say that the table stands above, where the record has results."""
    return either("above" if _finals(asked) else "", "write the results next to their commands")


def expected(asked: Asked) -> Answer:
    """Say which results were recorded; a tolerance is the authors' to state."""
    todo = "state the tolerance, and set it in prov.yaml as rtol and atol"
    return Answer(some(_finals(asked)), todo)


def spread(asked: Asked) -> Answer:
    """Say how many runs are published; what the bars are is the authors' to say."""
    ended = sum(run.exit_code == 0 for run in asked.known.runs)
    text = "%s in %s" % (count(ended, "run"), asked.known.reference) if ended > 1 else ""
    return Answer(text, "say over how many runs, what varies between them, and what the bars are")


def validation(asked: Asked) -> Answer:
    """Say whether the record has both test and validation scores."""
    splits = set((first(asked.run, "metrics").get("splits") or {}).values())
    text = "both are in the record" if {"test", "validation"} <= splits else ""
    shown = ", ".join(sorted(splits)) or "no scores told apart"
    return either(text, "report both; the record has %s" % shown)


def metrics(asked: Asked) -> Answer:
    """Name the metrics to be defined."""
    names = list(first(asked.run, "metrics").get("final", {}))
    return Answer(
        "", "define %s" % (some(names) or "each metric, or name the code that computes it")
    )


def time(asked: Asked) -> Answer:
    """Say how long the run took."""
    wall = first(asked.run, "resources").get("wall_s")
    return either("%s on the machine above" % spell(wall) if wall else "", RECORD)


def parameters(asked: Asked) -> Answer:
    """Say how big the models were."""
    made = model.of(asked.run) if asked.run else None
    models = [
        "%s %s" % (one.type.rpartition(".")[2], format(one.total, ","))
        for one in (made.models if made else ())
    ]
    return either(some(models), "write it; the record saw no model" if asked.run else RECORD)


def room(asked: Asked) -> Answer:
    """Say how much was read, written and held in memory."""
    if asked.run is None:
        return Answer("", RECORD)
    written = sum(one.get("size") or 0 for one in first(asked.run, "outputs").get("files", ()))
    resources = first(asked.run, "resources")
    memory = resources.get("max_tree_bytes") or resources.get("max_process_bytes")
    text = "%s read, %s written" % (size(sum(one.size for one in asked.known.data)), size(written))
    return Answer(text + (", %s of memory" % size(memory) if memory else ""))
