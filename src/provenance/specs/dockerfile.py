"""Dockerfiles and Containerfiles: the last stage, what it stands on and what it copies from.

Of stages that are only copied from, what they install counts, not their image: its Python and
system stay behind.
"""

from __future__ import annotations

import bisect
import json
import re
from collections.abc import Iterator
from typing import NamedTuple

from provenance.specs import _images, _installs
from provenance.specs._gathered import Gathered
from provenance.specs._lines import ends_of
from provenance.specs._shell import MOST_VALUE, words
from provenance.specs._text import brief, decoded
from provenance.specs.model import Source, Spec, Unread, Unreadable

FORMAT = "Dockerfile"
MOST_BYTES = 2 << 20
"""Real ones have some kilobytes."""

_BUILDKIT = {
    "TARGETPLATFORM": "linux/amd64",
    "TARGETOS": "linux",
    "TARGETARCH": "amd64",
    "TARGETVARIANT": "",
    "BUILDPLATFORM": "linux/amd64",
    "BUILDOS": "linux",
    "BUILDARCH": "amd64",
}
"""Set by the builder itself; here as for the usual machine."""

_ESCAPE = re.compile(r"#\s*escape\s*=\s*([\\`])", re.IGNORECASE)
_WORD = re.compile(r"\s*([A-Za-z]+)(?=\s|$)")
_HEREDOC = re.compile(r"<<-?\s*([\"']?)([A-Za-z_][\w.-]*)\1")
_INSTRUCTIONS = frozenset(
    "ADD ARG CMD COPY ENTRYPOINT ENV EXPOSE FROM HEALTHCHECK LABEL MAINTAINER ONBUILD RUN SHELL "
    "STOPSIGNAL USER VOLUME WORKDIR".split()
)


class Instruction(NamedTuple):
    """One instruction.

    rest: what stands behind its word, continuations made spaces. offset: of
    ``rest`` in the file. body: of a heredoc, with its offset.
    """

    word: str
    rest: str
    offset: int
    body: str = ""
    body_offset: int = 0


class Stage(NamedTuple):
    """A part from one FROM to the next.

    base: the number of the stage it stands on, -1 for an
    image. copied: numbers of stages that it copies from.
    """

    begin: Instruction
    image: str
    base: int
    copied: list[int]
    body: list[Instruction]
    open: bool


def read(source: Source) -> Spec:
    """Return what the file states of its last stage."""
    text = decoded(source.data, MOST_BYTES)
    ends = ends_of(text)

    def where(offset: int) -> str:
        return "%s:%d" % (source.path, bisect.bisect_left(ends, offset) + 1)

    into = Gathered(source.path, where)
    globals_: dict[str, str] = {}
    stages = _stages(list(_instructions(text, into)), globals_, into)
    if not stages:
        raise Unreadable("There is no FROM in it, which begins each Dockerfile.")
    chain = _chain(stages)
    for number, stage in enumerate(stages):
        if number in chain or number in _copied(stages, chain):
            _stage(stage, number in chain, _values(stages, number, globals_), into)
    if len(stages) > 1:
        into.note("Of %d stages the last one is read, with what it stands on." % len(stages))
    return into.spec(FORMAT)


def _instructions(text: str, into: Gathered) -> Iterator[Instruction]:
    """Yield the instructions, continuation lines and the comments between them made spaces."""
    lines = text.split("\n")
    found = _ESCAPE.match(lines[0]) or (_ESCAPE.match(lines[1]) if len(lines) > 1 else None)
    escape = found[1] if found else "\\"
    at, offset = 0, 0
    while at < len(lines):
        begin = offset
        parts: list[str] = []
        while at < len(lines):
            line = lines[at]
            bare = line.strip()
            at, offset = at + 1, offset + len(line) + 1
            if bare.startswith("#") or (not bare and parts):
                parts.append(" " * (len(line) + 1))
                continue
            kept = line.rstrip()
            if not kept.endswith(escape):
                parts.append(line)
                break
            parts.append(kept[: -len(escape)] + " " * (len(line) - len(kept) + 2))
        whole = "".join(parts)
        word = _WORD.match(whole)
        if word is None or word[1].upper() not in _INSTRUCTIONS:
            if whole.strip():
                into.miss(begin, whole, "No instruction of a Dockerfile begins like this.")
            continue
        named = word[1].upper()
        body, body_at = [], offset
        tags = _HEREDOC.findall(whole)[:8] if named in ("RUN", "COPY", "ADD") else []
        for _, tag in tags:
            while at < len(lines):
                line = lines[at]
                at, offset = at + 1, offset + len(line) + 1
                if line.strip() == tag:
                    body.append(" " * (len(line) + 1))
                    break
                body.append(line + "\n")
        yield Instruction(named, whole[word.end() :], begin + word.end(), "".join(body), body_at)


def _stages(
    instructions: list[Instruction], globals_: dict[str, str], into: Gathered
) -> list[Stage]:
    """Return the stages; arguments before the first one go to ``globals_``."""
    stages: list[Stage] = []
    names: dict[str, int] = {}
    for one in instructions:
        if one.word == "FROM":
            given = words(one.rest, {**_BUILDKIT, **globals_})
            plain = [w for w in given if not w.text.startswith("--")]
            image = plain[0].text if plain else ""
            base = names.get(image.lower(), -1)
            if any(name in one.rest for name in _BUILDKIT) and "platform" not in one.rest:
                into.note("Read as it is built on linux/amd64.")
            if len(plain) == 3 and plain[1].text.lower() == "as":
                names[plain[2].text.lower()] = len(stages)
            stages.append(Stage(one, image, base, [], [], not plain or plain[0].open))
        elif not stages:
            if one.word == "ARG":
                _set(one.rest, globals_, {**_BUILDKIT, **globals_})
        else:
            last = stages[-1]
            source = re.search(r"--from=[\"']?([\w.-]+)", one.rest[:400])
            if one.word == "COPY" and source:
                name = source[1].lower()
                number = names.get(name, int(name) if name.isdigit() and len(name) < 4 else -1)
                if 0 <= number < len(stages) - 1:
                    last.copied.append(number)
            last.body.append(one)
    return stages


def _chain(stages: list[Stage]) -> set[int]:
    """Return the numbers of the last stage and of those it stands on."""
    chain, at = set(), len(stages) - 1
    while at >= 0 and at not in chain:
        chain.add(at)
        at = stages[at].base
    return chain


def _copied(stages: list[Stage], chain: set[int]) -> set[int]:
    """Return the numbers of stages that are copied from, with what these stand on."""
    todo = [n for at in chain for n in stages[at].copied]
    found: set[int] = set()
    while todo:
        at = todo.pop()
        if at < 0 or at in found or at in chain:
            continue
        found.add(at)
        todo += [stages[at].base, *stages[at].copied]
    return found


def _values(stages: list[Stage], number: int, globals_: dict[str, str]) -> dict[str, str]:
    """Return the ENV of what a stage stands on."""
    before: list[int] = []
    at = stages[number].base
    while at >= 0 and at not in before:
        before.append(at)
        at = stages[at].base
    values: dict[str, str] = {}
    for at in reversed(before):
        for one in stages[at].body:
            if one.word == "ENV":
                _set(one.rest, values, values)
    return {**values, "\0": json.dumps(globals_)}


def _set(text: str, values: dict[str, str], known: dict[str, str]) -> None:
    """Take ``NAME=value ...`` or ``NAME value``."""
    given = words(text, known)
    if given and "=" not in given[0].text:
        if len(given) == 1:
            return
        given = [given[0]._replace(text=given[0].text + "=" + given[1].text, open=given[1].open)]
    for word in given:
        name, _, value = word.text.partition("=")
        if word.open or len(value) > MOST_VALUE:
            values.pop(name, None)
        else:
            values[name] = value


def _stage(stage: Stage, whole: bool, values: dict[str, str], into: Gathered) -> None:
    """Gather what a stage states. whole: with its image."""
    globals_: dict[str, str] = json.loads(values.pop("\0"))
    place = stage.begin.offset
    if whole and stage.base < 0:
        if stage.open:
            why = "The image depends on an argument without a default."
            into.miss(place, stage.begin.rest, why)
        else:
            into.take(*_images.stated(stage.image, into.where(place)))
    for one in stage.body:
        if one.word == "ENV":
            _set(one.rest, values, values)
        elif one.word == "ARG":
            name = one.rest.strip()
            if name in globals_ or name in _BUILDKIT:
                values.setdefault(name, {**_BUILDKIT, **globals_}[name])
            elif "=" in name:
                _set(one.rest, values, values)
        elif one.word == "RUN":
            _run(one, values, into)


def _run(one: Instruction, values: dict[str, str], into: Gathered) -> None:
    text, offset = one.rest, one.offset
    flags = re.match(r"(?:\s*--[a-z]+(?:=\S*)?(?=\s))*\s*", text)
    if flags:
        text, offset = text[flags.end() :], offset + flags.end()
    if text.startswith("["):
        given = _exec_form(text)
        if given is None:
            into.take(Unread(into.where(offset), brief(text), "This is no list in JSON."))
        elif given:
            line = " ".join("'%s'" % word.replace("'", "") for word in given)
            alone = into.within(lambda _: into.where(offset))
            _installs.take(line, 0, {}, alone)
            into.merge(alone)
        return
    if one.body:
        before = text.partition("<<")[0].strip()
        if not before or re.fullmatch(r"(?:/bin/|/usr/bin/)?(?:ba)?sh(?: -\w+)*", before):
            _installs.take(one.body, one.body_offset, values, into)
            return
        text = text.partition("<<")[0]
    _installs.take(text, offset, values, into)


def _exec_form(text: str) -> list[str] | None:
    """Return the words of ``["pip", "install", "x"]``; none for a shell's test (``[ ]``)."""
    try:
        given = json.loads(text)
    except (ValueError, RecursionError):
        return None if text.startswith('["') else []
    good = isinstance(given, list) and all(isinstance(word, str) for word in given)
    return [str(word) for word in given] if good else None
