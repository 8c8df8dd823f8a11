"""Shell commands that stand in lists for pip: which are to install something, and what."""

from __future__ import annotations

import re
import shlex
from typing import NamedTuple

PIP, UV, CONDA, LISTING, OTHER = "pip", "uv", "conda", "listing", "other"

LONGEST = 4096
"""Characters of a line of commands."""

_PROMPT = re.compile(r"(?:\([\w.-]+\)\s*)?(?:[\w.-]+@[\w.:~/-]+)?[$%!>#]\s*|RUN\s+|>>>\s*")
_PIP = re.compile(r"(?:[\w./~-]*/)?pip\d?(?:\.\d+)?\Z")
_PYTHON = re.compile(r"(?:[\w./~-]*/)?python\d?(?:\.\d+)?\Z")
_CONDAS = frozenset(("conda", "mamba", "micromamba"))
_OTHERS = frozenset(
    "apt apt-get yum dnf brew apk git cd export source wget curl bash sh mkdir make cmake echo rm "
    "cp mv ln unzip tar npm docker module chmod sbatch poetry pipenv pdm easy_install virtualenv "
    "conda-env python python3 pip pip3 set . activate sudo cargo nvcc ./configure".split()
)
_BEFORE = frozenset(("sudo", "env", "time", "exec", "-H", "-E", "command"))
_ASSIGNMENT = re.compile(r"[A-Z_][A-Z0-9_]*=\S*\Z")
_CONTROL = re.compile(r"[;&|]+\Z")


class Command(NamedTuple):
    """One command.

    tool: what runs it; a listing is what wrote the file. words: what it is given to install, with
    its options. installs: whether it installs something.
    """

    tool: str
    words: tuple[str, ...]
    installs: bool


def commands(text: str) -> tuple[Command, ...]:
    """Return the commands in a line, none where it does not begin with a known one."""
    if len(text) > LONGEST:
        return ()
    prompt = _PROMPT.match(text)
    bare = text[prompt.end() :] if prompt else text
    found: list[Command] = []
    for words in _split(bare):
        one = _command(words)
        if one is not None:
            found.append(one)
        elif not found:
            return ()
    return tuple(found)


def _split(text: str) -> list[list[str]]:
    lexer = shlex.shlex(text, posix=True, punctuation_chars=";&|")
    lexer.whitespace_split, lexer.commenters = True, ""
    try:
        words = list(lexer)
    except ValueError:
        words = text.split()
    parts: list[list[str]] = [[]]
    for word in words:
        if _CONTROL.match(word):
            parts.append([])
        else:
            parts[-1].append(word)
    return [part for part in parts if part]


def _command(words: list[str]) -> Command | None:
    while words and (words[0] in _BEFORE or _ASSIGNMENT.match(words[0])):
        words = words[1:]
    if len(words) < 2:
        return None
    if _PYTHON.match(words[0]) and words[1] == "-m" and len(words) > 2:
        words = words[2:]
    if words[0] == "uv":
        words = words[1:]
        if words[:1] != ["pip"]:
            return Command(UV, tuple(words[1:]), words[:1] == ["add"])
    tool = PIP if _PIP.match(words[0]) else CONDA if words[0] in _CONDAS else OTHER
    if tool == OTHER:
        return Command(OTHER, (), False) if words[0] in _OTHERS else None
    rest = words[1:]
    while rest and rest[0].startswith("-"):
        rest = rest[1:]
    if rest[:1] in (["freeze"], ["list"]):
        return Command(LISTING, (), False)
    verbs = ("install",) if tool == PIP else ("install", "create", "update")
    return Command(tool, tuple(rest[1:]), rest[:1] != [] and rest[0] in verbs)
