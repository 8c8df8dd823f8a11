"""The parts of the facet ``model``, put together from what the hook told of each process.

Ranks of a distributed job and folds of a cross-validation build the same thing again and again:
what is equal is one entry with a count.
"""

from __future__ import annotations

from typing import Any, Callable, Dict, List, NamedTuple, Optional, Tuple

from provenance.core import canonical
from provenance.core.context import Noted

TOPIC = "model."

ROLES = {
    "optimizer": "optimizers",
    "schedule": "schedules",
    "loss": "losses",
    "loader": "loaders",
    "precision": "precision",
    "clipping": "clipping",
    "initialiser": "initialisers",
    "training": "trainings",
    "transformation": "transformations",
}
"""What the hook calls a thing that was made, and the member of `Made` where it goes."""


class Argument(NamedTuple):
    """One argument: its value, its default, and whether it was given (None where not known).

    required: there is no default.
    """

    value: Any
    default: Any = None
    given: Optional[bool] = None
    required: bool = False


class Part(NamedTuple):
    """Something that was made or called, and with what.

    type: dotted name of the class or function. framework: "torch", "keras", "jax". where:
    "file:line". details: what else is known of it (of an optimizer its parameter groups, of a
    loader its data set). end: how it was when it was last seen (learning rate, steps). times: how
    often the same was made or called, over all processes.
    """

    type: str
    framework: str = ""
    where: str = ""
    arguments: Dict[str, Argument] = {}
    details: Dict[str, Any] = {}
    end: Dict[str, Any] = {}
    times: int = 1


class Layer(NamedTuple):
    """One layer, or ``repeats`` equal ones ("blocks.0-11.fc").

    type: dotted class. shapes: of its parameters by name, None for one without a shape yet.
    parameters: how many numbers one of them holds. trainable: whether they are trained, None where
    some are or there are none. dtype: of them. output: shape of what it gives, None where not
    known. settings: as the layer says them.
    """

    name: str
    type: str
    shapes: Dict[str, Any] = {}
    parameters: int = 0
    trainable: Optional[bool] = None
    dtype: str = ""
    output: Any = None
    settings: str = ""
    repeats: int = 1


class Summary(NamedTuple):
    """A model.

    type: dotted class. defined: where the class is, "file:line". where, how: the line at which it
    was first seen, and by what ("optimizer", "fit", "eval" ...). total, trainable: parameters.
    bytes: of the parameters. dtypes, devices: parameters by dtype and by device. unset: parameters
    that had no shape yet. optimizers: indices into `Made.optimizers`. wrappers: what was around it.
    layers: see `Layer`; left_out: further rows that are not kept. times: how many equal ones.
    """

    type: str
    framework: str = ""
    defined: str = ""
    where: str = ""
    how: str = ""
    total: int = 0
    trainable: int = 0
    bytes: int = 0
    dtypes: Dict[str, int] = {}
    devices: Dict[str, int] = {}
    unset: int = 0
    optimizers: Tuple[int, ...] = ()
    wrappers: Tuple[str, ...] = ()
    layers: Tuple[Layer, ...] = ()
    left_out: int = 0
    times: int = 1


class Made(NamedTuple):
    """Everything that the run built to learn with.

    transformations: parts of an optax optimizer. trainings: calls of ``fit`` and ``compile``.
    """

    models: Tuple[Summary, ...] = ()
    optimizers: Tuple[Part, ...] = ()
    schedules: Tuple[Part, ...] = ()
    losses: Tuple[Part, ...] = ()
    loaders: Tuple[Part, ...] = ()
    precision: Tuple[Part, ...] = ()
    clipping: Tuple[Part, ...] = ()
    initialisers: Tuple[Part, ...] = ()
    trainings: Tuple[Part, ...] = ()
    transformations: Tuple[Part, ...] = ()


Key = Tuple[str, Any, Any]


def put_together(noted: Tuple[Noted, ...], place: Callable[[str], str]) -> Made:
    """Return what ``noted`` tells; ``place`` gives "file:line" the form of the record."""
    told: Dict[str, Dict[Key, Any]] = {}
    rows: Dict[Key, Dict[int, List[Any]]] = {}
    for one in noted:
        if not one.topic.startswith(TOPIC):
            continue
        what, value = one.topic[len(TOPIC) :], one.value
        key = (one.process, value.get("role"), value.get("number"))
        if what == "layers":
            rows.setdefault(key, {})[int(value["first"])] = list(value["rows"])
        else:
            if what == "summary":
                rows.pop(key, None)
            told.setdefault(what, {})[key] = value
    parts: Dict[str, List[Part]] = {name: [] for name in ROLES.values()}
    indices: Dict[Key, int] = {}
    for key, value in told.get("made", {}).items():
        member = ROLES.get(str(key[1]))
        if member is not None:
            end = told.get("end", {}).get(key, {})
            count = told.get("count", {}).get(key, {}).get("count", 1)
            part = _part(value, dict(end.get("more") or {}), int(count), place)
            indices[key] = _merged(parts[member], part)
    models = _models(told.get("summary", {}), rows, indices, place)
    return Made(models, **{name: tuple(found) for name, found in parts.items()})


def _part(value: Dict[str, Any], end: Dict[str, Any], count: int, place: Any) -> Part:
    arguments = {
        name: Argument(*one[:4]) for name, one in dict(value.get("arguments") or {}).items()
    }
    details = dict(value.get("more") or {})
    kind, framework = str(value["type"]), str(value.get("framework", ""))
    where = place(str(value.get("where") or ""))
    if "groups" in details:
        details, end = _groups(details, end, arguments)
    return Part(kind, framework, where, arguments, details, end, count)


def _groups(
    details: Dict[str, Any], end: Dict[str, Any], arguments: Dict[str, Argument]
) -> Tuple[Dict[str, Any], Dict[str, Any]]:
    """Return an optimizer's groups without what they share with its arguments, and its end.

    Of the end, what has changed since; the learning rate is always there.
    """
    usual = {name: one.value for name, one in arguments.items()}
    first = list(details["groups"])
    last = list(end.get("groups") or ())
    kept = [{n: v for n, v in group.items() if n not in usual or usual[n] != v} for group in first]
    for place, group in enumerate(last):
        before = first[place] if place < len(first) else {}
        last[place] = {
            n: v
            for n, v in group.items()
            if n == "lr" or (n != "initial_lr" and before.get(n, None) != v)
        }
    return dict(details, groups=kept), dict(end, groups=last) if end else end


def _merged(found: List[Any], one: Any) -> int:
    """Put ``one`` into ``found``, or count it with its equal; return its index there."""
    for index, other in enumerate(found):
        if other._replace(times=1) == one._replace(times=1):
            found[index] = other._replace(times=other.times + one.times)
            return index
    found.append(one)
    return len(found) - 1


def _models(
    summaries: Dict[Key, Any],
    rows: Dict[Key, Dict[int, List[Any]]],
    indices: Dict[Key, int],
    place: Callable[[str], str],
) -> Tuple[Summary, ...]:
    inside = {(k[0], None, part) for k, v in summaries.items() for part in v.get("parts", ())}
    found: List[Summary] = []
    for key, value in summaries.items():
        if key in inside:
            continue
        layers = tuple(
            Layer(*row[: len(Layer._fields)])
            for first in sorted(rows.get(key, {}))
            for row in rows[key][first]
        )
        of = [indices.get((key[0], "optimizer", number)) for number in value.get("optimizers", ())]
        members = {
            name: value[name]
            for name in "type framework how total trainable bytes dtypes devices unset".split()
            if name in value
        }
        one = Summary(
            defined=place(str(value.get("defined") or "")),
            where=place(str(value.get("where") or "")),
            optimizers=tuple(number for number in of if number is not None),
            wrappers=tuple(value.get("wrappers") or ()),
            layers=layers,
            left_out=int(value.get("left_out", 0)),
            **members,
        )
        _merged(found, one)
    return tuple(found)


def facts(made: Made) -> Dict[str, Any]:
    """Return everything that two runs can be compared by, under names that people understand."""
    found: Dict[str, Any] = {}
    for number, model in enumerate(made.models):
        label = _label("model", number, len(made.models))
        for name in ("type", "total", "trainable", "dtypes", "wrappers"):
            found["%s %s" % (label, name)] = canonical.plain(getattr(model, name))
        for layer in model.layers:
            facts_of = layer._asdict()
            name = facts_of.pop("name")
            for member, value in facts_of.items():
                if member == "shapes":
                    for tensor, shape in value.items():
                        found["%s layer %r %s shape" % (label, name, tensor)] = shape
                elif member not in ("repeats", "parameters") or value != 1:
                    found["%s layer %r %s" % (label, name, member)] = value
    for role, member in ROLES.items():
        parts = getattr(made, member)
        for number, part in enumerate(parts):
            label = _label(role, number, len(parts))
            found[label] = part.type
            for name, argument in part.arguments.items():
                found["%s.%s" % (label, name)] = argument.value
            for name, value in _flat(part.end, "at the end"):
                found["%s %s" % (label, name)] = value
            for name, value in _flat(part.details, ""):
                found["%s %s" % (label, name)] = value
    return found


def _label(role: str, number: int, count: int) -> str:
    return role if count == 1 else "%s %d" % (role, number + 1)


def _flat(value: Any, name: str) -> List[Tuple[str, Any]]:
    """Return nested details as ``(name, value)``, one for each plain value or list of such."""
    if isinstance(value, dict):
        items = list(value.items())
    elif isinstance(value, (list, tuple)) and any(isinstance(one, dict) for one in value):
        items = [(str(place + 1), one) for place, one in enumerate(value)]
    else:
        return [(name, value)]
    return [
        one for key, part in items for one in _flat(part, " ".join(w for w in (name, key) if w))
    ]
