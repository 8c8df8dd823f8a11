"""The values of the adoption kit's templates, from what is known of a repository."""

from __future__ import annotations

import json
import math
import re
import shlex
import zlib
from collections.abc import Callable, Mapping
from typing import Any

from provenance import __version__
from provenance.core.record import Record
from provenance.exports import markdown
from provenance.operations import _kit_install, present
from provenance.operations._cells import size
from provenance.operations._kit_install import FALLBACK, Recipe
from provenance.operations._kit_known import Known

INSTALL_NAME = "prov-run"
"""Of prov on the package index, as in pyproject.toml."""
LONGEST_REPLAY_S = 1800.0
"""A run that took longer is not replayed on the machine of a CI service, but rehearsed."""
_GIB = 1 << 30


def _line(value: object) -> str:
    """Return ``value`` fit for a comment: one line, nothing that cannot be printed."""
    flat = re.sub(r"\s+", " ", str(value))
    return "".join(letter if letter.isprintable() else "?" for letter in flat).strip()


def _quoted(value: object) -> str:
    """Return JSON, which YAML 1.2 and Dockerfiles read as their own; of words a list."""
    words = list(value) if isinstance(value, tuple) else value
    return json.dumps(words, ensure_ascii=False)


def shell(value: object) -> str:
    """Return a word, or the words of a tuple, as bash reads them back, on one line."""
    return " ".join(map(_word, value)) if isinstance(value, tuple) else _word(str(value))


def _word(word: str) -> str:
    if not re.search(r"[\x00-\x1f\x7f]", word):
        return shlex.quote(word)
    plain = word.replace("\\", "\\\\").replace("'", "\\'")
    return "$'%s'" % re.sub(r"[\x00-\x1f\x7f]", lambda one: "\\x%02x" % ord(one[0]), plain)


def _github(value: object) -> str:
    """Return shell text so that GitHub expands no expression in it."""
    return str(value).replace("${{", "${{ '${{' }}")


QUOTINGS: dict[str, Callable[[object], str]] = {
    "line": _line,
    "json": _quoted,
    "yaml": _quoted,
    "sh": shell,
    "gh": _github,
    "md": lambda value: markdown.escape(str(value)),
}


def slug(name: str) -> str:
    """Return ``name`` fit for images and jobs: small letters, digits and dashes."""
    return re.sub(r"[^a-z0-9]+", "-", name.lower()).strip("-") or "paper"


def command(run: Record | None) -> tuple[str, ...]:
    """Return the recorded command, its interpreter as ``python``; empty without one."""
    if run is None or not run.command or run.command[:1] == present.SESSION:
        return ()
    first, *rest = run.command
    return ("python" if present.is_python(first) else first, *rest)


def first(run: Record | None, facet: str) -> dict[str, Any]:
    """Return the first payload of a facet; empty where there is none."""
    subjects = run.payloads(facet) if run else []
    return subjects[0].payload if subjects else {}


def gpus(run: Record | None) -> list[dict[str, Any]]:
    """Return the cards of the machine that the run was on."""
    return list(first(run, "hardware").get("gpus") or ())


def values(known: Known, test: str, made: frozenset[str], anonymous: bool) -> dict[str, Any]:
    """Return the values by name. test: path of the drop-in test, "" without one.

    made: paths of files that the kit makes now.
    """
    run = known.run
    path, module = known.environment, known.module
    if not path and "requirements.txt" in made:
        path, module = "requirements.txt", "requirements"
    how = _kit_install.recipe(known, path, module)
    words = command(run)
    return {
        "anonymous": anonymous,
        "name": known.name,
        "slug": slug(known.name),
        "title": known.title or known.name,
        "reference": known.reference,
        "prov": _requirement(),
        "install_name": INSTALL_NAME,
        "job_python": FALLBACK,
        "test": shlex.quote(test) if test else "",
        "test_line": "%s %s" % (how.python, shlex.quote(test)),
        "claims": bool(known.claims),
        "cron": "%d 4 * * %d" % divmod(zlib.crc32(known.name.encode()) % 420, 7),
        "command": words,
        **_installing(known, how, path),
        **_image(known, how, words),
        **_smoke(known),
        **_batch(known, words),
        **_citation(known, anonymous),
    }


def _requirement() -> str:
    stable = re.fullmatch(r"[\d.]+", __version__)
    return "%s>=%s" % (INSTALL_NAME, __version__) if stable else INSTALL_NAME


def _installing(known: Known, how: Recipe, path: str) -> dict[str, Any]:
    told = "from %s" % path if path else "TODO: nothing in this repository states its packages"
    if known.rivals:
        told += "; TODO: %d other folders have such files: take the right one" % known.rivals
    if not known.python and not how.conda:
        told += "; TODO: nothing says which Python, so this takes %s" % FALLBACK
    return {
        "environment_from": told,
        "conda": how.conda,
        "install": "\n".join(how.job),
        "install_list": "\n".join("- %s" % _quoted(line) for line in how.job),
        "interpreter": how.python,
    }


def _image(known: Known, how: Recipe, words: tuple[str, ...]) -> dict[str, Any]:
    cards = gpus(known.run)
    python = "Python %s: %s" % (known.python, known.python_from)
    if not known.python:
        python = "TODO: nothing says which Python the experiments need; %s is a stopgap" % FALLBACK
    if how.conda:
        python = "conda brings the Python that the environment file asks for"
        if module_states_no_python(known):
            python = "TODO: the environment file does not say which Python: add it there"
    inside = "bash" if how.conda else "python"
    base = "mcr.microsoft.com/devcontainers/"
    version = _kit_install.minor(known.python) or FALLBACK
    prepared = " && ".join(("pip install --quiet uv", *map(_grouped, how.job)))
    if how.conda:
        prepared = " && ".join(how.job)
    return {
        "python_from": python,
        "docker_image": how.image,
        "docker_install": "\n".join(how.docker),
        "docker_path": how.path,
        "docker_command": words or (inside,),
        "gpu": bool(cards),
        "gpus": " --gpus all" if cards else "",
        "gpu_comment": _about_cards(known, cards),
        "devcontainer_image": base + ("miniconda:1" if how.conda else "python:1-%s" % version),
        "devcontainer_install": prepared,
        "devcontainer_python": how.python,
    }


def _grouped(line: str) -> str:
    return "(%s)" % line if "||" in line else line


def module_states_no_python(known: Known) -> bool:
    """Return whether the environment file leaves the version of Python open."""
    return known.spec is None or not any(fact.kind == "python" for fact in known.spec.facts)


def _about_cards(known: Known, cards: list[dict[str, Any]]) -> str:
    if not cards:
        return ""
    driver = first(known.run, "hardware").get("driver")
    text = "The run used %d x %s" % (len(cards), cards[0].get("name") or cards[0].get("vendor"))
    text += ", driver %s" % driver if driver else ""
    return text + ": the host needs such a driver and the NVIDIA container toolkit"


def _smoke(known: Known) -> dict[str, Any]:
    """Return what the scheduled workflow replays: the short form, else a short run, else none."""
    missing = [one for one in known.data if not one.in_git]
    steps = ""
    if missing and any(one.endswith(".dvc") or one == "dvc.yaml" for one in known.files):
        steps = "uvx dvc pull"
    elif missing:
        shown = ["# TODO: bring what the run reads and git does not hold:"]
        shown += ["#   %s (%s)" % (_line(one.path), size(one.size)) for one in missing[:8]]
        steps = "\n".join([*shown, "echo 'TODO: bring the data'"])
    found: dict[str, Any] = {"data_steps": steps}
    if "smoke.lock" in known.files:
        why = "smoke.lock holds a short form of the published run"
        return dict(found, smoke_reference="smoke.lock", smoke_why=why)
    if not known.lock:
        why = "There is no prov.lock yet: commit one, and this has something to replay"
        return dict(found, smoke_reference="prov.lock", smoke_why=why)
    took = sum(run.duration_s or 0.0 for run in known.runs)
    cards = any(gpus(run) for run in known.runs)
    what = "The run" if len(known.runs) == 1 else "All %d runs" % len(known.runs)
    if took <= LONGEST_REPLAY_S and not cards:
        reference = "prov.lock" if len(known.runs) == 1 else "prov.lock --all"
        why = "%s took %s where recorded" % (what, spell(took))
        return dict(found, smoke_reference=reference, smoke_why=why)
    reason = "took %s" % spell(took) if took > LONGEST_REPLAY_S else "used a GPU"
    why = "%s %s: too much for this machine, so it is a rehearsal, cut short" % (what, reason)
    return dict(found, smoke_reference="", smoke_why=why)


def spell(seconds: float) -> str:
    """Return a time for people."""
    if seconds < 90:
        return "%.0f s" % max(seconds, 1)
    if seconds < 5400:
        return "%.0f min" % (seconds / 60)
    return "%.1f h" % (seconds / 3600)


def _batch(known: Known, words: tuple[str, ...]) -> dict[str, Any]:
    """Return what a batch job asks for: what the run used, with room to spare."""
    used, machine = first(known.run, "resources"), first(known.run, "hardware")
    wall, memory = used.get("wall_s"), used.get("max_tree_bytes") or used.get("max_process_bytes")
    cpus = (machine.get("cpu") or {}).get("available")
    why = "TODO: no run is recorded, so time, memory and CPUs are guesses: prov run -- COMMAND"
    if wall:
        why = "The recorded run took %s" % spell(wall)
        why += " and %s" % size(memory) if memory else ""
        why += " on %d CPUs" % cpus if cpus else ""
        why += "; asked for is twice the time and half as much memory again"
    minutes = max(10, math.ceil((wall or 1800) * 2 / 60))
    return {
        "slurm_why": why,
        "slurm_time": "%02d:%02d:00" % divmod(minutes, 60),
        "slurm_mem": "%dG" % max(1, math.ceil((memory or 4 * _GIB) * 1.5 / _GIB)),
        "slurm_cpus": str(cpus or 4),
        "slurm_gpus": str(len(gpus(known.run)) or ""),
        "slurm_command": words or ("python", "TODO.py"),
    }


def _citation(known: Known, anonymous: bool) -> dict[str, Any]:
    given, _, family = known.author.rpartition(" ")
    return {
        "family": "" if anonymous else family,
        "given": "" if anonymous else given,
        "version": "",
        "commit": "" if anonymous else str(first(known.run, "code").get("commit") or ""),
        "remote": "" if anonymous else known.remote,
        "license_id": known.licence,
    }


def about(known: Known) -> Mapping[str, str]:
    """Return what the kit was filled from, by what it says; for people and for ``--json``."""
    said = {
        "reference": known.reference,
        "python": known.python and "%s (%s)" % (known.python, known.python_from),
        "packages": known.environment or ("the recorded run" if known.pins else ""),
        "command": _line(shell(command(known.run))),
    }
    return {name: text for name, text in said.items() if text}
