"""What is installed for an interpreter, read from the folders on its ``sys.path``.

Works from outside the interpreter (nothing is imported or run) and inside it; needs no network and
no ``importlib.metadata``, which 3.7 lacks and which is several times slower.
"""

from __future__ import annotations

import hashlib
import json
import os
import re
from bisect import bisect_left
from typing import Any, Dict, Iterator, List, NamedTuple, Optional, Sequence, Tuple

from provenance.core import versions

HEADER_BYTES = 4096
"""Name and Version stand in the first lines of METADATA; long descriptions come after them."""

_SEPARATORS = re.compile(r"[-_.]+")


class Distribution(NamedTuple):
    """One installed distribution, as the interpreter that owns the ``sys.path`` sees it.

    name: as its metadata writes it. key: the name in the form of PEP 503, by which names are
    compared. location: the folder on ``sys.path``. folder: of its metadata (a file for old eggs).
    installer: "pip", "uv", "conda"; "" where not stated. requested: asked for by name, not pulled
    in. direct_url: as in PEP 610, credentials and all: redact before writing. editable_root: the
    project folder of an editable install, else "". record_sha256: of what the RECORD says of the
    package's own files (see `_record`); "" where there is no RECORD. modules: importable names,
    dotted below namespace packages. note: what is wrong with it, else "".
    """

    name: str
    key: str
    version: str
    location: str
    folder: str
    installer: str = ""
    requested: bool = False
    direct_url: Dict[str, Any] = {}
    editable_root: str = ""
    record_sha256: str = ""
    modules: Tuple[str, ...] = ()
    note: str = ""


def scan(sys_path: Sequence[str]) -> List[Distribution]:
    """Return every distribution on ``sys_path``, sorted by key; the first on the path wins."""
    found: Dict[str, Distribution] = {}
    links: Dict[str, str] = {}
    for folder in _distinct(sys_path):
        here: Dict[str, Distribution] = {}
        for one in _in_folder(folder, links):
            here[one.key] = _better(here[one.key], one) if one.key in here else one
        for key, one in here.items():
            found[key] = _shadowing(found[key], one) if key in found else one
    for key, root in links.items():
        if key in found and found[key].location == root:
            found[key] = found[key]._replace(editable_root=root, record_sha256="")
    return [found[key] for key in sorted(found)]


def key_of(name: str) -> str:
    """Return a distribution's name in the form by which names are compared (PEP 503)."""
    return _SEPARATORS.sub("-", name).lower()


def _distinct(sys_path: Sequence[str]) -> Iterator[str]:
    seen = set()
    for entry in sys_path:
        folder = os.path.abspath(entry or os.curdir)
        if folder not in seen:
            seen.add(folder)
            yield folder


def _in_folder(folder: str, links: Dict[str, str]) -> Iterator[Distribution]:
    """Yield the distributions right inside ``folder``; note egg-links in ``links``."""
    try:
        names = sorted(os.listdir(folder))
    except NotADirectoryError:
        if folder.endswith(".egg"):
            yield _by_name(os.path.basename(folder), os.path.dirname(folder), "packed egg")
        return
    except OSError:
        return
    for name in names:
        if name.endswith((".dist-info", ".egg-info")):
            if name.startswith("~"):
                yield _by_name(name, folder, "half removed")
            else:
                yield _read(folder, name)
        elif name == "EGG-INFO" and folder.endswith(".egg"):
            yield _read(folder, name)
        elif name.endswith(".egg-link"):
            root = _bytes(os.path.join(folder, name)).decode("utf-8", "replace").split("\n")[0]
            if root.strip():
                links[key_of(name[:-9])] = os.path.abspath(root.strip())


def _read(location: str, entry: str) -> Distribution:
    """Return the distribution whose metadata is ``entry`` of the folder ``location``."""
    folder = os.path.join(location, entry)
    try:
        files = frozenset(os.listdir(folder))
    except NotADirectoryError:
        return _named(_bytes(folder, HEADER_BYTES), location, folder)
    except OSError:
        return _by_name(entry, location, "unreadable metadata")
    one = _named(_metadata(folder, files), location, folder)
    if "INSTALLER" in files:
        text = _bytes(os.path.join(folder, "INSTALLER"), 256).decode("utf-8", "replace")
        one = one._replace(installer=text.strip())
    if "direct_url.json" in files:
        direct = _object(_bytes(os.path.join(folder, "direct_url.json")))
        one = one._replace(direct_url=direct, editable_root=_editable_root(direct))
    if "RECORD" in files:
        one = _with_record(one, _bytes(os.path.join(folder, "RECORD")))
    if "top_level.txt" in files and not one.modules:
        names = _bytes(os.path.join(folder, "top_level.txt")).decode("utf-8", "replace").split()
        one = one._replace(modules=tuple(sorted(name.replace("/", ".") for name in names)))
    return one._replace(requested="REQUESTED" in files)


def _metadata(folder: str, files: Any) -> bytes:
    for name in ("METADATA", "PKG-INFO"):
        header = _bytes(os.path.join(folder, name), HEADER_BYTES) if name in files else b""
        if header:
            return header
    return b""


def _named(header: bytes, location: str, folder: str) -> Distribution:
    """Return a distribution with the name and version of ``header``, else of its folder's name."""
    header = header.partition(b"\n\n")[0].partition(b"\r\n\r\n")[0]
    name, version = _field(header, b"Name:"), _field(header, b"Version:")
    if name and version:
        return Distribution(name, key_of(name), version, location, folder)
    return _by_name(os.path.basename(folder), location, "no metadata")


def _field(header: bytes, name: bytes) -> str:
    start = 0 if header.startswith(name) else header.find(b"\n" + name) + 1
    if not start and not header.startswith(name):
        return ""
    value = header[start + len(name) :].partition(b"\n")[0]
    return value.strip().decode("utf-8", "replace")


def _by_name(entry: str, location: str, note: str) -> Distribution:
    """Return what the name of a metadata folder tells: ``name-version[-py3.8].dist-info``."""
    stem = re.sub(r"(-py\d[\d.]*(-[^-]+)?)?\.(dist-info|egg-info|egg)$", "", entry)
    match = re.match(r"(.+?)-(\d.*)$", stem)
    name, version = match.groups() if match else (stem, "")
    return Distribution(
        name, key_of(name), version, location, os.path.join(location, entry), note=note
    )


def _with_record(one: Distribution, raw: bytes) -> Distribution:
    """Return ``one`` with what its RECORD says: digest, modules, and a project that it points to.

    A RECORD that lists nothing but a pointer (a .pth file, a finder) is that of an editable
    install; its digest would only tell where the project lies.
    """
    lines = _record(raw, os.path.basename(one.folder).encode("utf-8", "replace"))
    editable = one.editable_root or _pointed(one.location, lines)
    if editable:
        return one._replace(editable_root=editable)
    value = hashlib.sha256(b"\n".join(lines)).hexdigest() if lines else ""
    return one._replace(record_sha256=value, modules=_modules(lines))


def _record(raw: bytes, metadata: bytes) -> List[bytes]:
    """Return the sorted lines of a RECORD that speak of the package's own files.

    Left out is what differs between two installs of the same wheel: bytecode, the folder
    ``metadata`` (INSTALLER, REQUESTED, direct_url.json) and what lies outside the site folder
    (scripts, whose first line names the interpreter).
    """
    if b"\r" in raw:
        raw = raw.replace(b"\r\n", b"\n")
    lines = raw.split(b"\n")
    if b"__pycache__/" in raw:
        lines = [line for line in lines if b"__pycache__/" not in line]
    lines.sort()
    # Sorted, each kind to leave out is one stretch: the empty, "../", "/", then the metadata.
    start = bisect_left(lines, b"!")
    outside = (bisect_left(lines, b"../"), bisect_left(lines, b"..0"))
    absolute = (bisect_left(lines, b"/"), bisect_left(lines, b"0"))
    own = (bisect_left(lines, metadata + b"/"), bisect_left(lines, metadata + b"0"))
    for first, after in sorted((outside, absolute, own), reverse=True):
        del lines[first:after]
    return lines[start:] if start else lines


def _modules(lines: Sequence[bytes], prefix: bytes = b"") -> Tuple[str, ...]:
    """Return the importable names in sorted RECORD ``lines``, dotted below namespace packages."""
    names = set()
    start = bisect_left(lines, prefix)
    while start < len(lines) and lines[start].startswith(prefix):
        path = lines[start].partition(b",")[0][len(prefix) :]
        first, slash, _ = path.partition(b"/")
        name = first.decode("utf-8", "replace")
        if not slash:
            start += 1
            stem, _, suffix = name.partition(".")
            if stem.isidentifier() and (suffix == "py" or name.endswith((".so", ".pyd"))):
                names.add(_dotted(prefix) + stem)
            continue
        below = prefix + first + b"/"
        if name.isidentifier():
            init = bisect_left(lines, below + b"__init__.")
            if init < len(lines) and lines[init].startswith(below + b"__init__."):
                names.add(_dotted(prefix) + name)
            elif prefix.count(b"/") < 2:
                names.update(_modules(lines, below) or (_dotted(prefix) + name,))
        start = bisect_left(lines, prefix + first + b"0", start)  # "0" follows "/"
    return tuple(sorted(names))


def _dotted(prefix: bytes) -> str:
    return prefix.decode("utf-8", "replace").replace("/", ".")


def _pointed(location: str, lines: Sequence[bytes]) -> str:
    """Return the project folder that a RECORD of only .pth files and finders points to, or ""."""
    names = [line.partition(b",")[0].decode("utf-8", "replace") for line in lines[:3]]
    if not names or len(lines) > 2:
        return ""
    if not all(n.endswith(".pth") or n.startswith("__editable__") for n in names):
        return ""
    for name in names:
        text = _bytes(os.path.join(location, name)).decode("utf-8", "replace")
        if name.endswith(".pth"):
            first = text.strip().split("\n")[0].strip()
            if os.path.isabs(first):
                return os.path.normpath(first)
        else:
            mapped = re.search(r"MAPPING[^=]*=\s*\{\s*['\"][^'\"]+['\"]\s*:\s*['\"]([^'\"]+)", text)
            if mapped:
                return os.path.dirname(os.path.normpath(mapped.group(1)))
    return ""


def _editable_root(direct_url: Dict[str, Any]) -> str:
    info = direct_url.get("dir_info")
    if not isinstance(info, dict) or not info.get("editable"):
        return ""
    return file_path(direct_url.get("url")) or ""


def file_path(url: Any) -> Optional[str]:
    """Return the path that a ``file:`` URL names, None for any other value."""
    if not isinstance(url, str) or not url.lower().startswith("file:"):
        return None
    from urllib.parse import unquote, urlsplit  # seldom needed, and slow to import

    return os.path.normpath(unquote(urlsplit(url).path))


def _better(old: Distribution, new: Distribution) -> Distribution:
    """Return which of two entries of one name in one folder counts: the newer whole one."""
    whole = (not old.note, not new.note)
    if whole[0] != whole[1]:
        return old if whole[0] else new
    ordered = versions.is_version(old.version) and versions.is_version(new.version)
    later = new if ordered and versions.key(new.version) >= versions.key(old.version) else old
    other = old if later is new else new
    return later._replace(note="also version %s in the same folder" % (other.version or "unknown"))


def _shadowing(first: Distribution, later: Distribution) -> Distribution:
    """Return ``first``, found earlier on the path, with what ``later`` knows of the same project.

    A source tree with its own egg-info that stands on the path (the script's folder) hides the
    metadata of the editable install that points to it, and with it where that came from.
    """
    if later.editable_root and not first.editable_root and not first.record_sha256:
        root = later.editable_root
        if first.location == root or first.location.startswith(root.rstrip(os.sep) + os.sep):
            return later._replace(version=first.version or later.version)
    return first


def _object(raw: bytes) -> Dict[str, Any]:
    try:
        value = json.loads(raw.decode("utf-8"))
    except ValueError:
        return {}
    return value if isinstance(value, dict) else {}


def _bytes(path: str, limit: int = 0) -> bytes:
    """Return (the first ``limit`` bytes of) a file, nothing where it cannot be read.

    System calls, because 1,500 of these small reads make a third of a scan's time.
    """
    try:
        handle = os.open(path, os.O_RDONLY | getattr(os, "O_BINARY", 0))
    except OSError:
        return b""
    try:
        size = limit or os.fstat(handle).st_size + 1
        data = os.read(handle, size)
        while not limit and len(data) >= size:
            more = os.read(handle, size)
            if not more:
                break
            data += more
        return data
    except OSError:
        return b""
    finally:
        os.close(handle)
