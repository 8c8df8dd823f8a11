"""Which script a recorded command runs, as far as it can be rehearsed."""

from __future__ import annotations

import os
import shlex
from typing import NamedTuple

from provenance.core.record import Record
from provenance.operations import present

_VALUED = frozenset(("-W", "-X", "--check-hash-based-pycs"))
_ENDS = frozenset(("-c", "-"))


class Script(NamedTuple):
    """What to run. path: a script as the command names it, or a module. argv: its arguments.

    options: of the interpreter, before the script. cells: whether the script is a notebook.
    """

    path: str = ""
    module: str = ""
    argv: tuple[str, ...] = ()
    options: tuple[str, ...] = ()
    cells: bool = False


def of(record: Record) -> Script | str:
    """Return the script that the command of ``record`` runs, or a sentence why there is none."""
    script = of_words(record.command)
    if script is not None:
        return script
    for command in _children(record):
        script = of_words(command)
        if script is not None:
            return script
    return "the command runs no Python script that can be told: %s" % " ".join(record.command[:4])


def _children(record: Record) -> list[tuple[str, ...]]:
    """Return the commands of the Python processes that were seen, in their order."""
    found = []
    for subject in record.payloads("processes"):
        for one in subject.payload.get("listed", [])[:20]:
            try:
                words = tuple(shlex.split(str(one.get("command", ""))))
            except ValueError:
                continue
            if words:
                found.append(words)
    return found


def of_words(words: tuple[str, ...]) -> Script | None:
    """Return what ``words`` run as a Python script, module or notebook; None for anything else."""
    if not words:
        return None
    notebook = _notebook(words)
    if notebook is not None:
        return notebook
    if not present.is_python(words[0]):
        return Script(words[0], "", words[1:]) if words[0].endswith(".py") else None
    options: list[str] = []
    rest = list(words[1:])
    while rest:
        word = rest.pop(0)
        if word in _ENDS:
            return None
        if word == "-m":
            return Script("", rest[0], tuple(rest[1:]), tuple(options)) if rest else None
        if word.startswith("-m") and len(word) > 2:
            return Script("", word[2:], tuple(rest), tuple(options))
        if not word.startswith("-"):
            return Script(word, "", tuple(rest), tuple(options))
        options.append(word)
        if word in _VALUED and rest:
            options.append(rest.pop(0))
    return None


def _notebook(words: tuple[str, ...]) -> Script | None:
    """Return the notebook that jupyter or papermill executes."""
    names = {os.path.basename(word) for word in words[:3]}
    if not names & {"jupyter", "papermill", "jupyter-nbconvert", "jupyter-execute", "nbconvert"}:
        return None
    notebooks = [word for word in words if word.endswith(".ipynb")]
    return Script(notebooks[0], "", (), (), True) if notebooks else None
