"""Which files of a repository state its environment, the most exact first; from paths alone."""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import NamedTuple

from provenance.specs import formats
from provenance.specs.model import Spec

DEEPEST = 2
"""Folders above a file that are looked into: deeper ones belong to parts, mostly of others."""

PROV_LOCK, LOCK, EXPLICIT, FREEZE, ENVIRONMENT, REQUIREMENTS, PROJECT, CONTAINER, README = range(9)
"""How exact a kind of file is, the most exact first."""
PYTHON, DATA = 20, 21
"""Files beside these: they name an interpreter only, or digests of data."""

RANKS = {
    "uv_lock": LOCK,
    "poetry_lock": LOCK,
    "pdm_lock": LOCK,
    "pylock": LOCK,
    "conda_lock": LOCK,
    "pipfile_lock": LOCK,
    "pixi_lock": LOCK,
    "julia_manifest": LOCK,
    "renv_lock": LOCK,
    "packrat_lock": LOCK,
    "conda_list": EXPLICIT,
    "anaconda_project": ENVIRONMENT,
    "pixi_toml": ENVIRONMENT,
    "meta_yaml": PROJECT,
    "pipfile": REQUIREMENTS,
    "julia_project": PROJECT,
    "description": PROJECT,
    "conda_explicit": EXPLICIT,
    "environment_yml": ENVIRONMENT,
    "requirements": REQUIREMENTS,
    "cog": REQUIREMENTS,
    "pyproject": PROJECT,
    "setup_cfg": PROJECT,
    "setup_py": PROJECT,
    "mlproject": PROJECT,
    "dockerfile": CONTAINER,
    "apptainer": CONTAINER,
    "readme": README,
    "python_version": PYTHON,
    "dvc": DATA,
    "checksums": DATA,
}
_LEFT_OUT = frozenset(
    "third_party third-party thirdparty 3rdparty 3rd_party vendor vendored vendors _vendor "
    "external externals extern node_modules site-packages dist-packages .git .hg .svn .tox "
    ".nox .venv venv "
    "virtualenv __pycache__ __pypackages__ .eggs build dist .cache .pixi .mypy_cache .pytest_cache "
    "submodules subprojects bower_components .ipynb_checkpoints".split()
)
_BESIDE = frozenset(
    "doc docs documentation test tests testing .github .gitlab .circleci .devcontainer .ci example "
    "examples archive archived legacy old deprecated demo demos app web website tools "
    "benchmark benchmarks notebooks tutorial tutorials".split()
)
_OF_ALL = frozenset(
    "env envs environment environments conda requirements reqs requires docker container "
    "containers "
    "install setup".split()
)
"""Folders whose files are of the whole repository."""
_PINNING = frozenset((LOCK, EXPLICIT, FREEZE, ENVIRONMENT, REQUIREMENTS))

_OTHER_USE = re.compile(
    r"(?:^|[._-])(?:dev|devel|development|docs?|documentation|tests?|testing|lint|ci|build|"
    r"rtd|readthedocs|"
    r"style|quality|optional|extra|extras|demo|app|colab|tpu|macos|osx|mac|windows|win|"
    r"ppc64le|arm64?|m1|cpu)"
    r"(?=[._-]|$)",
    re.IGNORECASE,
)
_FROZEN = re.compile(
    r"(?:freeze|frozen|pinned|exact|(?:^|[._-])lock(?:ed)?(?=[._-]|$))", re.IGNORECASE
)
_MAIN = re.compile(
    r"requirements?\.txt|environment\.ya?ml|dockerfile|readme\.(?:md|rst|txt)|readme|"
    r"pyproject\.toml",
    re.IGNORECASE,
)


class Candidate(NamedTuple):
    """A file that may be read.

    rank: how exact its kind is, see above. module: of its reader, ""
    for prov.lock. other: it serves another use (tests, documentation, a part, another machine).
    """

    path: str
    module: str
    rank: int
    other: bool = False


def files(paths: Iterable[str], depth: int = DEEPEST) -> list[Candidate]:
    """Return the environment files among ``paths`` (relative, with "/"), the best one first.

    What lies in folders of dependencies, build outputs and virtual environments is left out.
    """
    given = [path.removeprefix("./") for path in paths]
    environments = {p.rpartition("/")[0] for p in given if p.rpartition("/")[2] == "pyvenv.cfg"}
    metas = {p.rpartition("/conda-meta/")[0] for p in given if "/conda-meta/" in p}
    found = []
    for path in given:
        folders = path.split("/")[:-1]
        if len(folders) > depth or ".." in folders or path.startswith("/"):
            continue
        if any(_is_left_out(folder) for folder in folders):
            continue
        above = ["/".join(folders[: n + 1]) for n in range(len(folders))]
        if any(one in environments or one in metas for one in above):
            continue
        one = _candidate(path, folders)
        if one is not None:
            found.append(one)
    at_top = frozenset(one.rank for one in found if "/" not in one.path and not one.other)
    return sorted({_in_whole(one, at_top) for one in found}, key=_order)


def _in_whole(one: Candidate, at_top: frozenset[int]) -> Candidate:
    """Return a file as one of another use if it is of a part, and the top has one of its kind."""
    folder, _, _ = one.path.rpartition("/")
    if not folder or one.other or one.rank in (PYTHON, DATA, PROV_LOCK):
        return one
    if folder.rpartition("/")[2].lower() in _OF_ALL and one.rank != README:
        return one
    covered = README in at_top if one.rank == README else bool(at_top & _PINNING)
    return one._replace(other=covered)


def _is_left_out(folder: str) -> bool:
    low = folder.lower()
    return low in _LEFT_OUT or low.endswith((".egg-info", ".dist-info"))


def _candidate(path: str, folders: list[str]) -> Candidate | None:
    name = path.rpartition("/")[2]
    other = any(folder.lower() in _BESIDE for folder in folders)
    if name == "prov.lock":
        return Candidate(path, "", PROV_LOCK, other)
    module = formats.module_of(path)
    if not module and folders and folders[-1].lower() in ("env", "envs", "environments", "conda"):
        module = "environment_yml" if name.lower().endswith((".yml", ".yaml")) else ""
    if not module and re.fullmatch(r"spec[-_]?(?:file|list)?[\w.-]*\.txt", name, re.IGNORECASE):
        module = "conda_explicit"
    if not module:
        return None
    rank = RANKS[module]
    if module == "requirements" and _FROZEN.search(name):
        rank = FREEZE
    stem = name if rank not in (DATA, PYTHON, README) else ""
    return Candidate(path, module, rank, other or bool(_OTHER_USE.search(stem)))


def _order(one: Candidate) -> tuple[int, bool, int, bool, str]:
    name = one.path.rpartition("/")[2]
    return one.rank, one.other, one.path.count("/"), not _MAIN.fullmatch(name), one.path


def by_content(read: Iterable[tuple[Candidate, Spec]]) -> list[tuple[Candidate, Spec]]:
    """Return candidates with what was read of them, in the order of what they really state.

    A complete list counts as a freeze at least; a file of another use comes after all that serve
    the experiment; a file that states nothing comes last.
    """

    def order(
        pair: tuple[Candidate, Spec],
    ) -> tuple[bool, bool, int, tuple[int, bool, int, bool, str]]:
        one, spec = pair
        rank = min(one.rank, FREEZE) if spec.complete else one.rank
        return not spec.facts and one.rank != PROV_LOCK, one.other, rank, _order(one)

    return sorted(read, key=order)
