"""anaconda-project.yml and anaconda-project-lock.yml: packages of each environment, and downloads.

What stands beside the environments and in the first of them counts always, as that one is used
where nobody asks for another; what the others list is of their group.
"""

from __future__ import annotations

from provenance.specs import _conda, _jinja
from provenance.specs._gathered import NO_PACKAGE, Gathered
from provenance.specs._yaml import LIST, MAP, SCALAR, Document, Node
from provenance.specs.environment_yml import Dependencies
from provenance.specs.model import DATA, EXACT, PLACED, PLATFORM, Fact, Source, Spec, Unreadable

FORMAT, LOCKED = "anaconda-project.yml", "anaconda-project-lock.yml"
_EVERYWHERE = ("all", "noarch")


def read(source: Source) -> Spec:
    """Return what an anaconda-project.yml, or the lock file beside it, states."""
    file, statements = _jinja.document(source.data)
    told = Gathered(source.path)
    told.miss_all((line, text, _jinja.why(text)) for line, text in statements)
    told.miss_all(file.problems)
    root = file.root
    if root is None or root.kind != MAP:
        raise Unreadable("No project of Anaconda's: the file is no map.", 1)
    if not any(root.get(key) for key in ("packages", "dependencies", "env_specs")):
        raise Unreadable("No project of Anaconda's: it lists no packages.", 1)
    _conda.platforms([(one.text, one.line) for one in root.children("platforms")], told)
    locked = root.get("locking_enabled") is not None
    reader = Dependencies(source, file, told)
    _packages(root, "", reader, told)
    specs = root.get("env_specs")
    for at, (key, value) in enumerate(specs.pairs if specs else []):
        _packages(value, "" if at == 0 else "group:" + key.text[:100], reader, told)
    _downloads(root, file, told)
    listed = [one for one in told.facts if one.kind not in (PLATFORM, DATA)]
    complete = locked and bool(listed) and all(one.exactness == EXACT for one in listed)
    return told.spec(LOCKED if locked else FORMAT, complete, nothing=NO_PACKAGE)


def _packages(node: Node, group: str, reader: Dependencies, told: Gathered) -> None:
    for name in ("packages", "dependencies"):
        packages = node.get(name)
        if packages is None or packages.kind != MAP:
            reader.read(packages, "", group)
            continue
        # In a lock file: one list for each platform, and those for all.
        for key, items in packages.pairs:
            marker = "" if key.text in _EVERYWHERE else _conda.selector(key.text)
            if key.text == "pip":
                reader.pip(items, "", group)
            elif marker is None:
                told.miss(key.line, key.text, "No platform that is known.")
            else:
                reader.read(items, marker, group)


def _downloads(root: Node, file: Document, told: Gathered) -> None:
    """State the files that the project fetches."""
    downloads = root.get("downloads")
    for key, value in downloads.pairs if downloads else []:
        url = value.text if value.kind == SCALAR else value.string("url")
        if not url or value.kind == LIST or _jinja.HOLE in url:
            told.miss(key.line, file.lines[key.line - 1].strip(), "A download without an address.")
            continue
        digest = ""
        for kind in ("sha256", "md5"):
            digest = digest or (value.string(kind) and "%s:%s" % (kind, value.string(kind).lower()))
        told.take(
            Fact(
                kind=DATA,
                name=value.string("filename") or url.partition("?")[0].rpartition("/")[2] or url,
                exactness=EXACT if digest else PLACED,
                where=told.where(key.line),
                ecosystem="",
                url=_conda.without_secret(url),
                digest=digest,
            )
        )
