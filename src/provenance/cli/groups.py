"""Findings put together for people: one block per package and root, the rest counted.

Several reasons of one finding about the same place are one block: what changed in words, what the
calls gave, how to get the old back. Pure; what the terminal, Markdown and GitHub show comes from
here.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from typing import NamedTuple

from provenance.cli.style import flat, value
from provenance.core import versions
from provenance.core.difference import NONE, UNKNOWN
from provenance.core.verdict import Finding, Reason, rank

_WORDS = {
    "content": "was changed",
    "digest": "has other content",
    "missing": "is not here",
    "removed": "is not installed",
    "added": "is new here",
    "comment": "differs in comments or layout only",
}
_MANY, _LISTED = 4, 24
"""So many missing packages are told together, and so many of them by name."""
_OR = "   or   "
_ARGUMENT = re.compile(r"^([\w.]+\(\w+\))")


class Seen(NamedTuple):
    """What a replayed call gave: evidence "0.1312 -> 0.0977", where, how much follows from it."""

    evidence: str
    where: str
    follows: int
    text: str


class Block(NamedTuple):
    """One thing to tell.

    effect: of the block. title: what differs ("pandas 1.5.3 -> 2.2.3"). facet: of the finding.
    what: the changes in words, the surest first. where: places in the user's code. seen: what
    replayed calls gave. evidence: what makes it apply here. fixes: code that keeps the recorded
    behaviour. restores: commands that restore the version. sources: where it is written.
    """

    effect: str
    title: str
    facet: str
    what: tuple[str, ...]
    where: tuple[str, ...]
    seen: tuple[Seen, ...] = ()
    evidence: tuple[str, ...] = ()
    fixes: tuple[str, ...] = ()
    restores: tuple[str, ...] = ()
    sources: tuple[str, ...] = ()


class Groups(NamedTuple):
    """All findings.

    blocks: possible or graver, gravest first. checked: changed defaults that do nothing to the
    calls of this run, in words. unknown, harmless: findings to be folded.
    """

    blocks: tuple[Block, ...]
    checked: tuple[str, ...]
    unknown: tuple[Finding, ...]
    harmless: tuple[Finding, ...]


def grouped(findings: Iterable[Finding]) -> Groups:
    """Return ``findings`` as blocks and what is folded."""
    blocks: list[Block] = []
    checked: list[str] = []
    unknown: list[Finding] = []
    harmless: list[Finding] = []
    rest, absent = _absent(findings)
    blocks += absent
    for one in rest:
        idle = [reason for reason in one.reasons if _effect(one, reason) in (NONE, UNKNOWN)]
        done = [reason for reason in idle if reason.effect]  # others only say what is known of it
        checked += ["%s: %s" % (sentence(one), flat(reason.text)) for reason in done]
        if one.effect == NONE:
            harmless.append(one)
        elif one.effect == UNKNOWN:
            unknown.append(one)
        else:
            telling = [reason for reason in one.reasons if reason not in idle]
            blocks += [_block(one, part) for part in _by_place(one, telling)] or [_bare(one)]
    return Groups(_ordered(blocks), tuple(checked), tuple(unknown), tuple(harmless))


def explanations(one: Finding) -> list[str]:
    """Return what is known of such a difference, whether or not it was checked here."""
    return [flat(reason.text) for reason in one.reasons if not reason.effect]


def _absent(findings: Iterable[Finding]) -> tuple[list[Finding], list[Block]]:
    """Return the findings without packages that are not installed, and blocks of those, if many."""
    rest: list[Finding] = []
    gone: dict[str, list[Finding]] = {}
    for one in findings:
        plain = one.facet == "packages" and one.kind == "removed" and not one.reasons
        if plain and not one.text and rank(one.effect) > rank(UNKNOWN):
            gone.setdefault(one.effect, []).append(one)
        else:
            rest.append(one)
    blocks = []
    for effect, items in gone.items():
        if len(items) < _MANY:
            rest += items
            continue
        names = ["%s (%s)" % (one.name, one.where[0]) if one.where else one.name for one in items]
        shown = names[:_LISTED] + ["and %d more" % (len(names) - _LISTED)] * (len(names) > _LISTED)
        title = "%d packages are not installed" % len(items)
        blocks.append(Block(effect, title, items[0].facet, (flat(", ".join(shown)),), ()))
    return rest, blocks


def _effect(one: Finding, reason: Reason) -> str:
    return reason.effect or one.effect


def _by_place(one: Finding, reasons: Sequence[Reason]) -> list[list[Reason]]:
    """Return ``reasons`` in parts, those that share a place in one."""
    parts: list[tuple[set[str], list[Reason]]] = []
    for reason in reasons:
        places = set(reason.where or one.where) or {""}
        mine = [part for part in parts if part[0] & places]
        joined = set(places).union(*(part[0] for part in mine))
        texts = [each for part in mine for each in part[1]]
        parts = [part for part in parts if part not in mine] + [(joined, [*texts, reason])]
    return [part[1] for part in parts]


def _bare(one: Finding) -> Block:
    where = tuple(map(flat, one.where))
    return Block(one.effect, sentence(one), one.facet, (), where, restores=_restore(one))


def _block(one: Finding, reasons: Sequence[Reason]) -> Block:
    ordered = sorted(reasons, key=lambda r: (r.level, -rank(_effect(one, r))))
    told = [reason for reason in ordered if reason.level != "L3"]
    seen = [_seen(reason) for reason in ordered if reason.level == "L3"]
    words = _distinct([flat(reason.text) for reason in told or ordered[:1]])
    evidence = _unique(flat(r.evidence) for r in told if r.level == "L1" or not seen)
    options = [_code(part) for r in ordered for part in r.remedy.split(_OR) if part.strip()]
    restores = tuple(part for part in _unique(options) if _is_restore(part))
    fixes = tuple(part for part in _unique(options) if not _is_restore(part))
    return Block(
        max((_effect(one, reason) for reason in reasons), key=rank),
        sentence(one),
        one.facet,
        words,
        _unique(flat(place) for r in ordered for place in (r.where or one.where)),
        tuple(sorted(seen, key=lambda s: -s.follows)),
        tuple(text for text in evidence if not any(text in line for line in words)),
        fixes,
        restores or _restore(one),
        _unique(flat(reason.source) for reason in ordered),
    )


def _seen(reason: Reason) -> Seen:
    evidence = flat(reason.evidence)
    where = flat(reason.where[0]) if reason.where else ""
    return Seen(evidence.removeprefix("replayed: "), where, reason.follows, flat(reason.text))


def _distinct(texts: Sequence[str]) -> tuple[str, ...]:
    """Return ``texts`` without those that speak of an argument that an earlier one speaks of."""
    found: list[str] = []
    known: set[str] = set()
    for text in texts:
        match = _ARGUMENT.match(text)
        about = match.group(1).rpartition(".")[2] if match else text
        if about not in known:
            known.add(about)
            found.append(text)
    return tuple(found)


def _restore(one: Finding) -> tuple[str, ...]:
    kinds = ("version", "removed")
    if one.facet == "packages" and one.kind in kinds and isinstance(one.old, str):
        return (flat("pip install " + versions.requirement(one.name, one.old)),)
    return ()


def _is_restore(remedy: str) -> bool:
    return remedy.lstrip().startswith(("pip install ", "use Python ", "conda install "))


def _ordered(blocks: Sequence[Block]) -> tuple[Block, ...]:
    """Return the gravest first, blocks of one package together, what was seen before the rest."""
    best: dict[tuple[str, str], tuple[int, bool, int]] = {}
    for block in blocks:
        key = (block.effect, block.title)
        best[key] = min(best.get(key, _weight(block)), _weight(block))
    first = {title: number for number, title in reversed(list(enumerate(b.title for b in blocks)))}

    def place(block: Block) -> tuple[object, ...]:
        own = _weight(block)
        return (best[block.effect, block.title], first[block.title], own)

    return tuple(sorted(blocks, key=place))


def _weight(block: Block) -> tuple[int, bool, int]:
    return (-rank(block.effect), not block.seen, -sum(one.follows for one in block.seen))


def sentence(one: Finding) -> str:
    """Return what differs in one line: ``scikit-learn 1.1.3 -> 1.5.2``."""
    return flat(_sentence(one))


def _sentence(one: Finding) -> str:
    if one.facet == "packages" and one.kind == "removed" and one.text:
        was = one.old if isinstance(one.old, str) else ""
        return "%s is not installed: %s" % (" ".join(filter(None, (one.name, was))), one.text)
    if one.text and one.kind not in ("version", "changed"):
        return "%s: %s" % (one.name, one.text)
    if one.kind == "removed" and one.facet != "packages":
        return "%s is not there this time" % one.name
    if one.kind in _WORDS:
        return "%s %s" % (one.name, _WORDS[one.kind])
    text = "%s %s -> %s" % (one.name, value(one.old), value(one.new))
    return "%s (%s)" % (text, one.text) if one.text else text


def _unique(texts: Iterable[str]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(text for text in texts if text))


def _code(text: str) -> str:
    """Return code to paste with its lines and indentation, without what could steer a terminal."""
    spaced = text.replace("\r\n", "\n").expandtabs(4).strip("\n")
    return "".join(c if c.isprintable() or c == "\n" else "?" for c in spaced).rstrip()
