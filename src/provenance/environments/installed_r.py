"""What is installed of R: its version, and the packages that it would load in a folder.

R is not started. Where its home is stands in the script ``R``; in which libraries it looks stands
in its ``Renviron`` files and the environment (R's help pages "Startup" and ".libPaths"); what a
package is stands in its ``DESCRIPTION``.
"""

from __future__ import annotations

import os
import re
import sys
from collections.abc import Iterator, Mapping

from provenance.core import programs
from provenance.environments import _renviron, elsewhere
from provenance.environments.elsewhere import Installed, Release

ECOSYSTEM = "r"

USUAL = (
    "/usr/lib/R",
    "/usr/lib64/R",
    "/usr/local/lib/R",
    "/usr/local/lib64/R",
    "/Library/Frameworks/R.framework/Resources",
    "/opt/homebrew/lib/R",
)
"""Homes of R where it is installed by a system's packages or its own installers."""

_WINDOWS = {"ProgramFiles": ("R",), "LOCALAPPDATA": ("Programs", "R")}
"""Where R's installer for Windows puts ``R-4.3.1``: for all, and for one user."""
_USER = {
    "darwin": "~/Library/R/%a/%v/library",
    "win32": "$LOCALAPPDATA/R/win-library/%v",
}
"""The user's library where nothing names it; elsewhere as on Linux."""

_HOME = re.compile(r"^\s*R_HOME_DIR=[\"']?([^\"'\n]+)", re.MULTILINE)
_FIELD = re.compile(
    r"^(Version|Repository|RemoteSha|GithubSHA1|RemoteType|RemoteUrl|RemoteHost|RemoteUsername|"
    r"RemoteRepo|GithubUsername|GithubRepo|Priority):(.*)$",
    re.MULTILINE,
)
_DEFINED = re.compile(r'#define\s+R_(MAJOR|MINOR)\s+"([\d.]+)"')
_DEEPEST = 5
"""Folders between ``renv/library`` and its packages are three, system, R and platform; of packrat
two."""


def look(environ: Mapping[str, str], folder: str) -> Installed:
    """Return what is installed of R for a program that is started in ``folder``. Never raises."""
    place = home(environ)
    version = version_of(place) if place else ""
    own, managed = _project(folder, environ, version)
    if managed and not own:
        why = "the library of this project is not here; %s fills it" % managed
        return Installed(ECOSYSTEM, version, {}, (), why)
    if not place and not own:
        return Installed(ECOSYSTEM, missing="R is not installed here")
    basic = (os.path.join(place, "library"),) if place else ()
    places = (*own, *basic) if own else libraries(environ, folder, place, version)
    packages: dict[str, Release] = {}
    for library in places:
        for name, release in _packages(library):
            packages.setdefault(name, release)
    return Installed(ECOSYSTEM, version, packages, places)


def home(environ: Mapping[str, str]) -> str:
    """Return R's home: of the R on PATH, else of the environment, else a usual one; "" for none."""
    for place in _homes(environ):
        if os.path.isfile(os.path.join(place, "library", "base", "DESCRIPTION")):
            return place
    return ""


def _homes(environ: Mapping[str, str]) -> Iterator[str]:
    for name in ("R", "Rscript"):
        program = programs.find(name, environ)
        if program is None:
            continue
        told = _HOME.search(elsewhere.text(program)) if name == "R" else None
        if told:
            # The script takes the first of these that holds R, whatever it names itself.
            base, _, last = told[1].rstrip("/").rpartition("/")
            yield from (told[1], "/".join((re.sub(r"lib(64)?$", "lib64", base), last)))
        real = os.path.realpath(program)
        above = os.path.dirname(os.path.dirname(real))
        yield above
        for prefix in (above, os.path.dirname(os.path.dirname(program))):
            yield os.path.join(prefix, "lib", "R")
            yield os.path.join(prefix, "lib64", "R")
    for variable, below in (("R_HOME", ""), ("CONDA_PREFIX", "lib/R")):
        if environ.get(variable):
            yield os.path.join(environ[variable], below).rstrip("/")
    yield from USUAL
    for variable in ("ProgramFiles", "LOCALAPPDATA"):
        above = os.path.join(environ.get(variable, ""), *_WINDOWS[variable])
        found = sorted(_names(above) if environ.get(variable) else (), key=_age, reverse=True)
        yield from (os.path.join(above, name) for name in found if name.startswith("R-"))


def _age(name: str) -> tuple[int, ...]:
    return tuple(int(part) for part in re.findall(r"\d+", name))


def version_of(place: str) -> str:
    """Return the version of the R whose home is ``place``, "" where it does not tell."""
    told = _fields(os.path.join(place, "library", "base")).get("Version", "")
    if told:
        return told
    header = dict(_DEFINED.findall(elsewhere.text(os.path.join(place, "include", "Rversion.h"))))
    return ".".join((header["MAJOR"], header["MINOR"])) if len(header) == 2 else ""


def libraries(environ: Mapping[str, str], folder: str, place: str, version: str) -> tuple[str, ...]:
    """Return the libraries that R looks in, in its order; only those that are there.

    These are, as .libPaths says, R_LIBS, R_LIBS_USER, R_LIBS_SITE, and the one in R's home.
    """
    known = _settings(environ, folder, place)
    own = known.get("HOME", "")
    default_user = _USER.get(sys.platform, "~/R/%p-library/%v")
    default_user = default_user.replace("$LOCALAPPDATA", known.get("LOCALAPPDATA", "~"))
    platform = known.get("R_PLATFORM", "")
    put_in = {
        "V": version,
        "v": ".".join(version.split(".")[:2]),
        "p": platform,
        "a": platform.partition("-")[0],
        "o": platform.rpartition("-")[2],
        "S": os.path.join(place, "site-library"),
    }
    put_in["U"] = _percent(default_user, put_in)
    # R puts nothing in for a "%v" of R_LIBS.
    texts = (
        known.get("R_LIBS", ""),
        _percent(known.get("R_LIBS_USER") or "%U", put_in),
        _percent(known.get("R_LIBS_SITE") or "%S", put_in),
    )
    found = []
    for text in texts:
        for part in text.split(os.pathsep):
            path = part.strip()
            if path.startswith("~/") and own:
                path = own + path[1:]
            if path:
                found.append(os.path.join(folder, path))
    found.append(os.path.join(place, "library"))
    seen: dict[str, str] = {}
    for path in found:
        if os.path.isdir(path):
            seen.setdefault(os.path.realpath(path), os.path.normpath(path))
    return tuple(seen.values())


def _settings(environ: Mapping[str, str], folder: str, place: str) -> dict[str, str]:
    """Return the environment as R has it after its start."""
    known = {"R_HOME": place, **environ}
    own = environ.get("R_ENVIRON_USER", "")
    beside = os.path.join(folder, ".Renviron")
    at_home = os.path.join(environ.get("HOME", ""), ".Renviron")
    site = environ.get("R_ENVIRON") or os.path.join(place, "etc", "Renviron.site")
    user = own or (beside if os.path.isfile(beside) else at_home)
    for path in (os.path.join(place, "etc", "Renviron"), site, user):
        known = _renviron.variables(elsewhere.text(path), known)
    return known


def _percent(text: str, put_in: Mapping[str, str]) -> str:
    return re.sub(r"%([A-Za-z])", lambda one: put_in.get(one[1], one[0]), text)


# --- libraries of a project ----------------------------------------------------------------------


def _project(folder: str, environ: Mapping[str, str], version: str) -> tuple[tuple[str, ...], str]:
    """Return the libraries of the project's own, and the call that fills them.

    The call is "" where R would not use a library of the project: none is here, and the project's
    profile does not ask for one.
    """
    profile = elsewhere.text(os.path.join(folder, ".Rprofile"))
    for tool, asked, places in (
        (
            "renv::restore()",
            "renv/activate.R",
            (
                environ.get("RENV_PATHS_LIBRARY", ""),
                environ.get("RENV_PATHS_LIBRARY_ROOT", ""),
                "renv/library",
            ),
        ),
        ("packrat::restore()", "packrat/init.R", ("packrat/lib",)),
    ):
        minor = ".".join(version.split(".")[:2])
        for place in filter(None, places):
            found = sorted(_libraries_below(os.path.join(folder, place)))
            fitting = [one for one in found if minor and _is_of(one, minor)]
            if fitting or (found and not minor):
                return tuple((fitting or found)[:1]), tool
        if re.search(r"^[^#\n]*" + re.escape(asked), profile, re.MULTILINE):
            return (), tool
    return (), ""


def _is_of(library: str, minor: str) -> bool:
    """Return whether a library is of an R of that minor release, by the folders above it.

    renv names one "R-4.2", packrat "4.2.1"; a library that names none fits any.
    """
    named = re.findall(r"(?:^|/)(?:R-)?(\d+\.\d+)(?:\.\d+)?(?=/|$)", library.replace(os.sep, "/"))
    return not named or named[-1] == minor


def _libraries_below(folder: str, depth: int = 0) -> Iterator[str]:
    """Yield the folders at or below ``folder`` that hold installed packages."""
    names = _names(folder)
    if any(os.path.isfile(os.path.join(folder, name, "DESCRIPTION")) for name in names):
        yield folder
    elif depth < _DEEPEST:
        for name in names:
            below = os.path.join(folder, name)
            if os.path.isdir(below):
                yield from _libraries_below(below, depth + 1)


# --- packages ------------------------------------------------------------------------------------


def _packages(library: str) -> Iterator[tuple[str, Release]]:
    for name in _names(library):
        place = os.path.join(library, name)
        fields = _fields(place)
        if not fields.get("Version"):
            continue
        user = fields.get("RemoteUsername") or fields.get("GithubUsername", "")
        repository = fields.get("RemoteRepo") or fields.get("GithubRepo", "")
        origin = fields.get("RemoteUrl", "")
        if not origin and user and repository:
            origin = "%s/%s" % (user, repository)
        sha = fields.get("RemoteSha") or fields.get("GithubSHA1", "")
        # Of a package of CRAN that pak or remotes installed this is its version.
        revision = sha if re.fullmatch(r"[0-9a-f]{7,64}", sha) else ""
        where = origin or fields.get("Repository") or fields.get("Priority", "")
        yield name, Release(fields["Version"], revision, where, place)


def _fields(package: str) -> dict[str, str]:
    found = _FIELD.findall(elsewhere.text(os.path.join(package, "DESCRIPTION")))
    return {name: value.strip() for name, value in found}


def _names(folder: str) -> list[str]:
    try:
        return sorted(name for name in os.listdir(folder) if not name.startswith((".", "_")))
    except OSError:
        return []
