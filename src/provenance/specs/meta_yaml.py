"""conda-build's meta.yaml, as far as it can be read without running its template.

What the package needs to run counts always; what it is built, tested and constrained with is of
the group of that name. The package itself is no fact: its recipe says what is built, not what is
installed.
"""

from __future__ import annotations

from provenance.specs import _jinja
from provenance.specs._gathered import NO_PACKAGE, Gathered
from provenance.specs._yaml import LIST, MAP, Node
from provenance.specs.environment_yml import Dependencies
from provenance.specs.model import Source, Spec, Unreadable

FORMAT = "meta.yaml"
_OPTIONAL = ("build", "host", "run_constrained", "run_constraints")


def read(source: Source) -> Spec:
    """Return what a recipe states."""
    file, statements = _jinja.document(source.data)
    told = Gathered(source.path)
    told.miss_all((line, text, _jinja.why(text)) for line, text in statements)
    told.miss_all(file.problems)
    root = file.root
    if root is None or root.kind != MAP:
        raise Unreadable("No recipe of conda-build's: the file is no map.", 1)
    if root.get("requirements") is None and root.get("package") is None:
        raise Unreadable("No recipe of conda-build's: it has no package and no requirements.", 1)
    name, version = root.string("package", "name"), root.string("package", "version")
    if name and _jinja.HOLE not in name + version:
        told.note("The recipe of %s." % " ".join((name[:100], version[:100])).strip())
    reader = Dependencies(source, file, told)
    outputs = root.get("outputs")
    for one in [root, *(outputs.items if outputs is not None else [])]:
        _requirements(one, reader)
    return told.spec(FORMAT, False, nothing=NO_PACKAGE)


def _requirements(node: Node, reader: Dependencies) -> None:
    needs = node.get("requirements")
    if needs is not None and needs.kind == LIST:
        reader.read(needs, "", "")
    elif needs is not None:
        reader.read(needs.get("run"), "", "")
        for name in _OPTIONAL:
            reader.read(needs.get(name), "", "group:" + name)
    reader.read(node.get("test", "requires"), "", "group:test")
