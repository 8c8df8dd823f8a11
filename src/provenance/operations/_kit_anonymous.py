"""Double-blind submissions: nothing that the kit writes says who wrote it or where.

Fields that are about people are emptied; in all other values names that identify are replaced,
wherever they stand (the user name in a path of data, the host in a command).
"""

from __future__ import annotations

import os
import pwd
import re
import socket
from collections.abc import Callable, Mapping
from typing import Any

from provenance.core.record import Record
from provenance.environments.wanted import LeftOut, Wanted
from provenance.operations._kit_known import Known, https

STANDIN = "anonymous"
_COMMON = frozenset(
    "root user users ubuntu debian admin runner work home data host localhost docker jupyter "
    "python code main src test paper project github gitlab".split()
)
"""Names of accounts and machines that identify nobody and are words of paths and commands."""
_SHORTEST = 3


def hidden(known: Known, environ: Mapping[str, str], remotes: tuple[str, ...]) -> Known:
    """Return ``known`` without what identifies anybody. remotes: all addresses that git knows."""
    replace = replacer(_identities(known, environ, remotes), _names(known), _home(environ))
    return known._replace(
        name=replace(known.name),
        title=replace(known.title),
        runs=tuple(_scrubbed(run, replace) for run in known.runs),
        data=tuple(one._replace(path=replace(one.path)) for one in known.data),
        remote="",
        branch="",
        author="",
        email="",
        reference=replace(known.reference),
        pins=_pins(known.pins, replace) if known.pins else None,
    )


def _pins(pins: Wanted, replace: Callable[[str], str]) -> Wanted:
    left_out = tuple(LeftOut(*map(replace, one)) for one in pins.left_out)
    requirements = tuple(map(replace, pins.requirements))
    return pins._replace(left_out=left_out, requirements=requirements, prefer=())


def _scrubbed(run: Record, replace: Callable[[str], str]) -> Record:
    facets = {}
    for name, answer in run.facets.items():
        subjects = tuple(
            one._replace(payload=_walked(one.payload, replace), interpreter=None)
            for one in answer.subjects
        )
        facets[name] = answer._replace(subjects=subjects)
    code = facets.get("code")
    if code is not None:
        bare: dict[str, Any] = {"commit": None, "remotes": [], "repositories": [], "upstream": None}
        kept = tuple(one._replace(payload=dict(one.payload, **bare)) for one in code.subjects)
        facets["code"] = code._replace(subjects=kept)
    words = tuple(replace(word) for word in run.command)
    told = replace(run.name or "") or None
    return run._replace(command=words, name=told, facets=facets, roots={}, process=None)


def _walked(value: Any, replace: Callable[[str], str]) -> Any:
    if isinstance(value, str):
        return replace(value)
    if isinstance(value, dict):
        return {replace(str(key)): _walked(one, replace) for key, one in value.items()}
    if isinstance(value, (list, tuple)):
        return [_walked(one, replace) for one in value]
    return value


def _identities(known: Known, environ: Mapping[str, str], remotes: tuple[str, ...]) -> set[str]:
    """Return the words that identify: of people, machines and places of code."""
    try:
        entry = pwd.getpwuid(os.getuid())
        names = [entry.pw_name, entry.pw_gecos.partition(",")[0]]
    except KeyError:
        names = []
    names += [environ.get(name, "") for name in ("USER", "LOGNAME", "USERNAME", "SUDO_USER")]
    names += [os.path.basename(_home(environ)), socket.gethostname()]
    names += [environ.get("HOSTNAME", "")]
    names += [one.partition(".")[0] for one in names[-2:]]
    names += [known.author, known.email, known.email.partition("@")[0]]
    for url in remotes:
        place = https(url) or url
        names += [url, place, *re.split(r"[/:]", place.partition("://")[2])[1:-1]]
    return _telling(names)


def _home(environ: Mapping[str, str]) -> str:
    return environ.get("HOME") or os.path.expanduser("~")


def _names(known: Known) -> set[str]:
    """Return the parts of the author's name, which count as they are written: Max is not max."""
    return _telling(known.author.split())


def _telling(names: list[str]) -> set[str]:
    return {one for one in names if len(one) >= _SHORTEST and one.lower() not in _COMMON}


def replacer(identities: set[str], names: set[str], home: str) -> Callable[[str], str]:
    """Return what puts a stand-in for the home folder and for what identifies and stands alone.

    identities: in whatever letters; names: as they are written.
    """
    patterns = [_words(identities, re.IGNORECASE), _words(names, 0)]

    def replace(text: str) -> str:
        if home != os.sep:
            text = re.sub(re.escape(home) + r"(?![\w.-])", "/home/" + STANDIN, text)
        for pattern in patterns:
            text = pattern.sub(STANDIN, text) if pattern else text
        return text

    return replace


def _words(words: set[str], flags: int) -> re.Pattern[str] | None:
    longest = sorted(words, key=len, reverse=True)
    each = [r"(?<![^\W_])%s(?![^\W_])" % re.escape(one) for one in longest]
    return re.compile("|".join(each), flags) if each else None
