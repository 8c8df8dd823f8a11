"""How an environment file is installed from: in a job of a CI service, and in an image.

A job has Python and uv, or conda, and makes the environment in a folder of its own, beside that of
prov. An image is one environment.
"""

from __future__ import annotations

import shlex
from typing import NamedTuple

from provenance.operations._kit_known import Known

FOLDER, CONDA = ".venv", ".conda"
FALLBACK = "3.12"
"""Python of jobs, for prov itself, and of the experiment where nothing says which, as a stopgap."""
_MINIFORGE = "condaforge/miniforge3:24.9.2-0"


class Recipe(NamedTuple):
    """How to install. Commands are shell lines.

    job: make the environment in a job; python: its interpreter, relative to the repository. conda:
    conda makes it. image: what an image begins with; docker: its lines; path: a folder to put first
    on PATH in it.
    """

    job: tuple[str, ...]
    python: str
    conda: bool
    image: str
    docker: tuple[str, ...]
    path: str = ""


def minor(version: str) -> str:
    """Return "3.11" of "3.11.7"."""
    return ".".join(version.split(".")[:2])


def recipe(known: Known, path: str, module: str) -> Recipe:
    """Return how to install from the file at ``path``; "" where there is none to install from."""
    quoted = shlex.quote(path)
    if module in ("environment_yml", "conda_explicit", "conda_list", "conda_lock"):
        return _by_conda(quoted, module)
    chosen = " --python %s" % shlex.quote(minor(known.python)) if known.python else ""
    venv = "uv venv --quiet%s %s" % (chosen, FOLDER)
    if known.python.count(".") == 2:  # uv need not have every patch release
        exact = "uv venv --quiet --python %s %s" % (shlex.quote(known.python), FOLDER)
        venv = "%s || %s" % (exact, venv)
    python = FOLDER + "/bin/python"
    target = "uv pip install --quiet --python %s" % python
    image = "python:%s" % (known.python or FALLBACK)
    if module in ("requirements", "pylock"):
        job = (venv, "%s -r %s" % (target, quoted))
        docker = ("RUN pip install --no-cache-dir -r %s" % quoted,)
        if module == "pylock":
            docker = (
                "RUN pip install --no-cache-dir 'uv>=0.5' && uv pip install --system -r %s"
                % quoted,
            )
        return Recipe(job, python, False, image, docker)
    if module in ("pyproject", "setup_cfg", "setup_py"):
        docker = ("RUN pip install --no-cache-dir .",)
        return Recipe((venv, target + " ."), python, False, image, docker)
    steps = {
        "uv_lock": ("uv sync --quiet --frozen",),  # its project says which Python
        "poetry_lock": (venv, 'VIRTUAL_ENV="$PWD/%s" uvx poetry install --no-root' % FOLDER),
        "pdm_lock": (venv, "uvx pdm use --first %s" % python, "uvx pdm sync --no-self"),
        "pipfile_lock": ("PIPENV_VENV_IN_PROJECT=1 uvx pipenv sync%s" % chosen,),
    }.get(module)
    if steps is None:
        why = "echo 'TODO: install the packages of the paper into %s'" % FOLDER
        return Recipe((venv, why), python, False, image, ("# TODO: RUN pip install ...",))
    grouped = ["(%s)" % one if "||" in one else one for one in steps]
    joined = " && ".join(("pip install --no-cache-dir 'uv>=0.5'", *grouped))
    return Recipe(steps, python, False, image, ("RUN " + joined,), "/work/%s/bin" % FOLDER)


def _by_conda(path: str, module: str) -> Recipe:
    def line(folder: str) -> str:
        if module == "environment_yml":
            return "conda env create --quiet --prefix %s --file %s" % (folder, path)
        if module == "conda_lock":
            return "uvx conda-lock install --prefix %s %s" % (folder, path)
        return "conda create --quiet --yes --prefix %s --file %s" % (folder, path)

    docker = line("/opt/paper")
    if module == "conda_lock":
        docker = "pip install --no-cache-dir 'uv>=0.5' && " + docker
    return Recipe(
        (line("./" + CONDA),),
        CONDA + "/bin/python",
        True,
        _MINIFORGE,
        ("RUN " + docker,),
        "/opt/paper/bin",
    )
