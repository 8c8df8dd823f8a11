"""A record in a few lines: what is printed after a run and at the top of ``prov show``."""

from __future__ import annotations

from typing import Any

from provenance.cli.style import duration, plural, size, value
from provenance.core import runid
from provenance.core.paths import PathRef
from provenance.core.record import RUN_FAILED, Record

_SHOWN, _WIDE = 4, 8


def headline(run: Record) -> str:
    """Return the one line that says which run it is and how it ended."""
    name = ' "%s"' % run.name if run.name else ""
    ending = run.status if run.exit_code is None else "exit %d" % run.exit_code
    if run.signal:
        ending = "signal %d" % run.signal
    return "%s%s  %s  %s" % (runid.short(run.id), name, ending, duration(run.duration_s))


def lines(run: Record) -> list[str]:
    """Return one line per question that has an answer, and one per answer that is missing."""
    parts = [
        ("code", _code(run)),
        ("env", _environment(run)),
        ("data", _data(run)),
        ("result", _result(run)),
        ("params", _params(run)),
        ("runs as", _processes(run)),
    ]
    found = ["  %-8s %s" % (label, text) for label, text in parts if text]
    found += ["  %-8s %s" % ("" if place else "against", t) for place, t in enumerate(_held(run))]
    for name, answer in run.facets.items():
        if answer.status == "failed":
            found.append("  ! %s was not captured: %s" % (name, answer.reason))
        found.extend("  ! %s: %s" % (name, note) for note in answer.notes[:_SHOWN])
    return found + ["  ! " + note for note in run.notes]


def _held(run: Record) -> list[str]:
    """Return how a run lay to the curves that it was held against; empty where to none."""
    if "against" not in run.extra:
        return []
    from provenance.operations import against  # few runs are

    return against.told(run)


def first(run: Record, facet: str) -> dict[str, Any]:
    """Return the payload of the facet's first subject, empty where there is none."""
    subjects = run.payloads(facet)
    return subjects[0].payload if subjects else {}


def _code(run: Record) -> str:
    code = first(run, "code")
    if not code:
        return ""
    if not code.get("commit"):
        used = len(code.get("used", []))
        no_git = "no commit yet" if code.get("vcs") == "git" else "no git repository"
        return "%s; %s digested" % (no_git, plural(used, "used file"))
    text = str(code["commit"])[:7]
    if code.get("branch"):
        text += " (%s)" % code["branch"]
    if code.get("changed_count"):
        text += " + %s" % plural(code["changed_count"], "uncommitted file")
    if code.get("untracked"):
        text += " + %s" % plural(len(code["untracked"].get("files", [])), "untracked file")
    if code.get("pushed") is False:
        text += "; commit NOT pushed"
    return text


def _environment(run: Record) -> str:
    parts = []
    for subject in run.payloads("packages")[:_SHOWN]:
        runtime = next((s.payload for s in run.payloads("runtime") if s.id == subject.id), {})
        count = len(subject.payload.get("distributions", ()))
        version = runtime.get("version", "")
        parts.append("python %s, %s" % (version, plural(count, "package")))
    hardware = first(run, "hardware")
    cpu = hardware.get("cpu", {})
    if isinstance(cpu, dict) and cpu.get("model"):
        parts.append(str(cpu["model"]))
    parts.extend(str(gpu.get("name")) for gpu in hardware.get("gpus", [])[:_SHOWN])
    return "; ".join(parts)


def _data(run: Record) -> str:
    files = [f for f in first(run, "data").get("files", []) if f.get("kind") != "config"]
    if not files:
        return ""
    total = sum(f.get("size") or 0 for f in files)
    pending = sum(1 for f in files if f.get("state") == "pending")
    text = "%s, %s" % (plural(len(files), "input"), size(total))
    known = sum(1 for f in files if f.get("by"))
    text += " (%s known to DVC, not read)" % plural(known, "digest") if known else ""
    return text + ("; %d digests pending: prov close" % pending if pending else "")


def _result(run: Record) -> str:
    told = first(run, "metrics")
    final, units = told.get("final", {}), told.get("units", {})
    names = sorted(final, key=lambda name: _rank(name, told))
    shown = "  ".join("%s %s%s" % (n, value(final[n]), units.get(n, "")) for n in names[:_SHOWN])
    if len(final) > _SHOWN:
        shown += "  (+%d)" % (len(final) - _SHOWN)
    if shown and told.get("partial"):
        shown = "partial (run failed): " + shown
    files = [path_text(f["path"]) for f in first(run, "outputs").get("files", [])]
    if files:
        more = " (+%d)" % (len(files) - _SHOWN) if len(files) > _SHOWN else ""
        shown += "%s-> %s%s" % ("   " if shown else "", " ".join(files[:_SHOWN]), more)
        if run.status == RUN_FAILED and not final:
            shown += "  (written, though the run failed)"
    nothing = not shown and {"metrics", "outputs"} <= set(run.facets)
    return "no metrics, nothing written" if nothing else shown


def _rank(name: str, told: dict[str, Any]) -> tuple[int, int, str]:
    """Return the place of a metric: what was tested, validated, named, trained; classes last."""
    split = told.get("splits", {}).get(name, "")
    place = {"test": 0, "validation": 1, "train": 3}.get(split, 2)
    return int(name[:1].isdigit()), place, name


def _params(run: Record) -> str:
    values = first(run, "params").get("values", {})
    given = [(name, one) for name, one in values.items() if one.get("given")]
    named = given or list(values.items())
    shown = ["%s=%s" % (name, value(one.get("value"))) for name, one in named[:_WIDE]]
    others = len(values) - len(shown)
    return " ".join([*shown, "(+%d)" % others] if others else shown)


def _processes(run: Record) -> str:
    """Return ranks, job and nesting, where a run has any of these."""
    told = first(run, "processes")
    parts = []
    if told.get("own_rank") is not None:
        parts.append("rank %d of %s" % (told["own_rank"], told.get("size") or "?"))
    elif told.get("ranks"):
        by = " by %s" % told["launcher"] if told.get("launcher") else ""
        parts.append("%s%s" % (plural(told.get("size") or len(told["ranks"]), "rank"), by))
    if told.get("job"):
        parts.append("in %s job %s" % (told["job"].get("system"), told["job"].get("id")))
    if told.get("within"):
        parts.append("inside run %s" % runid.short(str(told["within"])))
    nested = told.get("nested", [])
    if nested:
        shown = [
            "%s (%s)"
            % (runid.short(one["id"]), "?" if one["exit_code"] is None else one["exit_code"])
            for one in nested[:_SHOWN]
        ]
        more = " +%d" % (len(nested) - _SHOWN) if len(nested) > _SHOWN else ""
        parts.append("%s inside: %s%s" % (plural(len(nested), "run"), " ".join(shown), more))
    return "; ".join(parts)


def path_text(path: Any) -> str:
    """Return a path's JSON form as people read it."""
    shown = str(PathRef.from_json(path))
    return shown.encode("utf-8", "surrogateescape").decode("utf-8", "replace")
