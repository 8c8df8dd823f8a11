"""Findings as Markdown: a comment on a pull request, or the summary of a step on GitHub. Pure."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from typing import NamedTuple

from provenance.cli import findings
from provenance.cli.groups import Block, Groups, Seen, sentence
from provenance.cli.style import plural
from provenance.exports.markdown import escape

MOST_BLOCKS = 20
"""Blocks shown in full: a comment on GitHub holds 65,536 characters."""
_ADD = "add "
_MENTION = re.compile(r"(?<!\w)@(?=\w)")
_LINK = re.compile(r"^(.*?)\s*<(https?://[^\s<>\\]+)>$")
_TICKS = re.compile(r"`+")


class Section(NamedTuple):
    """One comparison to show.

    heading: who against whom. groups: the findings. compared: sentences on what was looked at.
    left_out: sentences on what was not. notes: anything else.
    """

    heading: str
    groups: Groups
    compared: tuple[str, ...] = ()
    left_out: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()


def document(title: str, sections: Iterable[Section]) -> str:
    """Return ``sections`` below ``title``, the verdict; ends with a newline."""
    parts = ["## %s" % text(title)]
    for section in sections:
        parts += _section(section)
    return "\n\n".join(parts) + "\n"


def _section(section: Section) -> list[str]:
    blocks = section.groups.blocks
    parts = [text(section.heading)] if section.heading else []
    parts += [_block(one) for one in blocks[:MOST_BLOCKS]]
    parts += _details("%d more" % (len(blocks) - MOST_BLOCKS), _heads(blocks[MOST_BLOCKS:]))
    unknown = ["%s: %s" % (one.facet, sentence(one)) for one in section.groups.unknown]
    parts += _details("%s with no known effect" % plural(len(unknown), "difference"), unknown)
    checked = section.groups.checked
    label = "%s checked: no effect on your calls" % plural(len(checked), "changed default")
    parts += _details(label, checked)
    harmless = ["%s: %s" % (one.facet, sentence(one)) for one in section.groups.harmless]
    parts += _details("%s that cannot matter" % plural(len(harmless), "change"), harmless)
    parts += [text(one) for one in section.compared]
    parts += _details("%d not compared" % len(section.left_out), section.left_out)
    return parts + ["Note: %s" % text(note) for note in section.notes]


def _heads(blocks: Sequence[Block]) -> list[str]:
    return ["%s: %s" % (one.effect, "; ".join((one.title, *one.what[:1]))) for one in blocks]


def _block(block: Block) -> str:
    lines = ["### %s: %s" % (block.effect.upper(), text(block.title)), ""]
    lines += ["%s  " % text(one) for one in block.what]
    items = ["at %s" % ", ".join(map(code, block.where[:4]))] if block.where else []
    items += [_saw(one) for one in block.seen[:4]]
    items += ["evidence: %s" % text(one) for one in block.evidence]
    items += ["source: %s" % _source(one) for one in block.sources]
    lines += ["", *("- " + item for item in items)] if items else []
    return "\n".join([*lines, *_fix(block)]).rstrip()


def _saw(one: Seen) -> str:
    place = " at " + code(one.where) if one.where else ""
    shown = code(one.evidence) if one.evidence else text(one.text)
    return "seen%s: %s%s" % (place, shown, findings.follows(one))


def _fix(block: Block) -> list[str]:
    """Return what to paste, in a block of code with a button to copy it."""
    add = bool(block.fixes) and all(fix.startswith(_ADD) for fix in block.fixes)
    fixes = [fix.removeprefix(_ADD) if add else fix for fix in block.fixes]
    shown = "\n".join(fixes or block.restores)
    if not shown:
        return []
    more = block.restores if block.fixes else ()
    fence = "`" * max([3, *(len(run) + 1 for run in _TICKS.findall(shown))])
    lines = ["", "To keep what was recorded%s:" % (", add" if add else ""), "", fence, shown, fence]
    return lines + (["", "or %s" % " or ".join(map(code, more))] if more else [])


def _details(label: str, items: Sequence[str]) -> list[str]:
    """Return ``items`` folded below ``label``; nothing where there are none."""
    if not items:
        return []
    rows = "\n".join("- " + text(one) for one in items)
    return ["<details><summary>%s</summary>\n\n%s\n\n</details>" % (label, rows)]


def _source(source: str) -> str:
    match = _LINK.match(source)
    return "[%s](<%s>)" % (text(match[1] or match[2]), match[2]) if match else text(source)


def text(words: str) -> str:
    """Return ``words`` to be shown as they are: no markup, no link, and nobody is notified."""
    return _MENTION.sub("@\u200b", escape(words))


def code(words: str) -> str:
    """Return ``words`` as a span of code, whatever is in them."""
    flat = " ".join("".join(c if c.isprintable() or c.isspace() else "?" for c in words).split())
    ticks = "`" * (max((len(run) for run in _TICKS.findall(flat)), default=0) + 1)
    space = " " if flat.startswith("`") or flat.endswith("`") else ""
    return "%s%s%s%s%s" % (ticks, space, flat, space, ticks) if flat else ""
