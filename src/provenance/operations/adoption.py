"""The adoption kit: files that a paper's repository needs so that others can check it.

Each part is a template of ``templates/kit`` and is filled from the lock or the last run, from the
repository's own files and from git; what nobody knows is a TODO in the file. What exists is kept.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from typing import Any, NamedTuple

from provenance.core.paths import is_inside
from provenance.errors import NothingToCompare, SystemRefused, UsageError
from provenance.exports import fill
from provenance.operations import (
    _kit_anonymous,
    _kit_appendix,
    _kit_known,
    _kit_readme,
    _kit_values,
    initialise,
)
from provenance.operations._kit_answers import Asked
from provenance.operations._kit_known import Known
from provenance.store import files, project


class Part(NamedTuple):
    """A part of the kit. files: path in the repository and template of each. help: what it does."""

    name: str
    files: tuple[tuple[str, str], ...]
    help: str


README = "README.md"
REQUIREMENTS = "requirements.txt"
PARTS = (
    Part("test", ((initialise.TEST, ""),), "checks prov.lock with the standard library alone"),
    Part(
        "github",
        ((".github/workflows/provenance.yml", "provenance.yml"),),
        "GitHub: verifies on each push",
    ),
    Part(
        "smoke",
        ((".github/workflows/smoke-replay.yml", "smoke-replay.yml"),),
        "GitHub: replays or rehearses the run every week",
    ),
    Part("gitlab", ((".gitlab-ci.yml", "gitlab-ci.yml"),), "GitLab CI: verifies on each push"),
    Part(
        "pre-commit",
        ((".pre-commit-config.yaml", "pre-commit-config.yaml"),),
        "pre-commit: verifies before a push",
    ),
    Part("readme", ((README, "readme.md"),), "how to reproduce, results, reviewer's checklist"),
    Part(
        "appendix",
        (("artifact-appendix.tex", ""),),
        "the artifact appendix of ACM conferences, LaTeX",
    ),
    Part(
        "docker",
        (("Dockerfile", "Dockerfile"), (".dockerignore", "dockerignore")),
        "an image of the environment",
    ),
    Part(
        "devcontainer",
        ((".devcontainer/devcontainer.json", "devcontainer.json"),),
        "the environment in an editor or a codespace",
    ),
    Part("slurm", (("slurm.sh", "slurm.sh"),), "the run as a batch job"),
    Part("citation", (("CITATION.cff", "CITATION.cff"),), "how to cite the code"),
    Part(
        "requirements",
        ((REQUIREMENTS, ""),),
        "the packages of the recorded run; for repositories that state none",
    ),
)
BEGIN, END = "<!-- prov:begin", "<!-- prov:end -->"
_NEED_PACKAGES = frozenset(("github", "smoke", "gitlab", "docker", "devcontainer"))


class Wish(NamedTuple):
    """What to adopt. parts: names of `PARTS`. anonymous: for a double-blind submission.

    into_readme: put the section into a README that is there, between its markers.
    """

    cwd: str
    environ: Mapping[str, str]
    parts: tuple[str, ...]
    anonymous: bool = False
    into_readme: bool = False


class Rendered(NamedTuple):
    """A file of the kit. path: relative to the repository. part: its name. todos: how many."""

    path: str
    part: str
    content: bytes

    @property
    def todos(self) -> int:
        """How many places are left to the authors."""
        return self.content.count(b"TODO")


class KitResult(NamedTuple):
    """made, changed, kept: paths below root, which is the top of the repository.

    todos: places left to the authors, by path of what was written. about: what the values are from.
    notes: sentences for people.
    """

    root: str
    made: tuple[str, ...]
    changed: tuple[str, ...]
    kept: tuple[str, ...]
    todos: dict[str, int]
    about: dict[str, str]
    notes: tuple[str, ...]


def names(wanted: tuple[str, ...], every: bool = False) -> tuple[str, ...]:
    """Return the parts that are wanted, in the order of `PARTS`. Raises `UsageError`."""
    known = [part.name for part in PARTS]
    for one in wanted:
        if one not in known:
            raise UsageError("there is no part %r." % one, "there are: %s" % ", ".join(known))
    return tuple(one for one in known if one in wanted or (every and one != "requirements"))


def adopt(wish: Wish) -> KitResult:
    """Write the parts that ``wish`` names where nothing is yet. Raises `ProvError`."""
    known, rendered, left_out = render(wish)
    made: list[str] = []
    changed: list[str] = []
    kept: list[str] = []
    todos: dict[str, int] = {}
    for one in rendered:
        path = _inside(known.root, one.path)
        content: bytes | None = one.content
        there = os.path.lexists(path)
        if there:
            into = wish.into_readme and one.part == "readme" and path.lower().endswith(".md")
            content = _into(path, one) if into else None
        if content is None:
            kept.append(one.path)
            continue
        files.make_folder(os.path.dirname(path))
        files.write_atomic(path, content)
        (changed if there else made).append(one.path)
        todos[one.path] = one.todos
    notes = (*left_out, *_notes(wish, known, tuple(made), tuple(kept)))
    about = dict(_kit_values.about(known))
    left = {path: count for path, count in todos.items() if count}
    return KitResult(known.root, tuple(made), tuple(changed), tuple(kept), left, about, notes)


def _inside(root: str, path: str) -> str:
    """Return where a file of the kit goes; a link may not lead it out of the repository."""
    place = os.path.join(root, path)
    folder = os.path.dirname(place)
    if not is_inside(os.path.realpath(folder), os.path.realpath(root)):
        text = "%s leads out of the repository, to %s." % (os.path.dirname(path), folder)
        raise SystemRefused(text, "remove the link, or write the file yourself: --print")
    return place


def render(wish: Wish) -> tuple[Known, tuple[Rendered, ...], tuple[str, ...]]:
    """Return what the kit is filled from, its files, and what is left out and why.

    Writes nothing. Raises `ProvError`, also where nothing is left.
    """
    place = project.find(wish.cwd)
    known = _kit_known.gather(place, wish.cwd, wish.environ)
    veil = None
    if wish.anonymous:
        known, veil = _kit_anonymous.hidden(known, place, wish.environ)
    pins = _pinned(known)
    left_out = _left_out(wish, known, pins)
    parts = [one for one in names(wish.parts) if one not in left_out]
    if wish.parts and not parts:
        raise NothingToCompare(*next(iter(left_out.values())))
    if _NEED_PACKAGES & set(parts) and not known.environment and pins:
        parts.append("requirements")
    chosen = [part for part in PARTS if part.name in parts]
    paths = frozenset(path for part in chosen for path, _ in part.files)
    filled = _kit_values.values(known, _test(known, "test" in parts), paths, wish.anonymous)
    found = []
    for part in chosen:
        for path, template in part.files:
            if part.name == "test":
                content = initialise.template(initialise.TEST)
                found.append(Rendered(_test_path(known), part.name, content))
            elif part.name == "requirements":
                found.append(Rendered(path, part.name, pins.encode()))
            elif part.name == "appendix":
                text = _kit_appendix.render(Asked(known, known.files | paths))
                found.append(Rendered(path, part.name, text.encode("utf-8")))
            elif part.name == "readme":
                more = {**filled, **_kit_readme.values(known, filled, known.files | paths)}
                found.append(_filled(_kit_known.readme(known.files) or path, part, template, more))
            else:
                found.append(_filled(path, part, template, filled))
    for one in found:
        if veil is not None and one.part != "test":  # which is the same for everybody
            _kit_anonymous.require_hidden(one.path, one.content.decode("utf-8"), veil)
    return known, tuple(found), tuple("%s %s" % one for one in left_out.values())


def _filled(path: str, part: Part, template: str, values: Mapping[str, Any]) -> Rendered:
    text = initialise.template("kit/" + template).decode("utf-8")
    return Rendered(path, part.name, fill.fill(text, values, _kit_values.QUOTINGS).encode("utf-8"))


def _left_out(wish: Wish, known: Known, pins: str) -> dict[str, tuple[str, str]]:
    """Return the parts that there is nothing to make of: why, and what to do."""
    hint = "record one: prov run -- COMMAND; prov lock @last"
    found = {}
    if "smoke" in wish.parts and not known.runs:
        found["smoke"] = ("smoke: no run is recorded, so there is nothing to replay.", hint)
    if "appendix" in wish.parts and not known.runs:
        found["appendix"] = ("appendix: no run is recorded, of which it could tell.", hint)
    if "requirements" in wish.parts and not pins:
        why = "requirements: no run with Python packages is recorded."
        found["requirements"] = (why, hint)
    return found


def _test(known: Known, asked: bool) -> str:
    """Return where the drop-in test is or will be, "" where it is not or says nothing."""
    if not (known.lock or REQUIREMENTS in known.files):
        return ""  # it has nothing to compare with, which it says by failing
    there = [one for one in known.files if os.path.basename(one) == initialise.TEST]
    if there or not asked:
        return min(there, default="")
    return _test_path(known)


def _test_path(known: Known) -> str:
    folder = "tests/" if os.path.isdir(os.path.join(known.root, "tests")) else ""
    return folder + initialise.TEST


def _pinned(known: Known) -> str:
    """Return a requirements file of what the run had, "" where there is no such run."""
    if known.pins is None or not known.pins.requirements:
        return ""
    head = ["# The packages of %s, Python %s." % (known.reference, known.pins.python)]
    head += ["# %s" % note for note in known.pins.notes]
    left = ["# TODO: %s" % text for text in map(str, known.pins.left_out)]
    return "\n".join([*head, *known.pins.requirements, *left]) + "\n"


def _into(path: str, one: Rendered) -> bytes | None:
    """Return a README with the section in it: between its markers, else at the end.

    None where it is there as it is.
    """
    with open(path, "rb") as stream:
        there = stream.read()
    before, begin, rest = there.partition(BEGIN.encode())
    _, end, after = rest.partition(END.encode() + b"\n")
    if begin and end:
        new = before + one.content + after
    else:
        new = there.rstrip(b"\n") + b"\n\n" + one.content
    return None if new == there else new


def _notes(
    wish: Wish, known: Known, made: tuple[str, ...], kept: tuple[str, ...]
) -> tuple[str, ...]:
    found = []
    if REQUIREMENTS in made and "requirements" not in wish.parts:
        found.append("nothing here stated the packages: %s has those of the run" % REQUIREMENTS)
    if not known.lock:
        how = "prov lock --from %s" % known.environment if known.environment else "prov lock @last"
        found.append("there is no prov.lock yet, which readers compare with: %s" % how)
    if wish.anonymous and known.lock:
        found.append("prov.lock itself is not touched: prov lock RUN --anonymous")
    there = next((one for one in kept if os.path.basename(one).lower().startswith("readme")), "")
    if there.lower().endswith(".md") and not wish.into_readme:
        found.append("to put the section into %s: prov init readme --into-readme" % there)
    elif there and not there.lower().endswith(".md"):
        found.append("%s is no Markdown: paste from prov init readme --print" % there)
    return tuple(found)
