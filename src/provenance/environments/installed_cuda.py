"""Which CUDA and cuDNN are here, and who says so: builds of frameworks, wheels, conda, toolkits.

Nothing is imported or started: a framework's own file that names its build is read as text.
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterator, Mapping, Sequence
from typing import NamedTuple

from provenance.facets import _cards, _conda, _cuda, _gpu

CUDA, CUDNN = "cuda", "cudnn"


class Told(NamedTuple):
    """A version and who tells it.

    what: "cuda" or "cudnn". version: "" for a build without it. system: it is of the machine, not
    of the environment.
    """

    what: str
    by: str
    version: str
    system: bool = False


class Graphics(NamedTuple):
    """What the machine itself has. cuda: the newest that its driver can serve, "" without one."""

    cards: int = 0
    driver: str = ""
    cuda: str = ""


_TORCH = re.compile(
    r"^(cuda|hip|__version__)[ \t]*(?::[^=\n]*)?=[ \t]*(?:None|[\"']([^\"'\n]*)[\"'])", re.MULTILINE
)
_TENSORFLOW = re.compile(
    r"[\"'](cuda_version|cudnn_version|is_cuda_build)[\"'],?\s*:?\s*[\"']?([\w.]+)"
)
_PADDLE = re.compile(r"^(cuda_version|cudnn_version)\s*=\s*[\"']([^\"']*)[\"']", re.MULTILINE)
_DIST = re.compile(r"(?P<name>[^-]+)-(?P<version>[^-]+)\.(?:dist|egg)-info$")
_LOCAL = re.compile(r"\+(?:.*?)cu(\d{2,3})\b")
_WHEEL = re.compile(r"nvidia_(cuda_runtime|cudnn)(?:_cu\d+)?$")
_NAMED = re.compile(r"(?:cupy_cuda|jax_cuda|pycuda_cuda|spacy_cuda)(\d{2,3})x?(?:_plugin|_pjrt)?$")
_CONDA = re.compile(
    r"(?:cuda|cudatoolkit|cuda-toolkit|cuda-version|cuda-runtime|cuda-cudart|pytorch-cuda)$"
)


def look(site_folders: Sequence[str], environ: Mapping[str, str]) -> tuple[Told, ...]:
    """Return what tells of CUDA, what decides for a program first. Never raises.

    Frameworks bring or need one CUDA, whatever else is installed; then come the wheels and the
    conda packages of the runtime, and last the system's toolkit.
    """
    found: list[Told] = []
    for folder in site_folders:
        found += _torch(folder)
        found += _tensorflow(folder)
        found += _paddle(folder)
    for folder in site_folders:
        found += _distributions(folder)
    for prefix in prefixes(site_folders):
        found += _of_conda(prefix)
    toolkit = _toolkit(environ)
    if toolkit:
        found.append(Told(CUDA, "the CUDA toolkit", toolkit, system=True))
    header = _cuda.header(environ)
    if header:
        found.append(Told(CUDNN, "the system's cuDNN", header, system=True))
    return tuple(dict.fromkeys(found))


def graphics(environ: Mapping[str, str]) -> Graphics:
    """Return NVIDIA's cards and driver. Asks the driver, where there is one: up to two seconds."""
    seen = _gpu.look(environ)
    cards = sum(1 for one in seen.gpus if one.vendor == "nvidia")
    return Graphics(cards, seen.driver if cards or seen.cuda_driver else "", seen.cuda_driver)


def conda_packages(site_folders: Sequence[str]) -> dict[str, str]:
    """Return the versions of all conda packages beside ``site_folders``, {} where conda is not."""
    found: dict[str, str] = {}
    for prefix in prefixes(site_folders):
        read = _conda.read(prefix)
        for name, package in (read.packages if read else {}).items():
            found.setdefault(name, package.version)
    return found


def prefixes(site_folders: Sequence[str]) -> tuple[str, ...]:
    """Return the prefixes of environments that the site folders lie in."""
    found: dict[str, None] = {}
    for folder in site_folders:
        prefix = re.sub(
            r"[/\\]lib(?:64)?[/\\](?:python[^/\\]*[/\\])?[^/\\]*$", "", folder, flags=re.I
        )
        if prefix != folder:
            found[prefix] = None
    return tuple(found)


def dotted(number: str) -> str:
    """Return "113" as 11.3 and "92" as 9.2, as the names of wheels write them; "12" stays."""
    if "." in number or len(number) < 2 or number in ("10", "11", "12", "13", "14"):
        return number
    return "%s.%s" % (number[:-1], number[-1])


def _torch(folder: str) -> Iterator[Told]:
    text = _cards.text(os.path.join(folder, "torch", "version.py"))
    told = dict(_TORCH.findall(text))
    if "__version__" not in told:
        return
    by = "torch %s" % told["__version__"]
    if told.get("cuda") or not told.get("hip"):
        yield Told(CUDA, by, told.get("cuda", ""))


def _tensorflow(folder: str) -> Iterator[Told]:
    place = os.path.join(folder, "tensorflow", "python", "platform", "build_info.py")
    told = dict(_TENSORFLOW.findall(_cards.text(place)))
    if not told:
        return
    if told.get("is_cuda_build") == "False":
        yield Told(CUDA, "tensorflow", "")
    for what in (CUDA, CUDNN):
        # On Windows it is "64_112": 64 bit, version 11.2.
        version = told.get(what + "_version", "").removeprefix("64_")
        if version:
            yield Told(what, "tensorflow", dotted(version) if what == CUDA else version)


def _paddle(folder: str) -> Iterator[Told]:
    told = dict(_PADDLE.findall(_cards.text(os.path.join(folder, "paddle", "version.py"))))
    for what in (CUDA, CUDNN):
        version = told.get(what + "_version", "")
        if re.match(r"\d", version):
            yield Told(what, "paddle", version)


def _distributions(folder: str) -> Iterator[Told]:
    """Yield what the names and local versions of installed distributions tell."""
    later = []
    for entry in _cards.names(folder):
        found = _DIST.match(entry)
        if found is None:
            continue
        name, version = found["name"].lower(), found["version"]
        local, named = _LOCAL.search(version), _NAMED.match(name)
        shown = "%s %s" % (name.replace("_", "-"), version)
        wheel = _WHEEL.match(name)
        if local and name != "torch":
            yield Told(CUDA, shown, dotted(local[1]))
        elif named:
            yield Told(CUDA, shown, dotted(named[1]))
        elif wheel:
            later.append(Told(CUDNN if wheel[1] == "cudnn" else CUDA, shown, version))
    yield from later


def _of_conda(prefix: str) -> Iterator[Told]:
    read = _conda.read(prefix)
    for name, package in sorted((read.packages if read else {}).items()):
        if _CONDA.match(name):
            yield Told(CUDA, "conda's %s" % name, package.version)
        elif name == "cudnn":
            yield Told(CUDNN, "conda's cudnn", package.version)


def _toolkit(environ: Mapping[str, str]) -> str:
    """Return the toolkit's version, from its own file or else from the name of its folder."""
    told = _cuda.toolkit(environ)
    if told:
        return told
    for home in (environ.get("CUDA_HOME"), environ.get("CUDA_PATH"), "/usr/local/cuda"):
        found = re.search(r"cuda-(\d+\.\d+)$", os.path.realpath(home)) if home else None
        if found and home and os.path.isdir(home):
            return found[1]
    return ""
