"""Blocks of a README in Markdown, reStructuredText or plain text, with their headings."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import NamedTuple

CODE, ITEM, ROW, TEXT = "code", "item", "row", "text"

OTHER_LANGUAGES = frozenset(
    "python py python3 pycon json yaml yml bibtex bib tex latex c cpp c++ java javascript js "
    "html xml "
    "css diff toml ini cfg r julia matlab sql mermaid csv dockerfile".split()
)
"""Of fenced code that is no shell and no list of requirements."""

LONGEST_LINE = 20_000
"""Characters; longer lines are no prose, and are cut there."""

_FENCE = re.compile(r"\s{0,12}(?:[-*+>]\s+)?(`{3,}|~{3,})\s*\{?\.?([\w+-]*)")
_HASH = re.compile(r"\s{0,3}(#{1,6})\s*(\S.*?)\s*#*\s*$")
_UNDERLINE = re.compile(r"([=\-~^\"'#*+.:_])\1{2,}\s*$")
_BOLD_TITLE = re.compile(
    r"\s*(?:\*\*|__)([^*_]{3,60})(?:\*\*|__)\s*:?\s*$|\s*<h[1-6][^>]*>([^<]{2,80})</h"
)
_ITEM = re.compile(r"\s*(?:[-*+•]|\d{1,3}[.)])\s+(?=\S)")
_DIRECTIVE = re.compile(r"\.\.\s+(?:code|code-block|sourcecode|parsed-literal)::\s*(\S*)")
_LINK = re.compile(
    r"\[([^\[\]]{0,300})\](?:\([^()\s]{0,1000}(?:\s[^()]{0,200})?\)|\[[^\[\]]{0,100}\])"
)
_IMAGE = re.compile(r"!\[([^\[\]]{0,300})\]\([^()]{0,1000}\)")
_TAG = re.compile(r"<[^<>]{1,1000}>")
_ADDRESS = re.compile(r"(?:https?|ftp|file)://[^\s<>)\"'`]+|\bwww\.[^\s<>)\"'`]+")
_RST_LINK = re.compile(r"`([^`<>]{1,200})<[^<>`]{1,500}>`__?")

_REQUIRED = re.compile(
    r"requirement|dependenc|prerequisite|pre-requisite|install|environment|set[- ]?up|"
    r"getting started|quick ?start|software|preparation|configuration|tested|packages|librar|"
    r"build|usage",
    re.IGNORECASE,
)
_ELSEWHERE = re.compile(
    r"\b(?:news|updates?|change ?log|changes|releases?|release notes|history|what'?s new|"
    r"citation|citing|"
    r"cite|bibtex|references?|licen[sc]e|results?|benchmarks?|faq|trouble ?shooting|"
    r"known issues|issues|"
    r"acknowledge?ments?|related|roadmap|to-?do|contributors?|contributing|authors?|contact|"
    r"migrat\w*|upgrad\w*|"
    r"deprecat\w*|legacy|older versions?|model zoo|pre-?trained models?|"
    r"abstract|overview of results|leaderboard|development)\b",
    re.IGNORECASE,
)


class Block(NamedTuple):
    """One block of text.

    lines: number and text of each. headings: those it stands below, the outermost first. intro:
    of items, code and rows, the text just before them. language: of code.
    """

    kind: str
    lines: list[tuple[int, str]]
    headings: tuple[str, ...]
    intro: str = ""
    language: str = ""


def is_required(titles: tuple[str, ...]) -> bool:
    """Return whether titles say that what stands below them is needed."""
    return any(_REQUIRED.search(one[-400:]) for one in titles)


def is_elsewhere(titles: tuple[str, ...]) -> bool:
    """Return whether titles say that what stands below them is of other times or other works."""
    return any(_ELSEWHERE.search(one[:200]) for one in titles[-2:]) and not (
        titles and _REQUIRED.search(titles[-1][:200])
    )


def plain(line: str, keep_cells: bool = False) -> str:
    """Return a line without marks, tags and addresses: links by their text, images not at all."""
    text = _IMAGE.sub(" ", line[:LONGEST_LINE])
    text = _LINK.sub(r"\1", text)
    text = _RST_LINK.sub(r"\1", text)
    text = _TAG.sub(" ", text)
    text = _ADDRESS.sub(" ", text)
    text = re.sub(r"[*`]|(?<!\w)_|_(?!\w)", "", text)
    if keep_cells:
        text = re.sub(r"\s*\|\s*", " ", text)
    return re.sub(r"[ \t\u00a0]+", " ", text.replace("\\", ""))


def blocks(text: str) -> Iterator[Block]:
    """Yield the blocks in order."""
    return iter(_Reader(text).all())


class _Reader:
    def __init__(self, text: str) -> None:
        self.lines = [line[:LONGEST_LINE] for line in text.split("\n")]
        self.at = 0
        self.titles: list[tuple[int, str]] = []
        self.marks: list[str] = []
        self.intro = ""
        self.found: list[Block] = []

    def all(self) -> list[Block]:
        """Return all blocks."""
        while self.at < len(self.lines):
            line = self.lines[self.at]
            if not line.strip():
                self.at += 1
            elif _FENCE.match(line):
                self.fenced()
            elif not self.title():
                self.other()
        return self.found

    def add(self, kind: str, lines: list[tuple[int, str]], language: str = "") -> None:
        titles = tuple(title for _, title in self.titles)
        self.found.append(Block(kind, lines, titles, self.intro, language))

    def fenced(self) -> None:
        """Take a block between fences; one without an end goes to the end of the file."""
        found = _FENCE.match(self.lines[self.at])
        mark, language = (found[1], found[2].lower()) if found else ("", "")
        self.at += 1
        inside = []
        while self.at < len(self.lines):
            line = self.lines[self.at]
            self.at += 1
            bare = line.strip()
            if bare.startswith(mark) and not bare.strip(mark[:1]):
                break
            inside.append((self.at, line))
        self.add(CODE, inside, language)

    def title(self) -> bool:
        """Take a heading, if there is one here."""
        line = self.lines[self.at]
        hashes = _HASH.match(line[:400])
        if hashes:
            self.put(len(hashes[1]), hashes[2])
            self.at += 1
            return True
        bold = _BOLD_TITLE.match(line[:400])
        if bold:
            self.put(7, bold[1] or bold[2])
            self.at += 1
            return True
        following = self.lines[self.at + 1] if self.at + 1 < len(self.lines) else ""
        under = _UNDERLINE.match(following[:400])
        if under and len(line.strip()) < 120 and not _ITEM.match(line) and "|" not in line:
            mark = under[1]
            if mark not in self.marks:
                self.marks.append(mark)
            self.put(self.marks.index(mark) + 1, line.strip())
            self.at += 2
            return True
        if _UNDERLINE.match(line[:400]):
            self.at += 1
            return True
        return False

    def put(self, level: int, title: str) -> None:
        """Set the heading of a level; those of the same and deeper ones end."""
        self.titles = [one for one in self.titles if one[0] < level]
        self.titles.append((level, plain(title).strip()))
        self.intro = ""

    def other(self) -> None:
        """Take an item, a row, indented code or a paragraph."""
        line = self.lines[self.at]
        number = self.at + 1
        if _DIRECTIVE.match(line):
            self.at += 1
            self.indented(line[:2000].rpartition("::")[2].strip().lower())
        elif _ITEM.match(line):
            inside = [(number, _ITEM.sub("", line, count=1))]
            self.at += 1
            while self.at < len(self.lines) and self.continues(self.lines[self.at]):
                inside.append((self.at + 1, self.lines[self.at]))
                self.at += 1
            self.add(ITEM, inside)
        elif line.lstrip().startswith("|"):
            self.at += 1
            self.add(ROW, [(number, line)])
            before = self.lines[self.at - 2] if self.at > 1 else ""
            if not before.lstrip().startswith("|"):
                self.intro = (self.intro + " " + line)[-400:]
        elif line.startswith(("    ", "\t")):
            self.indented("")
        else:
            inside = [(number, line)]
            self.at += 1
            while self.at < len(self.lines) and self.continues(self.lines[self.at]):
                if self.at + 1 < len(self.lines) and _UNDERLINE.match(
                    self.lines[self.at + 1][:400]
                ):
                    break
                inside.append((self.at + 1, self.lines[self.at]))
                self.at += 1
            self.add(TEXT, inside)
            self.intro = " ".join(text for _, text in inside)[-400:]

    def continues(self, line: str) -> bool:
        """Return whether a line belongs to the item or paragraph above it."""
        return bool(
            line.strip()
            and not _ITEM.match(line)
            and not _FENCE.match(line)
            and not _HASH.match(line[:400])
            and not line.lstrip().startswith("|")
        )

    def indented(self, language: str) -> None:
        """Take lines that are indented as code."""
        inside = []
        while self.at < len(self.lines):
            line = self.lines[self.at]
            if line.strip() and not line.startswith(("   ", "\t")):
                break
            self.at += 1
            if line.strip():
                inside.append((self.at, line))
        self.add(CODE, inside, language)
