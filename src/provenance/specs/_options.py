"""The options that pip takes in a requirements file, and how they are written."""

from __future__ import annotations

import shlex
from collections.abc import Sequence
from typing import NamedTuple

INCLUDE, CONSTRAIN, EDIT, INDEX, LINKS, HASH = "-r", "-c", "-e", "-i", "-f", "--hash"
NO_BINARY, ONLY_BINARY, REQUIRE_HASHES, EXTRA_INDEX = (
    "--no-binary",
    "--only-binary",
    "--require-hashes",
    "--extra-index-url",
)
NO_INDEX = "--no-index"

_SHORT = {"-r": INCLUDE, "-c": CONSTRAIN, "-e": EDIT, "-i": INDEX, "-f": LINKS}
_LONG = {
    "--requirement": INCLUDE,
    "--requirements": INCLUDE,
    "--constraint": CONSTRAIN,
    "--editable": EDIT,
    "--index-url": INDEX,
    "--pypi-url": INDEX,
    "--find-links": LINKS,
}
_VALUED = frozenset(
    "--extra-index-url --no-binary --only-binary --trusted-host --use-feature --hash "
    "--global-option --install-option --config-settings --config-setting --allow-external "
    "--allow-unverified --all-releases --only-final".split()
)
_FLAGS = frozenset(
    "--no-index --pre --prefer-binary --require-hashes --process-dependency-links "
    "--always-unzip --no-use-wheel --use-wheel --allow-all-external --no-allow-external "
    "--no-allow-insecure".split()
)
_OF_COMMANDS = frozenset(
    "--target --root --prefix --src --python-version --platform --implementation --abi --proxy "
    "--timeout --retries --cache-dir --log --cert --client-cert --python --upgrade-strategy "
    "--progress-bar --exists-action --report --keyring-provider --build --download --index "
    "--default-index --torch-backend --index-strategy --prerelease --resolution --name --channel "
    "--file --solver --default-timeout --use-deprecated --group --build-constraint "
    "--release-control --uploaded-prior-to".split()
)
"""Options with a value that only a command line may hold."""

_SHORT_VALUED = frozenset(("-t", "-C", "-b", "-d", "-n", "-p"))


class Option(NamedTuple):
    """One option. name: its short or only spelling. known: whether files may hold it."""

    name: str
    value: str = ""
    known: bool = True


def split(text: str) -> tuple[str, str]:
    """Return the entry that ``text`` begins with, and its options as one text."""
    if text.startswith("-"):
        return "", text
    at = text.find(" -")
    while at >= 0 and not text[at + 2 : at + 3].strip(" \t\"'"):
        at = text.find(" -", at + 1)
    return (text, "") if at < 0 else (text[:at].rstrip(), text[at + 1 :])


def words(text: str) -> list[str]:
    """Return the words of ``text`` as a shell would split them, quoted or not."""
    if '"' not in text and "'" not in text:
        return text.split()
    lexer = shlex.shlex(text, posix=True)
    lexer.whitespace_split, lexer.commenters, lexer.escape = True, "", ""
    try:
        return list(lexer)
    except ValueError:
        return text.split()


def parse(given: Sequence[str]) -> tuple[list[Option], list[str]]:
    """Return the options in ``given`` and the words that are none."""
    options: list[Option] = []
    rest: list[str] = []
    queue = list(reversed(given))
    while queue:
        word = queue.pop()
        if not word.startswith("-") or word == "-":
            rest.append(word)
        elif word.startswith("--"):
            name, equals, value = word.partition("=")
            name = _whole(name)
            valued = name in _VALUED or name in _LONG or name in _OF_COMMANDS
            if valued and not equals and queue:
                value = queue.pop()
            known = name in _VALUED or name in _LONG or name in _FLAGS
            options.append(Option(_LONG.get(name, name), value, known))
        else:
            name, value = word[:2], word[2:].removeprefix("=")
            if not value and (name in _SHORT or name in _SHORT_VALUED) and queue:
                value = queue.pop()
            options.append(
                Option(_SHORT.get(name, name), value, name in _SHORT or name in ("-Z", "-C"))
            )
    return options, rest


def _whole(name: str) -> str:
    """Return the option that ``name`` is the beginning of, where there is just one."""
    if name in _LONG or name in _VALUED or name in _FLAGS:
        return name
    meant = {_LONG.get(one, one) for one in (*_LONG, *_VALUED, *_FLAGS) if one.startswith(name)}
    if len(name) < 4 or len(meant) != 1:
        return name
    return next(iter(meant))
