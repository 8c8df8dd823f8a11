"""The files that go into other people's repositories: the drop-in test and the SDK.

They must be read, trusted and run without this package. The drop-in test is one portable module as
it is, below a line that names its version and digest. The SDK is made of several: code is copied
line by line, comments and all; imports are moved or removed, module docstrings become comments, and
functions, classes and constants that nothing in the file uses are left out.
"""

from __future__ import annotations

import ast
import hashlib
import os
import re
import textwrap
from typing import NamedTuple

import provenance

PACKAGE = "provenance"
SDK = ("provenance.agent.sdk",)
DROP_IN = "provenance.agent.check"
WIDTH = 100
_SHEBANG = "#!/usr/bin/env python3\n"
_STAMP = "# Drop-in test of prov %s. SHA-256 of all that is below the next line:\n# %s\n"
_STAMPED = re.compile(re.escape(_STAMP) % (r"(\S+)", "([0-9a-f]{64})"))
SHIPPED, OTHER, CHANGED = "shipped", "of another version", "changed"
"""What a drop-in test can be: this version's, unchanged since another one made it, or edited."""


class PackError(ValueError):
    """The modules cannot stand in one file; says which name or import is in the way."""


class Part(NamedTuple):
    """A statement at the top of a module, with the comments above and the string below it.

    names: what it binds. used: names that stand in it; a name taken from a module as
    ``module.name``.
    """

    text: str
    names: tuple[str, ...]
    used: frozenset[str]


class Source(NamedTuple):
    """A module, taken apart.

    parts: its statements without docstring and imports. imports: statements on the standard
    library, as ``(module, name, as)``, name "" for a plain import. members: what it takes from
    other modules of the package, as ``(module, name, as)``; modules: whole modules, as
    ``(module, as)``.
    """

    name: str
    doc: str
    parts: tuple[Part, ...]
    imports: tuple[tuple[str, str, str], ...]
    members: tuple[tuple[str, str, str], ...]
    modules: tuple[tuple[str, str], ...]

    @property
    def body(self) -> str:
        """The lines of its statements."""
        return "\n".join(part.text for part in self.parts).strip("\n")

    @property
    def names(self) -> tuple[str, ...]:
        """What it defines."""
        return tuple(name for part in self.parts for name in part.names)

    @property
    def used(self) -> frozenset[str]:
        """The names that stand in it."""
        return frozenset(name for part in self.parts for name in part.used)


def drop_in() -> str:
    """Return the drop-in test: its module below the line with version and digest."""
    with open(path_of(DROP_IN), encoding="utf-8") as stream:
        body = stream.read()
    return _SHEBANG + _STAMP % (provenance.__version__, _sha256(body)) + body


def state_of(text: str) -> tuple[str, str]:
    """Return what a file called drop-in test is (`SHIPPED` ...) and the version that it names."""
    if text == drop_in():
        return SHIPPED, provenance.__version__
    match = _STAMPED.match(text, len(_SHEBANG)) if text.startswith(_SHEBANG) else None
    if match is None:
        return CHANGED, ""
    whole = match.group(2) == _sha256(text[match.end() :])
    return (OTHER if whole else CHANGED), match.group(1)


def _sha256(text: str) -> str:
    return hashlib.sha256(text.encode("utf-8")).hexdigest()


def pack(modules: tuple[str, ...] = SDK) -> str:
    """Return one file with ``modules`` (dotted names) and all of the package that they need.

    Raises `PackError` where two modules give one name two meanings, or import what is not portable.
    """
    ordered: list[Source] = []
    for name in modules:
        _collect(name, ordered, [])
    ordered = _needed(ordered, modules)
    _check_names(ordered)
    spaces = _namespaces(ordered)
    parts = [_header(ordered[-1]), _imports(ordered, bool(spaces))]
    last = ordered[-1]
    parts += [_section(one, spaces.get(one.name, {}), last=one is last) for one in ordered]
    parts[1] += parts[2]  # one blank line after imports, two between sections
    return "\n".join(parts[:2] + parts[3:])


def path_of(name: str) -> str:
    """Return the file of a module of this package. Raises `PackError` where there is none."""
    root = os.path.dirname(os.path.abspath(provenance.__file__))
    path = os.path.join(os.path.dirname(root), *name.split(".")) + ".py"
    if not os.path.isfile(path):
        raise PackError("%s is not a module with code of its own" % name)
    return path


def _collect(name: str, ordered: list[Source], above: list[str]) -> None:
    """Add ``name`` to ``ordered``, after everything that it needs."""
    if any(source.name == name for source in ordered):
        return
    if name in above:
        raise PackError("import cycle: " + " -> ".join([*above, name]))
    source = _take_apart(name)
    needed = [m for m, _, _ in source.members] + [m for m, _ in source.modules]
    for other in dict.fromkeys(needed):
        _collect(other, ordered, [*above, name])
    ordered.append(source)


def _take_apart(name: str) -> Source:
    with open(path_of(name), encoding="utf-8") as stream:
        text = stream.read()
    tree = ast.parse(text)
    lines = text.split("\n")
    done = 0
    imports: list[tuple[str, str, str]] = []
    members: list[tuple[str, str, str]] = []
    modules: list[tuple[str, str]] = []
    parts: list[Part] = []
    for index, node in enumerate(tree.body):
        is_text = isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant)
        end = node.end_lineno or node.lineno
        if isinstance(node, (ast.Import, ast.ImportFrom)):
            _sort_import(name, node, imports, members, modules)
        elif is_text and parts:
            own = parts.pop()
            parts.append(own._replace(text="\n".join([own.text, *lines[done:end]])))
        elif not _is_all(node) and not (is_text and index == 0):
            above = "\n".join(lines[done:end])
            known = {bound for part in parts for bound in part.names}
            parts.append(Part(above, tuple(_bound(node) or _filled(node, known)), _used(node)))
        done = end
    _forbid_inner(name, tree)
    doc = ast.get_docstring(tree) or ""
    return Source(name, doc, tuple(parts), tuple(imports), tuple(members), tuple(modules))


def _used(node: ast.stmt) -> frozenset[str]:
    """Return the names that stand in a statement, and what it takes from each by a dot."""
    found = set()
    for one in ast.walk(node):
        if isinstance(one, ast.Name):
            found.add(one.id)
        elif isinstance(one, ast.Attribute) and isinstance(one.value, ast.Name):
            found.add("%s.%s" % (one.value.id, one.attr))
    return frozenset(found)


def _needed(ordered: list[Source], modules: tuple[str, ...]) -> list[Source]:
    """Return ``ordered`` with nothing but what ``modules`` use, and what that uses in turn."""
    kept: set[tuple[str, int]] = set()
    waiting = [
        (source, index)
        for source in ordered
        for index, part in enumerate(source.parts)
        if source.name in modules or not part.names
    ]
    while waiting:
        source, index = waiting.pop()
        if (source.name, index) in kept:
            continue
        kept.add((source.name, index))
        for place, name in _meant(source, source.parts[index].used):
            own = next(one for one in ordered if one.name == place)
            waiting += [(own, n) for n, part in enumerate(own.parts) if name in part.names]
    found = [_only(source, kept) for source in ordered]
    return [source for source in found if source.parts]


def _meant(source: Source, used: frozenset[str]) -> list[tuple[str, str]]:
    """Return module and name of what ``used`` names mean in ``source``."""
    found = [(source.name, name) for name in used]
    found += [(module, name) for module, name, alias in source.members if alias in used]
    for module, alias in source.modules:
        head = alias + "."
        found += [(module, name[len(head) :]) for name in used if name.startswith(head)]
    return found


def _only(source: Source, kept: set[tuple[str, int]]) -> Source:
    """Return ``source`` with the parts that are ``kept``, and the imports that they use."""
    parts = tuple(p for n, p in enumerate(source.parts) if (source.name, n) in kept)
    used = {name for part in parts for name in part.used}
    return source._replace(
        parts=parts,
        imports=tuple(i for i in source.imports if (i[2] or i[1] or _top(i[0])) in used),
        members=tuple(one for one in source.members if one[2] in used),
        modules=tuple(one for one in source.modules if one[1] in used),
    )


def _top(module: str) -> str:
    return module.partition(".")[0]


def _sort_import(
    name: str,
    node: ast.Import | ast.ImportFrom,
    imports: list[tuple[str, str, str]],
    members: list[tuple[str, str, str]],
    modules: list[tuple[str, str]],
) -> None:
    if isinstance(node, ast.Import):
        for alias in node.names:
            if alias.name.partition(".")[0] == PACKAGE:
                raise PackError("%s: `import %s` cannot be packed" % (name, alias.name))
            imports.append((alias.name, "", alias.asname or ""))
        return
    module = node.module or ""
    if module == "__future__":
        return
    for alias in node.names:
        if module.partition(".")[0] != PACKAGE:
            imports.append((module, alias.name, alias.asname or ""))
        elif _is_module(module + "." + alias.name):
            modules.append((module + "." + alias.name, alias.asname or alias.name))
        else:
            members.append((module, alias.name, alias.asname or alias.name))


def _is_module(name: str) -> bool:
    try:
        path_of(name)
    except PackError:
        return False
    return True


def _is_all(node: ast.stmt) -> bool:
    targets = node.targets if isinstance(node, ast.Assign) else []
    return any(isinstance(t, ast.Name) and t.id == "__all__" for t in targets)


def _forbid_inner(name: str, tree: ast.Module) -> None:
    """Raise where an import of the package stands anywhere but at the top."""
    top = {id(node) for node in tree.body}
    for node in ast.walk(tree):
        if id(node) in top or not isinstance(node, ast.ImportFrom):
            continue
        if (node.module or "").partition(".")[0] == PACKAGE:
            raise PackError("%s, line %d: an import inside cannot be packed" % (name, node.lineno))


def _bound(node: ast.stmt) -> list[str]:
    """Return the names that a statement at the top of a module binds."""
    if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)):
        return [node.name]
    if isinstance(node, (ast.Assign, ast.AnnAssign)):
        if _is_all(node):
            return []
        targets = node.targets if isinstance(node, ast.Assign) else [node.target]
        return [n.id for t in targets for n in ast.walk(t) if isinstance(n, ast.Name)]
    return []


def _filled(node: ast.stmt, known: set[str]) -> list[str]:
    """Return which of the ``known`` names a statement fills further: ``NAME.update(...)``."""
    call = node.value if isinstance(node, ast.Expr) else None
    what = call.func if isinstance(call, ast.Call) else None
    owner = what.value if isinstance(what, ast.Attribute) else None
    return [owner.id] if isinstance(owner, ast.Name) and owner.id in known else []


def _check_names(ordered: list[Source]) -> None:
    """Raise where one name would mean two things in the one file."""
    meaning: dict[str, str] = {}

    def claim(name: str, what: str) -> None:
        if meaning.setdefault(name, what) != what:
            raise PackError("%r is both %s and %s" % (name, meaning[name], what))

    for source in ordered:
        for name in source.names:
            claim(name, "%s.%s" % (source.name, name))
        for module, name, alias in source.imports:
            known = alias or name or module.partition(".")[0]
            claim(known, "%s.%s" % (module, name) if name else "module " + known)
        for module, name, alias in source.members:
            if alias != name:
                claim(alias, "%s.%s" % (module, name))
        for module, alias in source.modules:
            claim(alias, "module " + module)


def _namespaces(ordered: list[Source]) -> dict[str, dict[str, list[str]]]:
    """Return, per module that others use by its name, that name and what they take through it."""
    found: dict[str, dict[str, list[str]]] = {}
    for source in ordered:
        for module, alias in source.modules:
            head = alias + "."
            used = {name[len(head) :] for name in source.used if name.startswith(head)}
            known_names = {name for own in ordered if own.name == module for name in own.names}
            missing = sorted(used - known_names)
            if missing:
                raise PackError("%s: %s has no %s of its own" % (source.name, alias, missing[0]))
            known = found.setdefault(module, {}).setdefault(alias, [])
            known.extend(sorted(used - set(known)))
    return found


def _header(last: Source) -> str:
    made = "Made by prov %s from its own source; renew it with:  prov init --sdk" % (
        provenance.__version__
    )
    lines = last.doc.rstrip().split("\n")
    return '#!/usr/bin/env python3\n"""%s\n\n%s\n"""\n' % ("\n".join(lines), made)


def _imports(ordered: list[Source], namespaces: bool) -> str:
    every = {one for source in ordered for one in source.imports}
    if namespaces:
        every.add(("types", "SimpleNamespace", ""))
    plain = sorted({(module, alias) for module, name, alias in every if not name})
    lines = ["from __future__ import annotations", ""]
    lines += ["import %s%s" % (m, " as " + a if a else "") for m, a in plain]
    for module in sorted({module for module, name, _ in every if name}, key=str.lower):
        taken = sorted({(n, a) for m, n, a in every if m == module and n}, key=_import_order)
        words = ["%s%s" % (n, " as " + a if a else "") for n, a in taken]
        line = "from %s import %s" % (module, ", ".join(words))
        if len(line) > WIDTH:
            line = "from %s import (\n    %s,\n)" % (module, ",\n    ".join(words))
        lines.append(line)
    return "\n".join(lines) + "\n"


def _import_order(one: tuple[str, str]) -> tuple[int, str]:
    name = one[0]
    return (0 if name.isupper() else 1 if name[:1].isupper() else 2, name)


def _section(source: Source, spaces: dict[str, list[str]], last: bool) -> str:
    """Return one module's code under a line with its name, its docstring as a comment."""
    title = "# ---- %s " % source.name
    lines = ["", title + "-" * (WIDTH - len(title))]
    if not last:
        lines += [("# " + part).rstrip() for part in _narrow(source.doc)]
    lines.append("")
    aliases = ["%s = %s" % (alias, name) for _, name, alias in source.members if alias != name]
    lines += [*aliases, ""] if aliases else []
    if source.body.startswith(("def ", "class ", "@")):
        lines.append("")
    lines.append(source.body)
    for alias in sorted(spaces):
        call = ", ".join("%s=%s" % (name, name) for name in sorted(spaces[alias]))
        text = "%s = SimpleNamespace(%s)" % (alias, call)
        lines += ["", "", text if len(text) <= WIDTH else _wrapped(alias, spaces[alias])]
    return "\n".join(lines) + "\n"


def _narrow(text: str) -> list[str]:
    """Return the lines of ``text``, broken where they would be too long as comments."""
    found: list[str] = []
    for line in text.split("\n"):
        found += textwrap.wrap(line, WIDTH - 2) if len(line) > WIDTH - 2 else [line]
    return found


def _wrapped(alias: str, names: list[str]) -> str:
    call = "".join("%s=%s,\n" % (name, name) for name in sorted(names))
    return "%s = SimpleNamespace(\n%s)" % (alias, textwrap.indent(call, "    "))
