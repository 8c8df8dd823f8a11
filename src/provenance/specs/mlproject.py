"""MLflow's files: ``MLproject``, which names an environment, and ``python_env.yaml``."""

from __future__ import annotations

from provenance.specs import _images, _pip
from provenance.specs._gathered import Gathered, python
from provenance.specs._text import brief
from provenance.specs._yaml import MAP, SCALAR, document
from provenance.specs.model import Source, Spec, Unreadable

FORMATS = ("MLproject", "python_env.yaml")


def read(source: Source) -> Spec:
    """Return what the file states itself; the environment file it names is said in a note."""
    whole = document(source.data)
    root = whole.root
    if root is None or root.kind != MAP:
        raise Unreadable("There is no map at the top of it, which MLflow's files have.")
    into = Gathered(source.path)
    into.miss_all(whole.problems)
    own = source.path.rpartition("/")[2] == "MLproject"
    for name in ("conda_env", "python_env") if own else ():
        node = root.get(name)
        if node is not None and not node.empty:
            sentence = '%s: the environment is what the file "%s" states.'
            into.note(sentence % (into.where(node.line), brief(node.text)))
    image = root.get("docker_env", "image") if own else None
    if image is not None and image.kind == SCALAR and not image.empty:
        into.take(*_images.stated(image.text, into.where(image.line)))
    version = None if own else root.get("python")
    if version is not None and version.kind == SCALAR and not version.empty:
        into.take(python(version.text.strip()[:40], into.where(version.line)))
    if not own:
        for part, group in (("build_dependencies", "group:build"), ("dependencies", "")):
            lines = [(one.line, one.text) for one in root.children(part) if one.kind == SCALAR]
            _pip.state(lines, source, into, group=group)
    return into.spec(FORMATS[0] if own else FORMATS[1])
