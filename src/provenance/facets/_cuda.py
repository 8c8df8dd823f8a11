"""Versions of what lies between a framework and NVIDIA's driver: toolkit, runtime, cuDNN.

They are often confused, and each is told by somebody else: the toolkit by its own folder, what a
framework was built with by the framework, what is installed beside it by the wheels' metadata.
"""

from __future__ import annotations

import json
import os
import re
from typing import Any, Dict, Mapping, NamedTuple, Tuple

from provenance.core.context import Interpreter
from provenance.facets import _cards

_WHEEL = re.compile(
    r"(nvidia_cudnn_cu\d+|nvidia_cuda_runtime(?:_cu\d+)?|libtpu)-([^-]+)\.dist-info$"
)
_DEFINED = re.compile(r"#define CUDNN_(MAJOR|MINOR|PATCHLEVEL) (\d+)")
_HEADERS = ("cudnn_version.h", "cudnn.h")


class Installed(NamedTuple):
    """Versions by who told of them: cudnn, runtime (CUDA's), and other software."""

    cudnn: Dict[str, str] = {}
    runtime: Dict[str, str] = {}
    software: Dict[str, str] = {}


def toolkit(environ: Mapping[str, str], usual: str = "/usr/local/cuda") -> str:
    """Return the version of the CUDA toolkit that the environment names, else of the usual one."""
    for folder in _homes(environ, usual):
        try:
            return str(
                json.loads(_cards.text(os.path.join(folder, "version.json")))["cuda"]["version"]
            )
        except (ValueError, KeyError, TypeError):
            pass
        text = _cards.text(os.path.join(folder, "version.txt"))
        found = re.search(r"CUDA Version (\d[\d.]*)", text)
        if found:
            return found.group(1)
    return ""


def header(
    environ: Mapping[str, str],
    usual: str = "/usr/local/cuda",
    system: Tuple[str, ...] = ("/usr/include", "/usr/include/x86_64-linux-gnu"),
) -> str:
    """Return the version of cuDNN that is installed beside the toolkit or in the system."""
    for folder in (*(os.path.join(home, "include") for home in _homes(environ, usual)), *system):
        for name in _HEADERS:
            parts = dict(_DEFINED.findall(_cards.text(os.path.join(folder, name))))
            if len(parts) == 3:
                return "%s.%s.%s" % (parts["MAJOR"], parts["MINOR"], parts["PATCHLEVEL"])
    return ""


def _homes(environ: Mapping[str, str], usual: str) -> Tuple[str, ...]:
    named = (environ.get("CUDA_HOME"), environ.get("CUDA_PATH"), usual)
    return tuple(folder for folder in named if folder)


def frameworks(interpreters: Tuple[Interpreter, ...]) -> Installed:
    """Return what the run's frameworks said at their end, and the wheels installed for them."""
    found = Installed({}, {}, {})
    for one in interpreters:
        for library, settings in one.settings.items():
            told = settings if isinstance(settings, dict) else {}
            for name, into in (("cuda", found.runtime), ("hip", found.software)):
                value = told.get(name)
                if isinstance(value, str) and value:
                    into[library if name == "cuda" else "hip of %s" % library] = value
            number = told.get("cudnn")
            if number and isinstance(number, (int, str)) and not isinstance(number, bool):
                found.cudnn[library] = _cudnn(number)
        for folder in one.sys_path:
            if folder.endswith("-packages"):
                _wheels(folder, found)
    return found


def _wheels(folder: str, found: Installed) -> None:
    for entry in _cards.names(folder):
        wheel = _WHEEL.match(entry)
        if wheel is None:
            continue
        name, version = wheel.group(1).replace("_", "-"), wheel.group(2)
        into = (
            found.cudnn if "cudnn" in name else found.runtime if "cuda" in name else found.software
        )
        into.setdefault(name, version)


def _cudnn(number: Any) -> str:
    """Return a version of cuDNN in words: 8902 is 8.9.2, and since version 9 90100 is 9.1.0."""
    if isinstance(number, str):
        return number
    most = 10000 if number >= 90000 else 1000
    return "%d.%d.%d" % (number // most, number % most // 100, number % 100)
