"""Tables of what a run built to learn with: models layer by layer, optimizers, and the rest."""

from __future__ import annotations

from typing import Any

from provenance.core.record import Record
from provenance.core.table import NUMBER, TEXT, WIDE, Table
from provenance.facets import model
from provenance.facets._model import Layer, Made, Part, Summary
from provenance.operations._cells import cell, default, short, size, where

ABOUT = ("model",)
_ARGUMENTS = (
    ("of", TEXT),
    ("argument", TEXT),
    ("value", WIDE),
    ("default", WIDE),
    ("set by", TEXT),
)
_CASTING = ("torch.autocast", "torch.amp.autocast", "torch.cuda.amp.autocast")
_LOSSES = ("torch.nn.functional.", "torch.nn.", "keras.losses.", "tensorflow.keras.losses.")
_LOSS_WORDS = ("loss", "cross_entropy", "kl_div", "crossentropy", "divergence", "hinge")
_OTHERS = (
    ("loss", "losses"),
    ("precision", "precision"),
    ("gradient clipping", "clipping"),
    ("initialiser", "initialisers"),
    ("data loader", "loaders"),
    ("training", "trainings"),
)


def tables(run: Record) -> list[Table]:
    """Return the tables of the models, the optimizers and what else decided about the training."""
    made = model.of(run) or Made()
    found = [_model(one, number, made.models) for number, one in enumerate(made.models, 1)]
    rest = [_optimizers(made), _others(run, made)]
    if found or any(one.rows for one in rest):
        why = _why(run) or "No model was seen."
        return [*(found or [Table("model", "Model", (), (), (why,), ABOUT)]), *rest]
    why = _why(run) or "No model was seen, nor an optimizer, a loss function or a data loader."
    return [Table("model", "Model", (), (), (why,), rest[-1].facets)]


def _why(run: Record) -> str:
    answer = run.facets.get(model.NAME)
    if answer is None:
        return "The record does not tell of models: it is older than this."
    return "Not recorded: %s." % answer.reason if answer.reason else ""


def _model(one: Summary, number: int, models: tuple[Summary, ...]) -> Table:
    count = len(models)
    first = next(n for n, m in enumerate(models, 1) if (m.type, m.layers) == (one.type, one.layers))
    if first < number:  # a target network, or the second step of a chain: not all rows again
        title = "Model %d: %s" % (number, short(one.type))
        facts = ("Layer by layer as model %d." % first, *_facts(one))
        return Table("model-%d" % number, title, (), (), facts, ABOUT)
    rows = [_layer(layer) for layer in one.layers]
    if one.left_out:
        rows.append(("... and %d more rows" % one.left_out, "", "", "", ""))
    title = "Model %s%s" % ("%d: " % number if count > 1 else "", short(one.type))
    columns = (
        ("layer", TEXT),
        ("class", TEXT),
        ("shapes and settings", WIDE),
        ("parameters", NUMBER),
        ("trained", TEXT),
    )
    name = "model-%d" % number if count > 1 else "model"
    return Table(name, title, columns, tuple(rows), tuple(_facts(one)), ABOUT)


def _layer(one: Layer) -> tuple[str, ...]:
    shapes = [
        "%s %s" % (n, cell(s) if s is not None else "(no shape yet)") for n, s in one.shapes.items()
    ]
    text = "; ".join([*shapes, *([one.settings] if one.settings else [])])
    if one.output is not None:
        text = "; ".join(part for part in (text, "gives %s" % cell(one.output)) if part)
    counted = f"{one.parameters:,}" if one.parameters else ""
    if one.repeats > 1 and counted:
        counted = "%d x %s" % (one.repeats, counted)
    trained = {True: "yes", False: "no", None: "in part" if one.parameters else ""}[one.trainable]
    return (one.name or "(itself)", short(one.type), text, counted, trained)


def _facts(one: Summary) -> list[str]:
    kinds = ", ".join("%s %s" % (name, f"{n:,}") for name, n in one.dtypes.items())
    devices = ", ".join(sorted(one.devices))
    facts = f"{one.total:,} parameters, {one.trainable:,} of them trained; {size(one.bytes)}"
    notes = ["%s (%s; on %s)." % (facts, kinds or "no dtype", devices or "no device known")]
    if one.unset:
        notes.append("%d tensors had no shape yet." % one.unset)
    if one.defined:
        notes.append("Class %s, defined at %s." % (one.type, one.defined))
    if one.wrappers:
        notes.append("Within %s." % ", ".join(one.wrappers))
    if one.times > 1:
        notes.append("%d equal ones were built." % one.times)
    return notes


def _optimizers(made: Made) -> Table:
    rows: list[tuple[str, ...]] = []
    notes = []
    for label, parts in (
        ("optimizer", made.optimizers),
        ("transformation", made.transformations),
        ("schedule", made.schedules),
    ):
        for part in parts:
            rows += _arguments(part)
            rows += _groups(part)
            place = " at %s" % part.where if part.where else ""
            times = ", %d times" % part.times if part.times > 1 else ""
            notes.append("%s %s%s%s." % (label.capitalize(), part.type, place, times))
    if not rows:
        notes.append("No optimizer was seen.")
    title = "Optimizer and learning rate schedule"
    return Table("optimizer", title, _ARGUMENTS, tuple(rows), tuple(notes), ABOUT)


def _arguments(part: Part) -> list[tuple[str, ...]]:
    """Return the arguments of a part, those first that somebody gave."""
    words = {True: "given", False: "default", None: "not known"}
    ordered = sorted(part.arguments.items(), key=lambda item: item[1].given is not True)
    rows: list[tuple[str, ...]] = [
        (
            short(part.type),
            name,
            cell(one.value),
            "(none)" if one.required else default(one.default, one.given),
            words[one.given] if one.given is not None or one.value != one.default else "as default",
        )
        for name, one in ordered
    ]
    return rows or [(short(part.type), "", "", "", "")]


def _groups(part: Part) -> list[tuple[str, ...]]:
    rows: list[tuple[str, ...]] = []
    name = short(part.type)
    groups = part.details.get("groups") or ()
    ends = part.end.get("groups") or ()
    for number, group in enumerate(groups):
        which = " (group %d)" % (number + 1) if len(groups) > 1 else ""
        for key, value in group.items():
            if key != "tensors" and (which or key == "parameters"):
                rows.append((name, key + which, cell(value), "", "group" if which else ""))
        for key, value in (ends[number] if number < len(ends) else {}).items():
            rows.append((name, "%s%s" % (key, which), cell(value), "", "at the end"))
    if "steps" in part.end:
        rows.append((name, "steps", cell(part.end["steps"]), "", "at the end"))
    return rows


def _others(run: Record, made: Made) -> Table:
    rows: list[tuple[str, ...]] = []
    notes = []
    for label, member in _OTHERS:
        parts: tuple[Part, ...] = getattr(made, member)
        for part in parts:
            rows += _arguments(part)
            for key, value in part.details.items():
                rows.append((short(part.type), key, cell(value), "", "seen"))
            for key, value in part.end.items():
                rows.append((short(part.type), key, cell(value), "", "at the end"))
            times = ", %d times" % part.times if part.times > 1 else ""
            place = " at %s" % part.where if part.where else ""
            notes.append("%s: %s%s%s." % (label.capitalize(), part.type, place, times))
    for site in _sites(run, made):
        given = [cell(one) for one in site.get("arguments") or () if one is not None]
        named = ["%s=%s" % pair for pair in _named(site.get("keywords") or {})]
        text = ", ".join([*given, *named]) or "no constants"
        place = "%s:%s" % (where(site.get("path")), site.get("line"))
        rows.append((short(site["symbol"]), "", text, "", place))
    if not rows:
        notes.append("Neither loss functions nor data loaders were seen.")
    title = "Losses, precision, clipping, initialisation and data loading"
    return Table("training", title, _ARGUMENTS, tuple(rows), tuple(notes), (*ABOUT, "behaviour"))


def _named(keywords: dict[str, Any]) -> list[tuple[str, str]]:
    found = []
    for key, value in keywords.items():
        named = isinstance(value, dict) and set(value) == {"name"}
        found.append((key, str(value["name"]) if named else "?" if value is None else cell(value)))
    return found


def _sites(run: Record, made: Made) -> list[dict[str, Any]]:
    """Return the places in the user's source where losses and mixed precision are called."""
    known = {part.type for part in made.losses}
    found, seen = [], set()
    for subject in run.payloads("behaviour"):
        for site in subject.payload.get("sites", ()):
            symbol = str(site.get("symbol", ""))
            last = symbol.rpartition(".")[2].lower()
            loss = symbol.startswith(_LOSSES) and any(word in last for word in _LOSS_WORDS)
            key = (symbol, repr(site.get("path")), site.get("line"))
            wanted = symbol in _CASTING or (loss and symbol not in known)
            if wanted and site.get("kind", "call") == "call" and key not in seen:
                seen.add(key)
                found.append(site)
    return found[:20]
