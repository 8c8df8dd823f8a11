"""What `doctor` says of the interpreter that a command would use, and whether the hook sees it."""

from __future__ import annotations

import os
import tempfile
import time
from collections.abc import Iterator

from provenance.agent import inventory, launch
from provenance.agent.read import Reader
from provenance.core import distributions, record
from provenance.core.context import Interpreter
from provenance.core.paths import PathRef
from provenance.core.record import Record
from provenance.core.redact import Redactor
from provenance.errors import ProvError
from provenance.facets import _commands, _conda, runtime
from provenance.operations import _checks, present
from provenance.operations._checks import LIMITED, NOT_POSSIBLE, OK, Check, Subject

_SECONDS = 10.0
_MANAGERS = frozenset("uv conda mamba micromamba poetry pixi hatch pdm rye pipenv".split())
"""Programs whose verb ``run`` chooses the interpreter, when it runs and not before."""
_MODULE = "prov_doctor_module"
_PROBE = (
    """\
import %s
open("read.txt").read()
open("written.txt", "w").write("1")
import provenance
provenance.log_params({"doctor": 1})
"""
    % _MODULE
)
_HARMLESS = ("distutils-precedence", "_virtualenv", "__editable__", "easy-install", "zope.")
_STARTING = ("sitecustomize.py", "usercustomize.py")
_COVERAGE = ("COVERAGE_PROCESS_START", "COVERAGE_PROCESS_CONFIG")
_NOTEBOOKS = ("ipykernel", "papermill", "nbconvert")


def checks(subject: Subject) -> list[Check]:
    """Return what is to be said of the interpreter, the hook in it, and its packages."""
    chosen, words, doubt = _chosen(subject)
    if chosen is None:
        return [Check("interpreter", LIMITED, doubt, "name one behind --, or activate it")]
    try:
        one = inventory.probe(chosen, subject.environ, subject.cwd, _SECONDS)
    except ProvError as error:
        program = os.path.join(subject.cwd, chosen) if os.sep in chosen else chosen
        done = _checks.run([program, "-c", ""], subject.cwd, subject.environ, _SECONDS)
        remedy = error.hint or "name an interpreter of Python 3.7 or later"
        dead = done.code != 0
        return [Check("interpreter", NOT_POSSIBLE, error.message, remedy, essential=dead)]
    found = [_interpreter(one, doubt), *_reach(subject)]
    found += [*_hook(one, chosen, words, subject), _neighbours(one, subject)]
    return [*found, *_packages(one)]


def _chosen(subject: Subject) -> tuple[str | None, tuple[str, ...], str]:
    """Return the interpreter, the command from where it names it, and what is doubtful of it."""
    command, doubt = subject.command, ""
    name = os.path.basename(command[0]) if command else ""
    if name in _MANAGERS and "run" in command:
        text = "%s chooses the interpreter when it runs: what follows is about the active one"
        command, doubt = (), text % name
    for place, word in enumerate(command):
        if present.is_python(word) and name not in _commands.SHELLS:
            command = command[place:]
            break
    path = subject.environ.get("PATH", os.defpath)
    if command and present.of_command(command, path, subject.cwd) is None:
        doubt = "%s names no interpreter: what follows is about the active one" % name
        command = ()
    asked = Record("", command, PathRef("cwd", "."), record.DONE, "")
    try:
        return present.choose_python(asked, subject.environ, subject.cwd), command, doubt
    except ProvError as error:
        return None, command, error.message


def _interpreter(one: Interpreter, doubt: str) -> Check:
    says = "%s %s in %s (%s)" % (
        one.implementation, one.version, one.prefix or one.executable, runtime.kind_of(one)
    )  # fmt: skip
    version = tuple(int(part) for part in one.version.split(".")[:2] if part.isdigit())
    if version < (3, 8):
        says += "; before 3.8 there are no audit events: " + (
            "opened files are seen in part" if version == (3, 7) else "nothing inside is seen"
        )
        return Check("interpreter", LIMITED, says, "use Python 3.8 or later, or --trace=strace")
    if doubt:
        return Check("interpreter", LIMITED, "%s; %s" % (says, doubt), "")
    return Check("interpreter", OK, says)


def _reach(subject: Subject) -> Iterator[Check]:
    """Yield what of the command the hook cannot look into, by its own words."""
    for words, why in _commands.unobserved(subject.command):
        says = "%s is not observed: %s" % (words, why)
        remedy = "put prov run inside, in front of the experiment itself"
        if why.startswith("Python started with -"):
            remedy = "leave the option out, or see its files with --trace=strace"
        yield Check("command", LIMITED, says, remedy)


# --- the hook ------------------------------------------------------------------------------------


def _hook(
    one: Interpreter, python: str, words: tuple[str, ...], subject: Subject
) -> Iterator[Check]:
    """Yield what a program of five lines showed that was run with the hook, and the SDK's part."""
    if subject.environ.get("PROV_HOOK") == "0":
        says = "switched off by PROV_HOOK=0: what Python does is not seen"
        yield Check("hook", LIMITED, says, "unset PROV_HOOK")
        return
    if words and _commands.is_python(words) and not _commands.loads_hook(words):
        says = "the command's own options keep it out"
        yield Check("hook", LIMITED, says, "leave out -I, -E and -S")
        return
    began = time.monotonic()
    seen, problem, sdk = _probe(python, subject)
    took = time.monotonic() - began
    missing = [name for name in ("read", "import", "write") if name not in seen]
    old = one.version.startswith(("3.6.", "3.7."))
    if not missing:
        says = "loads; a read, an import and a write arrived (the trial took %.2f s)" % took
        yield Check("hook", OK, says)
    elif seen or old:
        says = "sees only part: no %s arrived%s" % (" and no ".join(missing), problem)
        yield Check("hook", LIMITED, says, "--trace=strace sees every file")
    else:
        says = "does not load in %s%s" % (python, problem)
        remedy = "is it a wrapper that changes PYTHONPATH? name the interpreter itself"
        yield Check("hook", NOT_POSSIBLE, says, remedy, essential=True)
    if seen:
        yield Check(
            "SDK",
            OK if sdk else LIMITED,
            "import provenance works inside a run" if sdk else "did not answer" + problem,
            "" if sdk else "prov init --sdk writes it as a file beside your code",
        )


def _probe(python: str, subject: Subject) -> tuple[set[str], str, bool]:
    """Return what arrived of a small program's doings, what went wrong, and whether the SDK did."""
    with tempfile.TemporaryDirectory(prefix="prov-doctor-") as made:
        folder = os.path.realpath(made)
        agent, work = os.path.join(folder, "agent"), os.path.join(folder, "work")
        os.mkdir(agent, 0o700)
        os.mkdir(work)
        for name, text in (("probe.py", _PROBE), (_MODULE + ".py", ""), ("read.txt", "1")):
            with open(os.path.join(work, name), "w", encoding="ascii") as stream:
                stream.write(text)
        environ = launch.hooked_environment(subject.environ, agent)
        program = os.path.join(subject.cwd, python) if os.sep in python else python
        done = _checks.run([program, "probe.py"], work, environ, _SECONDS)
        reader = Reader(agent, Redactor())
        told, interpreters = reader.observations(), reader.interpreters()
    seen = set()
    for file in told.files:
        if file.path == os.path.join(work, "read.txt") and file.read:
            seen.add("read")
        if file.path == os.path.join(work, "written.txt") and file.written:
            seen.add("write")
    if any(_MODULE in one.modules for one in interpreters):
        seen.add("import")
    return seen, "" if done.code == 0 else " (%s)" % done.last, bool(told.sdk)


def _neighbours(one: Interpreter, subject: Subject) -> Check:
    """Name what others start with every interpreter: they and our hook share one door."""
    found = []
    for folder in one.sys_path:
        paths = [os.path.join(folder, name) for name in _STARTING]
        found += [path for path in paths if os.path.isfile(path)]
        if folder.endswith("-packages"):
            found += _pth(folder)
    found += ["%s in the environment" % name for name in _COVERAGE if name in subject.environ]
    if not found:
        return Check("other hooks", OK, "none start with this interpreter")
    says = "also start with this interpreter, after ours: %s" % _checks.listed(found)
    return Check("other hooks", OK, says)


def _pth(folder: str) -> list[str]:
    """Return the ``.pth`` files in ``folder`` that run code (they may: a line ``import ...``)."""
    found = []
    try:
        names = sorted(name for name in os.listdir(folder) if name.endswith(".pth"))
    except OSError:
        return []
    for name in names:
        if name.startswith(_HARMLESS) or "nspkg" in name:
            continue
        try:
            with open(os.path.join(folder, name), encoding="utf-8", errors="replace") as stream:
                if any(line.startswith(("import ", "import\t")) for line in stream):
                    found.append(name)
        except OSError:
            continue
    return found


# --- packages ------------------------------------------------------------------------------------


def _packages(one: Interpreter) -> Iterator[Check]:
    found = [dist for dist in distributions.scan(one.sys_path) if dist.note != "half removed"]
    bad = sorted(dist.name or dist.folder for dist in found if dist.note)
    says = "%d installed" % len(found)
    if bad:
        says += "; the metadata of %d is not whole: %s" % (len(bad), _checks.listed(bad))
        yield Check("packages", LIMITED, says, "reinstall them: pip install --force-reinstall")
    elif not found:
        yield Check(
            "packages", LIMITED, "none are installed for this interpreter", "is it the one?"
        )
    else:
        yield Check("packages", OK, says)
    prefix = _conda.read(one.prefix) if one.prefix else None
    if prefix is not None:
        count = len(prefix.packages)
        says = "%d package%s in %s" % (count, "" if count == 1 else "s", one.prefix)
        says += "; %s" % _checks.listed(prefix.notes) if prefix.notes else ""
        yield Check("conda", LIMITED if prefix.notes else OK, says)
    have = {dist.key for dist in found}
    books = [name for name in _NOTEBOOKS if name in have]
    if books:
        says = "%s: runs of notebooks and %%load_ext are recorded" % ", ".join(books)
        if "ipykernel" in have and "prov-run" not in have:
            says = "%s: runs of notebooks are recorded" % ", ".join(books)
            remedy = "for %load_ext, install prov-run there, or use prov init --sdk"
            yield Check("notebooks", LIMITED, says, remedy)
        else:
            yield Check("notebooks", OK, says)
    else:
        yield Check("notebooks", OK, "not installed for this interpreter: nothing to record")
