"""Which names of a script are its settings: plain values that it assigns at its top level.

Some programs have neither a parser nor a configuration file: ``batch_size = 32`` stands at the top
of the script, or of a file that it executes. What such a name held at the end is told by the hook;
the source, read and never run, tells which names those are. State is none: what a loop, ``+=`` or a
function changes, and what is computed from other values.
"""

from __future__ import annotations

import ast
import os
from typing import Any, Dict, FrozenSet, Iterable, List, NamedTuple, Optional, Set, Tuple

from provenance.facets import _metricnames

_LARGEST = 1 << 20
_CASTS = frozenset("int float str bool tuple list set len".split())
_ASKING = frozenset(("os.environ.get", "os.getenv", "environ.get", "getenv", "os.path.join"))
_OVERRIDING = frozenset("exec globals vars locals setattr run_path execfile".split())
_UNKNOWN = object()


class Settings(NamedTuple):
    """What a script's source says of its names.

    literals: of each setting the constants that are assigned to it, first come first. computed:
    settings to which something else is assigned, too. derived: those of them to which that is done
    by an assignment of its own, and not by a choice of constants. configurable: it executes other
    files or writes names by text, so that a value from outside may stand in any setting. executed:
    files that it names in an ``exec``, as written.
    """

    literals: Dict[str, Tuple[Any, ...]]
    computed: Set[str]
    configurable: bool
    executed: Tuple[str, ...]
    derived: FrozenSet[str] = frozenset()


def settings(source: bytes) -> Optional[Settings]:
    """Return the settings of a script; None where it is not Python that can be read."""
    try:
        tree = ast.parse(source)
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return None
    literals: Dict[str, List[Any]] = {}
    others: Set[str] = set()
    derived: Set[str] = set()
    state = set(_state(tree))
    steady = dict(_steady(tree))
    state -= set(steady)
    for name, value in [*_assigned(tree.body), *steady.items()]:
        known = _constant(value)
        if known is not None:
            literals.setdefault(name, []).append(known[0])
            continue
        others.add(name)
        if isinstance(value, ast.IfExp):
            branches = [_constant(value.body), _constant(value.orelse)]
            if all(branches):
                literals.setdefault(name, []).extend(one[0] for one in branches if one)
                continue
        derived.add(name)
    kept = {n: tuple(v) for n, v in literals.items() if n not in state and not n.startswith("_")}
    calls = [_dotted(one.func) for one in ast.walk(tree) if isinstance(one, ast.Call)]
    free = any(name.rpartition(".")[2] in _OVERRIDING for name in calls)
    files = tuple(_executed(tree))
    return Settings(kept, others & set(kept), free, files, frozenset(derived & set(kept)))


def of(file: str, named: Iterable[str]) -> List[Settings]:
    """Return the settings of a script and of the files it executes; named: those it may execute."""
    found: List[Settings] = []
    waiting = [file]
    done: Set[str] = set()
    while waiting:
        path = waiting.pop(0)
        if path in done or len(done) > 20:
            continue
        done.add(path)
        one = _read(path)
        if one is None:
            continue
        found.append(one)
        if one.executed or one.configurable:
            folder = os.path.dirname(file)
            waiting += [os.path.join(folder, name) for name in one.executed]
            waiting += [name for name in named if "exec" in _words(path)]
    return found


def _read(path: str) -> Optional[Settings]:
    try:
        if os.path.getsize(path) > _LARGEST:
            return None
        with open(path, "rb") as file:
            return settings(file.read())
    except OSError:
        return None


def _words(path: str) -> str:
    with open(path, "rb") as file:
        return file.read(_LARGEST).decode("utf-8", "replace")


def _assigned(body: Iterable[ast.stmt]) -> Iterable[Tuple[str, ast.expr]]:
    """Yield the names that a body assigns, without functions, classes and loops."""
    for one in body:
        if isinstance(one, ast.Assign):
            for target in one.targets:
                if isinstance(target, ast.Name):
                    yield target.id, one.value
                elif isinstance(target, ast.Tuple) and isinstance(one.value, ast.Tuple):
                    for place, value in zip(target.elts, one.value.elts):
                        if isinstance(place, ast.Name):
                            yield place.id, value
        elif isinstance(one, ast.AnnAssign) and isinstance(one.target, ast.Name) and one.value:
            yield one.target.id, one.value
        elif isinstance(one, (ast.If, ast.With, ast.Try)):
            for name in ("body", "orelse", "finalbody"):
                for found in _assigned(getattr(one, name, ())):
                    yield found


def _state(tree: ast.AST) -> Iterable[str]:
    """Yield the names that are state: assigned in a loop, or by a function that says ``global``."""
    for one in ast.walk(tree):
        if isinstance(one, ast.Global):
            for name in one.names:
                yield name
        if isinstance(one, (ast.For, ast.While, ast.AsyncFor)):
            for inner in ast.walk(one):
                if isinstance(inner, ast.Name) and isinstance(inner.ctx, ast.Store):
                    yield inner.id


def _steady(tree: ast.Module) -> Iterable[Tuple[str, ast.expr]]:
    """Yield what a loop at the top level sets to one number each time it comes round.

    Nothing else may write the name: ``lr = 0.03`` is a setting there, too, a counter or flag not.
    """
    stored: Dict[str, int] = {}
    for one in ast.walk(tree):
        if isinstance(one, ast.Name) and isinstance(one.ctx, (ast.Store, ast.Del)):
            stored[one.id] = stored.get(one.id, 0) + 1
        elif isinstance(one, ast.Global):
            stored.update((name, 2) for name in one.names)
    for loop in tree.body:
        for name, value in _assigned(loop.body if isinstance(loop, (ast.For, ast.While)) else ()):
            known = _constant(value)
            number = known is not None and type(known[0]) in (int, float)
            steady = number and stored.get(name) == 1 and value in _direct(loop)
            if steady and not _metricnames.is_measure(name):
                yield name, value


def _direct(loop: ast.stmt) -> List[ast.expr]:
    """Return what the statements right in a loop assign, not those of its branches."""
    body = getattr(loop, "body", [])
    return [one.value for one in body if isinstance(one, ast.Assign)]


def _constant(node: ast.expr) -> Optional[Tuple[Any]]:
    """Return, in a tuple, the constant that an expression is; `_UNKNOWN` of words of the outside.

    None where it is computed from something else.
    """
    try:
        return (ast.literal_eval(node),)
    except (ValueError, TypeError, SyntaxError, RecursionError, MemoryError):
        pass
    if isinstance(node, ast.IfExp):  # the word that was given, or else a constant
        first, second = _constant(node.body), _constant(node.orelse)
        return second if first == (_UNKNOWN,) and second is not None else None
    if isinstance(node, ast.BinOp):
        return _computed(node)
    if isinstance(node, ast.Subscript) and _dotted(node.value) in ("sys.argv", "os.environ"):
        return (_UNKNOWN,)
    if isinstance(node, ast.Call):
        name = _dotted(node.func)
        inner = [_constant(one) for one in node.args]
        if name in _ASKING and all(one is not None for one in inner):
            return (_UNKNOWN,)
        if name in _CASTS and len(inner) == 1 and inner[0] is not None:
            return (_UNKNOWN,)
    return None


def _computed(node: ast.BinOp) -> Optional[Tuple[Any]]:
    """Return what arithmetic of constants gives, such as ``5 * 8``; only small numbers."""
    left, right = _constant(node.left), _constant(node.right)
    if left is None or right is None:
        return None
    one, other = left[0], right[0]
    if not all(isinstance(x, (int, float)) and abs(x) < 1e12 for x in (one, other)):
        return (_UNKNOWN,)
    try:
        if isinstance(node.op, ast.Mult):
            return (one * other,)
        if isinstance(node.op, ast.Add):
            return (one + other,)
        if isinstance(node.op, ast.Sub):
            return (one - other,)
        if isinstance(node.op, ast.Div):
            return (one / other,)
        if isinstance(node.op, ast.FloorDiv):
            return (one // other,)
        if isinstance(node.op, ast.Pow) and abs(one) <= 1024 and 0 <= other <= 64:
            return (one**other,)
        if isinstance(node.op, ast.LShift) and 0 <= one <= 1 << 20 and 0 <= other <= 40:
            return (one << other,)
    except (ArithmeticError, TypeError):
        return None
    return (_UNKNOWN,)


def _executed(tree: ast.AST) -> Iterable[str]:
    """Yield the files that an ``exec(open("name").read())`` names, or ``runpy.run_path``."""
    for one in ast.walk(tree):
        if isinstance(one, ast.Call) and _dotted(one.func).rpartition(".")[2] in (
            "exec",
            "run_path",
        ):
            for inner in ast.walk(one):
                text = _constant(inner) if isinstance(inner, ast.expr) else None
                if text and isinstance(text[0], str) and text[0].endswith(".py"):
                    yield text[0]


def _dotted(node: ast.AST) -> str:
    if isinstance(node, ast.Name):
        return node.id
    if isinstance(node, ast.Attribute):
        return "%s.%s" % (_dotted(node.value), node.attr)
    return ""


def told(known: List[Settings], values: Dict[str, Any]) -> Dict[str, Tuple[Any, Any, Any]]:
    """Return ``{name: (value, default, given)}`` of the settings that ``values`` hold at the end.

    A value other than the one written in the source came from outside. Where that is possible and
    did not happen, the written one is a default; else it is simply what the script says.
    """
    if not known:
        return {}
    free = any(one.configurable for one in known)
    found: Dict[str, Tuple[Any, Any, Any]] = {}
    for name, value in values.items():
        written = [literal for one in known for literal in one.literals.get(name, ())]
        if not written or (value in ([], {}) and value == written[0]):
            continue
        written = [one for one in written if one is not _UNKNOWN] or [_UNKNOWN]
        changed = not any(value is one or value == one for one in written)
        computed = any(name in one.computed for one in known)
        if isinstance(value, (list, dict)):
            found.update(_inside(name, value, written[0]))
        elif not (changed and computed and (not free or written[0] is None)):
            first = None if written[0] is _UNKNOWN or (computed and not changed) else written[0]
            derived = any(name in one.derived for one in known)
            given: Optional[bool] = True if changed and not derived else None
            if free and not computed:
                given = value != first
            found[name] = (value, first, given)
    return found


def _inside(name: str, value: Any, written: Any) -> Dict[str, Tuple[Any, Any, Any]]:
    """Return the settings of a dictionary or list that stands in the source as a constant."""
    if isinstance(value, list):
        if isinstance(written, (list, tuple)) and value == list(written):
            return {name: (value, None, None)}
        return {}
    found: Dict[str, Tuple[Any, Any, Any]] = {}
    if isinstance(written, dict):
        for key, one in value.items():
            if key not in written or (isinstance(one, list) and one != written[key]):
                continue
            whole = "%s.%s" % (name, key)
            if isinstance(one, dict):
                found.update(_inside(whole, one, written[key]))
            else:
                same = one == written[key]
                found[whole] = (one, None if same else written[key], None if same else True)
    return found
