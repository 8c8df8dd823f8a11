"""``cog.yaml``: the container that Replicate's Cog builds for a model."""

from __future__ import annotations

from provenance.specs import _images, _installs, _pip
from provenance.specs._gathered import Gathered, cuda, of_version, python
from provenance.specs._text import brief
from provenance.specs._yaml import MAP, SCALAR, Node, document
from provenance.specs.model import CUDA, NAMED, Fact, Source, Spec, Unread, Unreadable

FORMAT = "cog.yaml"


def read(source: Source) -> Spec:
    """Return what ``build`` states; commands of ``run`` are read for what they install."""
    whole = document(source.data)
    root = whole.root
    if root is None or root.kind != MAP:
        raise Unreadable("There is no map at the top of it, which cog.yaml has.")
    into = Gathered(source.path)
    into.miss_all(whole.problems)
    build = root.get("build")
    if build is not None and build.kind == MAP:
        _build(build, source, into)
    return into.spec(FORMAT)


def _build(build: Node, source: Source, into: Gathered) -> None:
    for key, node in build.pairs:
        where = into.where(node.line)
        text = node.text.strip()[:200] if node.kind == SCALAR and not node.empty else ""
        if key.text == "python_version" and text:
            _number(python(text, where), text, into)
        elif key.text == "cuda" and text:
            _number(cuda(text, where), text, into)
        elif key.text == "cudnn" and text:
            _number(of_version(CUDA, "cudnn", text, where), text, into)
        elif key.text == "image" and text:
            into.take(*_images.stated(text, where))
        elif key.text == "python_requirements" and text:
            into.note('%s: what the file "%s" states is installed too.' % (where, brief(text)))
        elif key.text == "python_packages":
            items = build.children("python_packages")
            _pip.state([(i.line, i.text) for i in items if i.kind == SCALAR], source, into)
        elif key.text in ("run", "pre_install"):
            for one in build.children(key.text):
                command = one if one.kind == SCALAR else one.get("command")
                if command is not None and command.kind == SCALAR:
                    _command(command, into)
        elif key.text == "gpu" and text == "true" and build.get("cuda") is None:
            into.take(Fact(CUDA, "cuda", NAMED, where))


def _number(fact: Fact, text: str, into: Gathered) -> None:
    """Add a fact of a version if it is one."""
    good = text[:1].isdigit() and all(char.isalnum() or char in ".+" for char in text)
    into.take(fact if good else Unread(fact.where, brief(text), "This is no version."))


def _command(node: Node, into: Gathered) -> None:
    # The text of "|" begins on the line below it; of folded text only the first line is known.
    first = node.line + (not node.plain and "\n" in node.text)
    lines = into.within(lambda at: into.where(first + node.text.count("\n", 0, at)))
    _installs.take(node.text, 0, {}, lines)
    into.merge(lines)
