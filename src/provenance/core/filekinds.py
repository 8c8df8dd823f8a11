"""Which files are what: source code by suffix, the parts of an environment by place.

Shared by the facets that sort the files a run touched (code, data, outputs).
"""

from __future__ import annotations

import os
import re
from typing import Iterable, Tuple

from provenance.core.context import Interpreter
from provenance.core.paths import is_inside

SOURCE_SUFFIXES = frozenset(
    (
        ".py .pyx .pxd .pyi .ipynb .r .rmd .jl .m .c .cc .cpp .cxx .h .hpp .cu .cuh .f90 .f .rs "
        ".go .java .scala .js .ts .lua .pl .sh .bash .zsh .fish .ps1 .sbatch .slurm .smk .nf "
        ".wdl .stan .sql .mk .cmake"
    ).split()
)
SOURCE_NAMES = frozenset("Makefile Snakefile Dockerfile Justfile CMakeLists.txt MLproject".split())
CONFIG_SUFFIXES = frozenset(
    ".yaml .yml .toml .json .ini .cfg .conf .gin .jsonnet .properties".split()
)

IGNORED_FOLDERS = frozenset(
    (
        ".git .hg .svn .prov .dvc __pycache__ .mypy_cache .ruff_cache .pytest_cache .tox .nox "
        "node_modules .ipynb_checkpoints .ipython .jupyter .eggs .hypothesis"
    ).split()
)
"""Folders that hold no experiment's inputs or outputs, wherever they are."""

_SYSTEM = ("/proc/", "/sys/", "/dev/", "/usr/", "/lib/", "/lib64/", "/etc/", "/run/", "/bin/")

_REPLAYS = os.path.join(os.sep, ".prov", "replays", "")
"""Where replays restore code to."""


def is_source(path: str) -> bool:
    """Return whether ``path`` names source code (of any language), by its name alone."""
    return suffix(path) in SOURCE_SUFFIXES or path[path.rfind(os.sep) + 1 :] in SOURCE_NAMES


def is_config(path: str) -> bool:
    """Return whether ``path`` names a configuration file, by its suffix."""
    return suffix(path) in CONFIG_SUFFIXES


def suffix(path: str) -> str:
    """Return the suffix of ``path`` in lower case, as `os.path.splitext` has it.

    For each of the many files that a run reads this is asked several times, hence by hand.
    """
    name = path[path.rfind(os.sep) + 1 :]
    dot = name.rfind(".")
    return name[dot:].lower() if dot > 0 and name[:dot].strip(".") else ""


def is_environment_folder(folder: str) -> bool:
    """Return whether ``folder`` is a virtual environment or a conda prefix."""
    return os.path.exists(os.path.join(folder, "pyvenv.cfg")) or os.path.isdir(
        os.path.join(folder, "conda-meta")
    )


def environment_folders(interpreters: Iterable[Interpreter]) -> Tuple[str, ...]:
    """Return the folders that belong to the interpreters: prefixes and site-packages."""
    folders = set()
    for one in interpreters:
        for folder in (one.prefix, one.base_prefix):
            if folder and folder not in ("/", "/usr", "/usr/local"):
                folders.add(os.path.normpath(folder))
        for folder in one.sys_path:
            base = os.path.basename(folder)
            if base in ("site-packages", "dist-packages") or base.startswith("python3"):
                folders.add(os.path.normpath(folder))
    return tuple(sorted(folders))


_TABLES = "csv|tsv|npz|npy|parquet|feather|arff|mat|h5|hdf5|nc|xlsx?|dta|rda|jpe?g|png|tiff?"
_PACKAGE_DATA = (
    r"/(?:site|dist)-packages/"
    r".+[/_](?:datasets?|sample_?data|example_?data)/.*\.(?:%s|json|txt|data|libsvm)(?:\.\w+)?$"
    r"|/(?:site|dist)-packages/.+/data/.*\.(?:%s)(?:\.(?:gz|bz2|xz|zip))?$" % (_TABLES, _TABLES)
)
"""Compiled at its first use, by ``re`` itself: most runs read no such file."""


def is_package_data(path: str) -> bool:
    """Return whether ``path`` is a data set that an installed package brings along, by its name.

    The folders "datasets", "data" and the like in which scikit-learn, statsmodels, scikit-image,
    plotly, vega_datasets and others keep what their ``load_...`` functions return; not what a
    library needs for itself (fonts, style sheets, schemas, icons).
    """
    return "-packages/" in path and re.search(_PACKAGE_DATA, path, re.I) is not None


def is_system(path: str) -> bool:
    """Return whether ``path`` lies where the operating system keeps its own files."""
    return path.startswith(_SYSTEM)


def is_ignored(path: str, folders: Tuple[str, ...], tops: Tuple[str, ...] = ()) -> bool:
    """Return whether ``path`` is of the system, of an environment, or in an ignored folder.

    folders: of the environments. tops: the project's own; below one of them only what is below it
    is judged, for a project may lie in ``/usr/src/app``.
    """
    if any(is_inside(path, folder) for folder in folders):
        return True
    top = next((one for one in tops if is_inside(path, one)), None)
    if top is None and is_system(path):
        return True
    below = path[len(top) :] if top is not None else path.rpartition(_REPLAYS)[2]
    return any(part in IGNORED_FOLDERS for part in below.split(os.sep))
