"""Findings on the terminal: one screen with what matters, the rest folded.

A screen is 24 lines of 80 columns: the three gravest blocks in full, the others a line each, then
a count. ``-v`` shows all.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Any

from provenance.cli.groups import Block, Groups, Seen, explanations, grouped, sentence
from provenance.cli.style import Style, plural
from provenance.core.difference import BROKEN, KNOWN, POSSIBLE, UNKNOWN, NotCompared
from provenance.core.verdict import Finding

if TYPE_CHECKING:
    from provenance.operations.calls import Coverage

ROOM, COLUMNS = 16, 80
"""Rows that the findings of a screen may take, and its columns."""
FULL = 3
CALLS, INTERFACES = "calls", "interfaces"
_GIVEN = {"synthetic": ", with made-up data", "full": ", with the data that was kept"}
_COLOUR = {KNOWN: "red", BROKEN: "red", POSSIBLE: "yellow"}
_SEEN, _PLACES, _NAMED, _REASONS = 2, 4, 3, 4


def lines(
    findings: Iterable[Finding], style: Style, verbose: bool = False, room: int = ROOM
) -> list[str]:
    """Return the blocks, gravest first, and what is folded: in ``room`` rows, or all of it."""
    groups = grouped(findings)
    found = block_lines(groups.blocks, style, verbose, room)
    if verbose:
        return found + unfolded(groups)
    rest = folded(groups)
    return [*found, rest] if rest else found


def block_lines(
    blocks: Iterable[Block], style: Style, verbose: bool = False, room: int = ROOM
) -> list[str]:
    """Return ``blocks``: in full while there is room, else a line each, else counted."""
    found: list[str] = []
    full, rows, left, title = 0, 0, 0, ""
    waiting = list(blocks)
    for number, block in enumerate(waiting):
        after = len(waiting) - number - 1
        head = block.effect + block.title
        whole = _block(block, style, again=head == title)
        reserved = min(after, 2 if full else 1)
        if not verbose and (full >= FULL or rows + _height(whole) + reserved > room):
            whole = [_short(block, style)]
            if rows + 1 + bool(after) > room:
                left = after + 1
                break
            full, head = FULL, ""
        full += len(whole) > 1
        rows += _height(whole)
        title = head
        found += whole
    if left:
        found.append("and %d more (-v)" % left)
    return found


def _height(shown: Iterable[str]) -> int:
    return sum(max(1, -(-len(line) // COLUMNS)) for line in shown)


def _block(block: Block, style: Style, again: bool) -> list[str]:
    """Return a block in full; ``again``: its title stands above already."""
    found = [] if again else ["%s  %s" % (_label(block, style), block.title)]
    found += ["  " + text for text in _placed(block)]
    details = [_saw(one) for one in block.seen[:_SEEN]]
    if len(block.seen) > _SEEN:
        details.append("seen at %d more places" % (len(block.seen) - _SEEN))
    details += ["evidence: " + text for text in block.evidence]
    if block.what and not (again and not block.fixes):
        details += _fixes(block, style)
    details += [style("source: " + text, "dim") for text in block.sources]
    return found + ["    " + text for text in details]


def _label(block: Block, style: Style) -> str:
    return style(block.effect.upper(), "bold", _COLOUR.get(block.effect, "bold"))


def _placed(block: Block) -> tuple[str, ...]:
    """Return the words of ``block``, with the place where nothing else names one."""
    told = (block.title, *block.what, *(one.where for one in block.seen))
    if not block.where or any(place in text for place in block.where for text in told):
        return block.what
    first = "%s at %s" % (block.what[0], _places(block)) if block.what else "at " + _places(block)
    return (first, *block.what[1:])


def _places(block: Block) -> str:
    more = len(block.where) - _PLACES
    return ", ".join(block.where[:_PLACES]) + (" and %d more" % more if more > 0 else "")


def _saw(one: Seen) -> str:
    place = " at " + one.where if one.where else ""
    return "seen%s: %s%s" % (place, one.evidence or one.text, follows(one))


def follows(one: Seen) -> str:
    """Return the clause on what differs only because of this: ``; 12 later lines follow ...``."""
    if not one.follows:
        return ""
    verb = "follows" if one.follows == 1 else "follow"
    return "; %s %s from it" % (plural(one.follows, "later line"), verb)


def _fixes(block: Block, style: Style) -> list[str]:
    fixes = [line for fix in block.fixes for line in fix.strip("\n").splitlines()]
    restores = list(block.restores)
    if len(fixes) == 1 and len(restores) == 1:
        return ["fix: %s" % style("%s   or   %s" % (fixes[0], restores[0]), "cyan")]
    labels = ["fix: "] + ["     "] * (len(fixes) - 1) if fixes else []
    labels += [(" or: " if fixes else "fix: ")] * len(restores)
    return [
        label + style(text, "cyan") for label, text in zip(labels, [*fixes, *restores], strict=True)
    ]


def _short(block: Block, style: Style) -> str:
    """Return a block in one line of a screen, its place before its words."""
    shown = block.where and block.where[0] not in block.title
    place = block.where[0] + "  " if shown else ""
    words = ": " + block.what[0] if block.what else ""
    if block.where and block.what:
        words = words.removesuffix(" at " + block.where[0])
    text = "%s%s%s" % (place, block.title, words)
    room = COLUMNS - len(block.effect) - 2
    text = text if len(text) <= room else text[: room - 3] + "..."
    return "%s  %s" % (_label(block, style), text)


def folded(groups: Groups) -> str:
    """Return what is not shown, in one line: a few names or counts; "" where there is nothing."""
    parts, more = [], ""
    versions = [one for one in groups.unknown if one.kind == "version"]
    others = [one for one in groups.unknown if one.kind != "version"]
    if 0 < len(groups.unknown) <= _NAMED:
        parts.append("no known effect: " + ", ".join(map(sentence, groups.unknown)))
    else:
        counts = [plural(len(versions), "version change")] if versions else []
        counts += [plural(len(others), "other difference")] if others else []
        parts += ["%s with no known effect" % " and ".join(counts)] if counts else []
        more = " (-v)" if counts else ""
    if groups.checked:
        text = "%s checked: no effect on your calls"
        parts.append(text % plural(len(groups.checked), "changed default"))
    if groups.harmless:
        parts.append("%s that cannot matter" % plural(len(groups.harmless), "change"))
    more = " (-v)" if groups.checked or groups.harmless else more
    return "; ".join(parts) + more


def unfolded(groups: Groups) -> list[str]:
    """Return what else is folded, a line each."""
    found = []
    for label, items in (
        ("no known effect", [_of_facet(one) for one in groups.unknown]),
        ("changed default, checked: no effect on your calls", list(groups.checked)),
        ("no effect", [_of_facet(one) for one in groups.harmless]),
    ):
        if items:
            found += [label + ":", *("  " + item for item in items)]
    return found


def _of_facet(one: Finding) -> str:
    return "[%s] %s" % (one.facet, ": ".join([sentence(one), *explanations(one)[:1]]))


def compared_line(facts: Mapping[str, Any], verbose: bool = True) -> str:
    """Return how many facts of each kind were compared and equal; their unit where verbose."""
    parts = [
        "%s %d/%d %s" % (name, one.equal, one.total, one.unit)
        if verbose and one.unit != name
        else "%s %d/%d" % (name, one.equal, one.total)
        for name, one in facts.items()
    ]
    return "compared (equal/all): " + (", ".join(parts) if parts else "nothing")


def calls_clause(
    coverage: Coverage | None, not_compared: Iterable[NotCompared], verbose: bool = True
) -> str:
    """Return how many call sites were compared, or why none was; "" where nobody tried.

    Interfaces that could not be compared are counted with them. Not ``verbose``: of the reason only
    what can be done about it, which comes last.
    """
    left = list(not_compared)
    interfaces = [one for one in left if one.facet == INTERFACES]
    known = plural(len(interfaces), "interface") if interfaces else ""
    if coverage is not None:
        missed = ", ".join("%d %s" % (count, why) for why, count in coverage.missed.items())
        sites = plural(coverage.sites, "call site")
        text = "calls compared: %d of %s" % (coverage.compared, sites)
        text += _GIVEN.get(coverage.mode, "")
        text += " (%s)" % missed if missed else ""
        text += ", " + coverage.short if coverage.short else ""
        return text + ("; %s not compared" % known if known else "")
    reasons = [one.reason for one in left if one.facet == CALLS]
    reasons = reasons or [one.reason for one in interfaces]
    if not reasons:
        return ""
    what = " and ".join(["calls"] * any(one.facet == CALLS for one in left) + [known] * bool(known))
    why = reasons[0] if verbose else reasons[0].rpartition("; ")[2]
    why = why if verbose or len(why) <= COLUMNS else why[: COLUMNS - 3] + "..."
    return "%s not compared (%s)" % (what, why)


def told_apart(items: Iterable[NotCompared]) -> list[NotCompared]:
    """Return ``items`` without those that `calls_clause` tells of."""
    return [one for one in items if one.facet not in (CALLS, INTERFACES)]


def not_compared_lines(items: Iterable[NotCompared], verbose: bool) -> list[str]:
    """Return what was not compared, one line; one line for each reason when ``verbose``."""
    by_reason: dict[str, list[str]] = {}
    for one in items:
        by_reason.setdefault(one.reason, []).append(one.what)
    texts = []
    for reason, whats in by_reason.items():
        names = whats if verbose else whats[:_REASONS]
        more = " and %d more" % (len(whats) - len(names)) if len(names) < len(whats) else ""
        texts.append("%s%s (%s)" % (", ".join(names), more, reason))
    if not texts:
        return []
    if verbose:
        return ["not compared:", *("  " + text for text in texts)]
    more = " and %d more (-v)" % (len(texts) - _REASONS) if len(texts) > _REASONS else ""
    return ["not compared: %s%s" % (", ".join(texts[:_REASONS]), more)]


def tally(findings: Iterable[Finding]) -> str:
    """Return ``1 known, 2 possible``: the effects that count, gravest first."""
    counts: dict[str, int] = {}
    for one in findings:
        counts[one.effect] = counts.get(one.effect, 0) + 1
    order = (BROKEN, KNOWN, POSSIBLE, UNKNOWN)
    return ", ".join("%d %s" % (counts[effect], effect) for effect in order if effect in counts)
