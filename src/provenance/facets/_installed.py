"""The payload of the facet ``packages``: what is installed for one interpreter."""

from __future__ import annotations

from typing import Any, Dict, NamedTuple, Optional, Tuple

from provenance.core import codec
from provenance.core.paths import PathRef
from provenance.facets import _origins
from provenance.facets._conda import CondaPackage
from provenance.facets._origins import Editable


class Installed(NamedTuple):
    """One installed distribution. Members that have their default are left out of the JSON.

    name: as its metadata writes it. imported: whether the run imported any of its modules; how:
    "observed", or "inferred" where only a shared name speaks for it, "" where not imported.
    origin: "index", "conda", "vcs", "archive", "folder", "editable", "system" or "not stated".
    installer: "pip", "uv", "conda" ...; "" where not stated. requested: asked for by name.
    direct_url: as in PEP 610 without credentials; a local place stands as ``path``, not ``url``.
    editable: the project folder of an editable install. record_sha256: digest of the RECORD's lines
    on the package's own files (no bytecode, metadata, scripts): equal for two installs of one
    wheel; "" where there is none. site: the place of its folder in `Packages.sys_path`. modules:
    importable names. conda: name of the conda package that brought it. note: what is wrong with it.
    """

    name: str
    version: str
    imported: bool = False
    how: str = ""
    origin: str = _origins.INDEX
    installer: str = ""
    requested: bool = False
    direct_url: Dict[str, Any] = {}
    editable: Optional[Editable] = None
    record_sha256: str = ""
    site: int = 0
    modules: Tuple[str, ...] = ()
    conda: str = ""
    note: str = ""

    def to_json(self) -> Dict[str, Any]:
        """Return the members that do not have their default."""
        kept = {}
        for name in self._fields:
            value = getattr(self, name)
            if name in ("name", "version", "imported") or value != self._field_defaults[name]:
                kept[name] = codec.encode(value)
        return kept


class Packages(NamedTuple):
    """What is installed for one interpreter.

    distributions: by name in the form of PEP 503. conda: packages of the conda prefix by name,
    Python or not; empty where there is no conda. sys_path: the interpreter's own. complete:
    whether ``imported`` can be trusted: the interpreter reported its modules at its end.
    """

    distributions: Dict[str, Installed]
    conda: Dict[str, CondaPackage] = {}
    sys_path: Tuple[PathRef, ...] = ()
    complete: bool = False
