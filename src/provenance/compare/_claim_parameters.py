"""What a paper states of a run's settings, held against what the record says took effect.

What an object of a library had (an optimizer's ``lr``) comes before what a parser or a file said:
it is what the run computed with.
"""

from __future__ import annotations

import difflib
import math
from collections.abc import Iterable, Iterator
from typing import Any, NamedTuple

from provenance.compare._claim_numbers import finite, printed, shown
from provenance.core.record import Record
from provenance.facets import _merging, model, packages, params, runtime, seeds
from provenance.facets._model import Made, Part

_ROLES = {
    "optimizer": "optimizers",
    "schedule": "schedules",
    "scheduler": "schedules",
    "loss": "losses",
    "criterion": "losses",
    "precision": "precision",
}
"""What papers call a thing that was made, and the member of the model's answer that lists it."""
_SAME = (
    frozenset(("lr", "learning_rate", "base_lr", "init_lr")),
    frozenset(("weight_decay", "wd", "decay")),
    frozenset(("epochs", "num_epochs", "n_epochs", "max_epochs", "num_train_epochs")),
    frozenset(("batch_size", "batch", "bs", "per_device_train_batch_size")),
    frozenset(("seed", "random_state", "random_seed", "manual_seed")),
    frozenset(("examples", "length", "samples")),
)
"""Names of one setting. The one that is written counts first."""
_OPTIMIZED = _SAME[:2]
"""Of these what an optimizer had counts under each of their names."""
_NEAR = 3


class Known(NamedTuple):
    """One setting as the record has it. strong: an object had it. where: "file:line" or ""."""

    name: str
    value: Any
    source: str
    where: str = ""
    strong: bool = False

    def __str__(self) -> str:
        """Return it in words: "lr 0.001 (optimizer Adam at train.py:12)"."""
        place = " at %s" % self.where if self.where else ""
        words = (self.name, value_text(self.value), self.source, place)
        return "%s %s (%s%s)" % words


class Setting(NamedTuple):
    """A stated setting, judged. equal: None where nothing is known of it. detail: a clause."""

    name: str
    stated: str
    recorded: str
    equal: bool | None
    detail: str = ""


def judge(run: Record, name: str, stated: Any, text: str) -> Setting:
    """Return whether ``run`` had the parameter ``name`` as ``stated`` (``text``: as written)."""
    known = list(_known(run))
    found = _matching(known, name)
    if not found:
        return Setting(name, text, "", None, "no parameter %s%s" % (name, near(name, known)))
    strong = [one for one in found if one.strong] or found
    best = next((one for one in strong if same(stated, text, one.value)), None)
    others = [one for one in found if not same(stated, text, one.value)]
    if best is not None:
        detail = "also %s" % ", ".join(map(str, others[:_NEAR])) if others else ""
        return Setting(name, text, str(best), True, detail)
    agree = [one for one in found if one not in others]
    detail = "though %s" % str(agree[0]) if agree else ""
    every = list(dict.fromkeys(str(one) for one in strong))
    return Setting(name, text, ", ".join(every[:_NEAR]), False, detail)


def judge_package(run: Record, name: str, stated: str) -> Setting:
    """Return whether ``run`` had the release ``stated`` of a package, or one that begins so."""
    versions = packages.versions(run)
    key = name.lower().replace("_", "-")
    if key == "pytorch" and key not in versions:
        key = "torch"
    version = versions.get(key, "")
    if key == "python":
        version = next((one.version for one in (runtime.of(run) or {}).values()), "")
    if not version:
        close = difflib.get_close_matches(key, versions, _NEAR)
        text = "the run had no package %s" % name
        return Setting(name, stated, "", None, text + _did_you(close))
    wanted, has = stated.lstrip("v= ").split("."), version.partition("+")[0].split(".")
    return Setting(name, stated, "%s %s" % (name, version), has[: len(wanted)] == wanted)


def near(name: str, known: Iterable[Known]) -> str:
    """Return "; near: a, b" with recorded names that resemble ``name``, "" for none."""
    names = list(dict.fromkeys(one.name for one in known))
    last = {one.rpartition(".")[2]: one for one in names}
    close = [last[one] for one in difflib.get_close_matches(name, last, _NEAR)]
    return _did_you(close or difflib.get_close_matches(name, names, _NEAR))


def _did_you(close: Iterable[str]) -> str:
    words = ", ".join(close)
    return "; near: %s" % words if words else ""


def _matching(known: list[Known], name: str) -> list[Known]:
    """Return the settings that ``name`` means: its own name, the end of one, or another word."""
    plain = _merging.plainly(name)
    exact = [one for one in known if _merging.plainly(one.name) == plain]
    ends = [one for one in known if _merging.plainly(one.name).endswith("." + plain)]
    found = [*exact, *(one for one in ends if one not in exact)]
    words = next((one for one in _SAME if plain in one), frozenset[str]())
    alias = [one for one in known if _merging.plainly(one.name).rpartition(".")[2] in words]
    if not found:
        return alias
    if words in _OPTIMIZED:  # --learning-rate is what was asked for, the optimizer's lr what was
        found += [one for one in alias if one.strong and one not in found]
    return found


def _known(run: Record) -> Iterator[Known]:
    """Yield all settings of a run, those of objects first."""
    made = model.of(run)
    if made is not None:
        yield from _made(made)
    told = params.of(run)
    for name, one in (told.values if told is not None else {}).items():
        strong = one.source in ("sklearn", "xgboost", "lightgbm", "catboost", "object")
        yield Known(name, one.value, one.source, one.where, strong)
        for other in one.others:
            yield Known(name, other.value, other.source, other.where)
    sown = seeds.of(run)
    for call in sown.calls if sown is not None else ():
        if call.argument is not None:
            source = "%s.%s" % (call.library, call.function.rpartition(".")[2])
            yield Known("seed", call.argument, source, call.where)


def _made(made: Made) -> Iterator[Known]:
    for role, member in _ROLES.items():
        for part in getattr(made, member):
            yield Known(role, _short(part.type), part.framework, part.where, True)
    for one in made.models:
        yield Known("model", _short(one.type), one.framework, one.where, True)
        if one.total:
            yield Known("model.parameters", one.total, _short(one.type), one.where, True)
            yield Known("model.trainable", one.trainable, _short(one.type), one.where, True)
    for member in ("optimizers", "schedules", "losses", "loaders", "clipping", "trainings"):
        for part in getattr(made, member):
            yield from _arguments(part, member)
    for part in made.transformations:
        yield from _arguments(part, "transformations")


def _arguments(part: Part, member: str) -> Iterator[Known]:
    kind = _short(part.type)
    for name, argument in part.arguments.items():
        if not argument.required or argument.given:
            yield Known("%s.%s" % (kind, name), argument.value, member[:-1], part.where, True)
    if member == "loaders" and isinstance(part.details.get("length"), int):
        length = part.details["length"]
        yield Known("%s.examples" % kind, length, "data set", part.where, True)


def _short(kind: str) -> str:
    return kind.rpartition(".")[2]


def same(stated: Any, text: str, recorded: Any) -> bool:
    """Return whether a recorded value is the one that is stated."""
    if isinstance(stated, (list, tuple)):
        listed = isinstance(recorded, (list, tuple)) and len(recorded) == len(stated)
        return listed and all(
            same(one, str(one), other) for one, other in zip(stated, recorded, strict=True)
        )
    if isinstance(stated, bool) or isinstance(recorded, bool) or stated is None:
        written = {"true": True, "false": False}.get(str(stated).lower(), stated)
        return written is recorded
    number = _number(recorded)
    if number is not None:
        return _same_number(text, number)
    return str(stated).strip().casefold() == str(recorded).strip().casefold()


def _same_number(text: str, number: float) -> bool:
    try:
        one = printed(text)
    except ValueError:
        return False
    value = finite(number)
    if value is None:
        return False
    if one.plain[-1:] in ("k", "M", "B"):
        return abs(value - one.value) <= one.half
    factor = 100 if one.unit == "%" and abs(value) <= 1 else 1
    return math.isclose(float(value * factor), float(one.value), rel_tol=1e-9)


def _number(recorded: Any) -> float | None:
    if isinstance(recorded, (int, float)):
        return recorded
    try:
        return float(recorded) if isinstance(recorded, str) else None
    except ValueError:
        return None


def value_text(value: Any) -> str:
    """Return a recorded value for people."""
    number = finite(value)
    if number is not None:
        return str(value) if isinstance(value, int) else shown(number)
    text = value if isinstance(value, str) else repr(value)
    return text if len(text) <= 60 else text[:57] + "..."
