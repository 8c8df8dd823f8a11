"""Which commands the hook cannot look into, and why. Pure: from their words alone."""

from __future__ import annotations

import os
import shlex
from typing import Iterator, List, Tuple

UNREACHED = "Python processes were started outside the hook's reach"
"""The end of a note that counts what `unobserved` names."""

_OUT_OF_REACH = frozenset("IES")
"""Options of the interpreter with which it does not load the hook."""
_ASKING = frozenset(("-V", "-VV", "--version", "-h", "--help"))
_TAKING = frozenset("WXcm")
"""Options of the interpreter whose value is the rest of the word, or the next one."""

OTHER_LANGUAGE = "in another language"
_ELSEWHERE = {
    "on another machine": "ssh rsh pdsh mosh gcloud kubectl qsub bsub oarsub condor_submit",
    "in a container": "docker podman nerdctl singularity apptainer enroot udocker buildah "
    "shifter charliecloud ch-run",
    "with an environment that it cleans": "sudo su doas chroot runuser",
    OTHER_LANGUAGE: "Rscript R julia matlab octave java scala kotlin node deno bun ruby "
    "perl php lua luajit ghc runghc stata stata-mp sas gams wolframscript math go cargo dotnet "
    "mono swift racket sbcl clojure",
}
_WHY = {name: why for why, names in _ELSEWHERE.items() for name in names.split()}
_ENTERING = {
    "docker": "run exec compose start",
    "podman": "run exec start",
    "nerdctl": "run exec start",
    "singularity": "run exec shell test instance",
    "apptainer": "run exec shell test instance",
    "gcloud": "compute",
    "kubectl": "exec run",
    "cargo": "run bench test",
    "go": "run test",
    "dotnet": "run",
}
"""Programs of which only these verbs run something of the user's."""
SHELLS = frozenset("sh bash dash zsh ksh fish".split())
_WRAPPERS = frozenset(
    "nice nohup time timeout stdbuf taskset numactl ionice setsid exec command chrt srun mpirun "
    "mpiexec mpiexec.hydra orterun prterun jsrun aprun xargs parallel catchsegv setarch".split()
)
"""Programs that run what stands behind their own options."""
_BREAKS = frozenset(("&&", "||", ";", "|", "&", "(", ")", "{", "}", "then", "do", "else", "!"))
_MOST_INNER = 50


def is_python(argv: Tuple[str, ...]) -> bool:
    """Return whether a command starts a Python interpreter to run something."""
    name = os.path.basename(argv[0]) if argv else ""
    rest = name[6:] if name.startswith("python") else name[4:] if name.startswith("pypy") else "-"
    return rest.replace(".", "").rstrip("t").isdigit() or not rest


def loads_hook(argv: Tuple[str, ...]) -> bool:
    """Return whether the interpreter's own options let it load the hook."""
    return not _isolating(argv)


def _isolating(argv: Tuple[str, ...]) -> str:
    """Return the letter of the option with which an interpreter does not load the hook."""
    words = iter(argv[1:])
    for word in words:
        if word in _ASKING or not word.startswith("-") or word.startswith("--") or word == "-":
            return ""
        for letter in word[1:]:
            if letter in _OUT_OF_REACH:
                return letter
            if letter in _TAKING:
                if letter in "cm":
                    return ""
                if word.endswith(letter):
                    next(words, None)
                break
    return ""


def unobserved(argv: Tuple[str, ...], own_environment: bool = False) -> Iterator[Tuple[str, str]]:
    """Yield ``(command, why)`` for each part of ``argv`` that the hook cannot look into.

    own_environment: it was given one without the hook. What is told is certain for Python and the
    programs that are listed; of others (a compiled program) nothing is said here.
    """
    for words in _simple(argv):
        why = _why(words, own_environment)
        if why:
            yield shlex.join(words) if hasattr(shlex, "join") else " ".join(words), why


def _why(argv: Tuple[str, ...], own_environment: bool) -> str:
    if is_python(argv):
        letter = _isolating(argv)
        if letter:
            return "Python started with -%s" % letter
        asks = any(word in _ASKING for word in argv[1:2])
        return (
            "Python started with an environment of its own" if own_environment and not asks else ""
        )
    name = os.path.basename(argv[0]) if argv else ""
    if name == "env":
        return "started with an environment that env cleaned"
    if name in _ENTERING and not set(_ENTERING[name].split()) & set(argv[1:]):
        return ""
    if name in _WHY and not any(word in _ASKING or word == "-version" for word in argv[1:2]):
        return _WHY[name]
    return ""


def _simple(argv: Tuple[str, ...]) -> Iterator[Tuple[str, ...]]:
    """Yield the plain commands in ``argv``: behind wrappers, and in what a shell is told to run."""
    waiting: List[Tuple[str, ...]] = [argv]
    for _ in range(_MOST_INNER):
        if not waiting:
            return
        words = _stripped(waiting.pop(0))
        name = os.path.basename(words[0]) if words else ""
        if name in SHELLS and _script(words) is not None:
            waiting.extend(_parts(_script(words) or ""))
        elif name in _WRAPPERS:
            waiting.extend(_behind(words))
        elif name == "env":
            inner = tuple(w for w in words[1:] if not w.startswith("-") and "=" not in w)
            cleaned = any(w in ("-", "-i", "--ignore-environment") for w in words[1:])
            if cleaned and inner and (is_python(inner) or inner[0] in SHELLS):
                yield words
            else:
                waiting.append(inner)
        elif words:
            yield words


def _stripped(words: Tuple[str, ...]) -> Tuple[str, ...]:
    """Return ``words`` without the settings of variables before the command."""
    first = 0
    while first < len(words) and "=" in words[first] and words[first][:1].isalpha():
        first += 1
    return words[first:]


def _script(words: Tuple[str, ...]) -> "str | None":
    """Return what a shell is told to run by ``-c``."""
    for place, word in enumerate(words[1:-1], 1):
        if word.startswith("-") and not word.startswith("--") and word.endswith("c"):
            return words[place + 1]
    return None


def _parts(script: str) -> Iterator[Tuple[str, ...]]:
    for line in script.split("\n")[:_MOST_INNER]:
        try:
            lexer = shlex.shlex(line, posix=True, punctuation_chars=True)
            lexer.whitespace_split = True
            words = list(lexer)
        except ValueError:
            continue
        part: List[str] = []
        for word in [*words, ";"]:
            if word in _BREAKS or set(word) <= set(";&|()"):
                if part:
                    yield tuple(part)
                part = []
            else:
                part.append(word)


def _behind(words: Tuple[str, ...]) -> List[Tuple[str, ...]]:
    """Return the command behind a wrapper's options: the first word that can be a program's."""
    for place, word in enumerate(words[1:], 1):
        tail = words[place:]
        name = os.path.basename(word)
        if is_python(tail) or name in _WHY or name in SHELLS or name in _WRAPPERS or name == "env":
            return [tail]
    return []
