"""Files and folders that a command line names, found without knowing the program.

Covers what no hook sees: readers in C++ or Rust, shell tools, other languages. What is found this
way is marked "named": that the run opened it was not observed.
"""

from __future__ import annotations

import os
import re
import shlex
import stat
from typing import Any, Iterable, Iterator, List, Sequence, Tuple

from provenance.core.context import Context
from provenance.facets import _argv

LONGEST = 4096
"""Longer words cannot be paths on Linux (PATH_MAX)."""

MOST_WORDS = 200
"""Words of a program on the command line that are looked at."""
_SHELLS = frozenset("sh bash dash zsh ksh".split())
_UNSEEN = re.compile(r"^-[a-zA-Z]*[IES]")
"""Options of Python with which it does not load the hook."""
_LITERAL = re.compile(r"'([^'\n]{1,300})'|\"([^\"\n]{1,300})\"")

_FOLDER_OPTION = re.compile(r"(?i)dir|path|folder|root|data|input|file|source|src|corpus|from")


def paths(context: Context) -> List[str]:
    """Return the existing files and folders named by the command, its children and its parsers.

    Absolute, in order of appearance; programs and scripts left out.
    """
    found = []
    for option, word in _words(context):
        path = _existing(option, word, context.roots.cwd)
        if path is not None and path not in found:
            found.append(path)
    return found


def _words(context: Context) -> Iterator[Tuple[str, str]]:
    """Yield ``(option before it, word)`` of everything that may name a file."""
    commands: List[Sequence[str]] = [context.command]
    commands += [one.argv for one in context.observed.commands]
    for argv in commands:
        yield from _argv_words(argv[_argv.first_argument(argv) :])
        for word in in_text(argv):
            yield "", word
    for parsed in context.observed.parsed:
        for name, value in parsed.values.items():
            for text in _texts(value.get("value") if isinstance(value, dict) else value):
                yield name, text


def in_text(argv: Sequence[str]) -> List[str]:
    """Return the words of a shell's ``-c`` text; of a Python that no hook sees, its literals."""
    name = os.path.basename(argv[0]) if argv else ""
    if "-c" not in argv[1:-1]:
        return []
    at = list(argv).index("-c")
    text = argv[at + 1]
    if name in _SHELLS:
        try:
            lexer = shlex.shlex(text, posix=True, punctuation_chars=True)
            lexer.whitespace_split = True
            return list(lexer)[:MOST_WORDS]
        except ValueError:
            return text.split()[:MOST_WORDS]
    unseen = any(_UNSEEN.match(word) for word in argv[1:at])
    if name.startswith("python") and unseen:
        return [two or one for one, two in _LITERAL.findall(text)[:MOST_WORDS]]
    return []


def _argv_words(words: Iterable[str]) -> Iterator[Tuple[str, str]]:
    option = ""
    for word in words:
        name, equals, text = word.partition("=")
        if equals:
            yield name, text
        if not word.startswith("-"):
            yield option, word
        option = word if word.startswith("-") and not equals else ""


def _texts(value: Any) -> Iterator[str]:
    if isinstance(value, str):
        yield value
    elif isinstance(value, (list, tuple)):
        for one in value[:100]:
            if isinstance(one, str):
                yield one


def _existing(option: str, word: str, cwd: str) -> "str | None":
    if not word or len(word) > LONGEST or "\0" in word or "\n" in word:
        return None
    path = os.path.normpath(os.path.join(cwd, os.path.expanduser(word)))
    try:
        status = os.stat(path)
    except (OSError, ValueError):
        return None
    if stat.S_ISDIR(status.st_mode):
        plain_word = os.sep not in word and not _FOLDER_OPTION.search(option)
        return None if plain_word else path
    if not stat.S_ISREG(status.st_mode) or _is_program(path, status):
        return None
    return path


def _is_program(path: str, status: os.stat_result) -> bool:
    """Return whether ``path`` is to be executed: the bit is set, and the first bytes agree."""
    if not status.st_mode & stat.S_IXUSR:
        return False
    try:
        with open(path, "rb") as stream:
            return stream.read(4).startswith((b"#!", b"\x7fELF", b"\xcf\xfa\xed\xfe"))
    except OSError:
        return False
