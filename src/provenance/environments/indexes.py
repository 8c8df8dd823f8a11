"""Where distributions are looked for.

pip's own settings, which uv does not read, and the indexes of builds with a local version
(``torch==2.1.0+cpu``).
"""

from __future__ import annotations

import configparser
import os
import sys
from collections.abc import Mapping

_OPTIONS = {
    "index-url": ("PIP_INDEX_URL", "UV_DEFAULT_INDEX"),
    "extra-index-url": ("PIP_EXTRA_INDEX_URL", "UV_INDEX"),
    "find-links": ("PIP_FIND_LINKS", "UV_FIND_LINKS"),
}
"""Option of pip, its variable, and the variable of uv that means the same."""
EXTRA = "UV_INDEX"
_ALSO = {"UV_DEFAULT_INDEX": "UV_INDEX_URL", "UV_INDEX": "UV_EXTRA_INDEX_URL"}
"""Older names of uv's variables."""

_TORCH = frozenset("torch torchvision torchaudio torchtext torchdata torchcsprng".split())
_JAX = frozenset(("jaxlib", "jax-cuda12-plugin", "jax-cuda12-pjrt"))


def settings(environ: Mapping[str, str]) -> dict[str, str]:
    """Return variables that make uv look where pip would; nothing where uv has settings of its own.

    pip takes the best version of all its indexes, so uv is told to do the same.
    """
    asked = [name for _, name in _OPTIONS.values()] + list(_ALSO.values())
    if any(environ.get(name) for name in asked):
        return {}
    found = {}
    configured = _configured(environ)
    for option, (variable, name) in _OPTIONS.items():
        value = environ.get(variable) or configured.get(option, "")
        words = value.split()
        if words:
            found[name] = ("," if name == "UV_FIND_LINKS" else " ").join(words)
    if "UV_INDEX" in found and not environ.get("UV_INDEX_STRATEGY"):
        found["UV_INDEX_STRATEGY"] = "unsafe-best-match"
    return found


def _configured(environ: Mapping[str, str]) -> dict[str, str]:
    """Return what pip's configuration files say, later files before earlier ones."""
    named = environ.get("PIP_CONFIG_FILE")
    if named == os.devnull:
        return {}
    home = environ.get("HOME") or os.path.expanduser("~")
    config = environ.get("XDG_CONFIG_HOME") or os.path.join(home, ".config")
    files = ["/etc/pip.conf", os.path.join(home, ".pip", "pip.conf")]
    if sys.platform == "darwin":
        files.append(os.path.join(home, "Library", "Application Support", "pip", "pip.conf"))
    files += [os.path.join(config, "pip", "pip.conf"), named or ""]
    found: dict[str, str] = {}
    for path in filter(None, files):
        parser = configparser.RawConfigParser()
        try:
            parser.read(path, encoding="utf-8")
        except (configparser.Error, OSError, UnicodeDecodeError):
            continue
        for section in ("global", "install"):
            for option in _OPTIONS:
                if parser.has_option(section, option):
                    found[option] = parser.get(section, option)
    return found


def several(environ: Mapping[str, str]) -> bool:
    """Return whether pip's settings name more than one index."""
    return EXTRA in settings(environ)


def of_local(name: str, version: str) -> list[str]:
    """Return options of uv for the index that has builds with such a local version, else nothing.

    The addresses are those of https://pytorch.org/get-started/previous-versions/ and of the
    installation page of JAX.
    """
    label = version.partition("+")[2]
    if not label:
        return []
    if name in _TORCH and (label == "cpu" or label[:2] == "cu" or label[:4] == "rocm"):
        return ["--default-index", "https://download.pytorch.org/whl/" + label]
    if name in _JAX and label.startswith("cuda"):
        page = "https://storage.googleapis.com/jax-releases/jax_cuda_releases.html"
        return ["--find-links", page]
    return []
