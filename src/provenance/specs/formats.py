"""Which reader takes a file: by its name, and by its first bytes where the name does not tell."""

from __future__ import annotations

import importlib
import re
from collections.abc import Callable

from provenance.specs._text import brief
from provenance.specs.model import MOST_BYTES, Fact, Source, Spec, Unread, Unreadable

HEAD = 4096
"""Bytes of a file that are looked at to tell its format."""

_BY_NAME: tuple[tuple[str, str], ...] = (
    (r"pipfile", "pipfile"),
    (r"pipfile\.lock", "pipfile_lock"),
    (r"poetry\.lock", "poetry_lock"),
    (r"uv\.lock", "uv_lock"),
    (r"pdm\.lock", "pdm_lock"),
    (r"pylock(\.[\w-]+)?\.toml", "pylock"),
    (r"pixi\.lock", "pixi_lock"),
    (r"pixi\.toml", "pixi_toml"),
    (r".*conda-?lock.*\.ya?ml", "conda_lock"),
    (r"conda-.+\.lock|.*explicit.*\.(txt|lock)", "conda_explicit"),
    (r"renv\.lock", "renv_lock"),
    (r"(julia)?manifest(-v[\d.]+)?\.toml", "julia_manifest"),
    (r"(julia)?project\.toml", "julia_project"),
    (r"packrat\.lock", "packrat_lock"),
    (r"DESCRIPTION", "description"),
    (r"anaconda-project(-lock)?\.ya?ml", "anaconda_project"),
    (r"meta\.ya?ml", "meta_yaml"),
    (r"pyproject\.toml", "pyproject"),
    (r"setup\.cfg", "setup_cfg"),
    (r"setup\.py", "setup_py"),
    (r"mlproject|python_env\.ya?ml", "mlproject"),
    (r"cog\.ya?ml", "cog"),
    (r"runtime\.txt|\.python-version|\.tool-versions", "python_version"),
    (r".+\.dvc|dvc\.(lock|yaml)", "dvc"),
    (r"(.*[._-])?(docker|container)file([._-].*)?", "dockerfile"),
    (r"(apptainer|singularity)([._-].*)?|.+\.(def|sif\.def)", "apptainer"),
    (
        r"(.*[._-])?(sha\d*|md5|b2|b3|blake[23]b?)(sums?)?([._-].*)?|(.*[._-])?checksums?([._-].*)?"
        r"|.+\.(sha\d+|md5|b3|b2)(sums?)?",
        "checksums",
    ),
    (r"(.*[._-])?(env|environments?|conda)([._-]?[\w.-]*)?\.ya?ml", "environment_yml"),
    (
        r".*(requirements?|reqs?|constraints?|freeze|packages|dependencies"
        r"|(?:package|conda|pip)[._-]?list)[\w.-]*\.(txt|in|pip|lock)",
        "requirements",
    ),
    (
        r"(readme|install(ation|ing)?|requirements?|environment|setup|dependencies|getting_?started)"
        r"(\.\w{2,10})?\.?(md|markdown|rst|txt|org|adoc)?",
        "readme",
    ),
)
_NAMES = tuple((re.compile(pattern, re.IGNORECASE), module) for pattern, module in _BY_NAME)
_STEERING = re.compile("[\0-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069\ud800-\udfff]")
"""Control characters, those that turn the direction of writing, and halves of characters."""
_CONTROLS = "It holds control characters, which no name, version or path has."
_NO_TEXT = (".py", ".sh", ".ipynb", ".png", ".zip", ".gz", ".json")


def module_of(path: str, head: bytes = b"") -> str:
    """Return the name of the reader's module for a file, "" where there is none.

    head: the file's first bytes; without them the name decides alone.
    """
    folder, _, name = path.rpartition("/")
    by_head = _by_head(head[:HEAD].replace(b"\0", b""), name)
    if by_head:
        return by_head
    for pattern, module in _NAMES:
        if pattern.fullmatch(name[:255]) and not (
            name.lower().endswith(_NO_TEXT) and module not in ("setup_py",)
        ):
            return "" if module == "apptainer" and _is_windows(head, name) else module
    last = folder.rpartition("/")[2].lower()
    if last in ("requirements", "reqs", "requires") and name.lower().endswith((".txt", ".in")):
        return "requirements"
    return ""


def _by_head(head: bytes, name: str) -> str:
    """Return the module of formats whose first lines tell them, whatever the name."""
    ending = name.lower().rpartition(".")[2]
    if ending in ("txt", "lock", "text") or "." not in name:
        if re.search(rb"^@EXPLICIT\s*$", head, re.MULTILINE):
            return "conda_explicit"
        if ending != "lock" and b"# $ conda create --name <env> --file" in head:
            return "requirements" if re.search("requirement", name, re.IGNORECASE) else "conda_list"
        if head.lstrip().startswith(b"# packages in environment at "):
            return "conda_list"
    if ending in ("yml", "yaml"):
        whole = re.search(rb"^metadata:[ \t\r]*$", head, re.MULTILINE)
        if whole and re.search(rb"^[ \t]+content_hash:", head, re.MULTILINE):
            return "conda_lock"
        if re.search(rb"^dependencies:\s*(?:#.*)?\r?$", head, re.MULTILINE) and not re.search(
            rb"^(?:build|stages|entry_points|python):", head, re.MULTILINE
        ):
            return "environment_yml"
    return ""


def _is_windows(head: bytes, name: str) -> bool:
    """Return whether a .def file is no recipe but lists what a Windows library exports."""
    recipe = re.search(rb"^\s*bootstrap\s*:", head, re.MULTILINE | re.IGNORECASE)
    return bool(head) and name.lower().endswith(".def") and not recipe


def read(source: Source, module: str = "") -> Spec:
    """Return what a file states. Never raises: what is wrong with the file is in ``unread``.

    module: of the reader; without one the file's name and first bytes tell.
    """
    module = module or module_of(source.path, source.data[:HEAD])
    if not module:
        return _failed(source, "", "The format of this file is not known.")
    if len(source.data) > MOST_BYTES:
        why = "The file has %d bytes; at most %d are read." % (len(source.data), MOST_BYTES)
        return _failed(source, module, why)
    try:
        reader = _reader(module)
    except ImportError:
        return _failed(source, module, "There is no reader for this format yet.")
    try:
        spec = _shown(reader(source))
        if not (spec.facts or spec.unread or spec.notes):
            return spec._replace(notes=("Nothing about the environment is stated in it.",))
        return spec
    except Unreadable as error:
        return _failed(source, module, error.why, error.line)
    except RecursionError:
        return _failed(source, module, "The file is nested too deeply.")
    except MemoryError:
        return _failed(source, module, "The file needs more memory to read than there is.")
    except Exception as error:  # noqa: BLE001 - one file must not stop the reading of a repository
        why = "Reading it failed (%s); please report this file." % type(error).__name__
        return _failed(source, module, why)


def _shown(spec: Spec) -> Spec:
    """Return a Spec in which each fact has a name, and no character steers a terminal.

    No name and no version has such characters: the fact is none. One place for all readers.
    """
    facts, unread = [], [_plain(one) for one in spec.unread]
    for one in spec.facts:
        if not one.name.strip():
            unread.append(Unread(one.where, brief(one.version), "This entry has no name."))
        elif _STEERING.search(_joined(one)):
            unread.append(Unread(one.where, brief(one.name), _CONTROLS))
        else:
            facts.append(one)
    return spec._replace(
        facts=tuple(facts),
        unread=tuple(unread),
        complete=spec.complete and len(facts) == len(spec.facts),
        notes=tuple(_STEERING.sub("\N{REPLACEMENT CHARACTER}", one) for one in spec.notes),
    )


def _plain(one: Unread) -> Unread:
    if not _STEERING.search(one.text + one.why):
        return one
    return one._replace(
        text=brief(one.text), why=_STEERING.sub("\N{REPLACEMENT CHARACTER}", one.why)
    )


def _joined(fact: Fact) -> str:
    return "".join(one for one in (*fact, *fact.extras) if isinstance(one, str))


def _reader(module: str) -> Callable[[Source], Spec]:
    """Return the ``read`` of a reader, imported only now: each needs other libraries."""
    found: Callable[[Source], Spec] = importlib.import_module("." + module, __package__).read
    return found


def _failed(source: Source, module: str, why: str, line: int = 0) -> Spec:
    where = "%s:%d" % (source.path, max(line, 1))
    return Spec(source.path, module or "unknown", unread=(Unread(where, "", why),))
