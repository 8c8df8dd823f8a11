"""The commands in a piece of shell script, with what is known of its variables put in.

This is no shell: it splits into commands and words as `sh` would, and keeps what it cannot know
(other substitutions, globs) as it is written, marked as open. It is linear in the text.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import NamedTuple

MOST_VALUE = 4096
"""Characters of one variable's value; longer ones count as unknown."""

MOST_PUT_IN = 1 << 20
"""Characters of all values put into one piece: ``A=$A$A`` doubles with each line."""

_PLAIN = re.compile(r"""[^\s'"\\$`;&|()<>#]+""")
_VARIABLE = re.compile(r"\$(?:([A-Za-z_]\w*)|\{([A-Za-z_]\w*)(?:(:?[-+])([^{}$`'\"\\]*))?\})")
_ASSIGNED = re.compile(r"[A-Za-z_]\w*=")
_OPENS = frozenset(("if", "case", "for", "while", "until"))
_CLOSES = frozenset(("fi", "esac", "done"))
_BEFORE = frozenset(("then", "do", "else", "elif", "!", "{", "}", "time", "exec", "command"))


class Word(NamedTuple):
    """One word. offset: of its begin in the text. open: it holds something that is not known.

    redirected: an unquoted < or > stands inside, which a shell takes for a file to write or read.
    """

    text: str
    offset: int
    open: bool = False
    redirected: bool = False


class Command(NamedTuple):
    """A simple command. sure: it does not depend on a condition (if, case, for, ||)."""

    words: tuple[Word, ...]
    sure: bool


def commands(text: str, values: Mapping[str, str]) -> Iterator[Command]:
    """Yield the commands in ``text``. values: of variables; assignments in the text add to them."""
    known = dict(values)
    depth = 0
    other = False
    for words, end in _split(text, known):
        kept = list(words)
        while kept and (kept[0].text in _BEFORE or kept[0].text in _OPENS | _CLOSES):
            first = kept.pop(0).text
            depth += 1 if first in _OPENS else -1 if first in _CLOSES and depth else 0
            if first in ("for", "case"):
                kept = []
        if kept and kept[0].text == "export":
            kept.pop(0)
        _assign(kept, known, depth == 0 and not other)
        if kept:
            yield Command(tuple(kept), depth == 0 and not other)
        other = end == "||"


def words(text: str, values: Mapping[str, str]) -> list[Word]:
    """Return all words of ``text``, assignments among them."""
    return [word for command, _ in _split(text, values) for word in command]


def _assign(words: list[Word], known: dict[str, str], sure: bool) -> None:
    """Take assignments off the begin of a command; they hold for what follows where it is sure."""
    while words and _ASSIGNED.match(words[0].text):
        one = words.pop(0)
        name, _, value = one.text.partition("=")
        if one.open or not sure or len(value) > MOST_VALUE:
            known.pop(name, None)
        else:
            known[name] = value


class _Cutter:
    """Where the cutting stands: the words of this command, and the word that is being put up."""

    def __init__(self, text: str, known: Mapping[str, str]) -> None:
        self.text, self.known = text, known
        self.words: list[Word] = []
        self.parts: list[str] = []
        self.begin = -1
        self.open = self.redirected = self.skip = False
        self.put_in = 0

    def add(self, part: str, at: int) -> None:
        if self.begin < 0:
            self.begin = at
        self.parts.append(part)

    def finish(self) -> None:
        """End the word, if there is one."""
        if self.begin < 0:
            return
        if not self.skip:
            word = Word("".join(self.parts), self.begin, self.open, self.redirected)
            self.words.append(word)
        self.parts, self.begin = [], -1
        self.open = self.redirected = self.skip = False

    def command(self) -> list[Word]:
        """End the command and return its words."""
        self.finish()
        words, self.words, self.skip = self.words, [], False
        return words

    def dollar(self, at: int, quoted: bool) -> int:
        """Take what begins with "$" or "`"; return the offset behind it."""
        found = _VARIABLE.match(self.text, at)
        if found:
            value = self._value(found)
            if value is None:
                self.open = True
                self.add(found[0], at)
            elif quoted:
                self.add(value, at)
            else:
                for number, part in enumerate(value.split()):
                    if number:
                        self.finish()
                    self.add(part, at)
            return found.end()
        end = _closed(self.text, at)
        if end > at + 1:
            self.open = True
        self.add(self.text[at : min(end, at + 200)], at)
        return end

    def _value(self, found: re.Match[str]) -> str | None:
        value = self.known.get(found[1] or found[2])
        if found[3] in (":-", "-") and not (value or (found[3] == "-" and value is not None)):
            value = found[4]
        elif found[3] in (":+", "+"):
            value = found[4] if value else ""
        if value is None or self.put_in + len(value) > MOST_PUT_IN:
            return None
        self.put_in += len(value)
        return value


def _closed(text: str, at: int) -> int:
    """Return the offset behind ``$(...)``, ``${...}`` or a pair of backticks that begins here."""
    if text[at] == "`":
        end = text.find("`", at + 1)
        return len(text) if end < 0 else end + 1
    pairs = {"(": ")", "{": "}"}
    opening = text[at + 1 : at + 2]
    if opening not in pairs:
        return at + 1
    depth, place = 0, at + 1
    for found in re.compile("[%s%s]" % (re.escape(opening), pairs[opening])).finditer(text, place):
        depth += 1 if found[0] == opening else -1
        if depth == 0:
            return found.end()
    return len(text)


def _split(text: str, known: Mapping[str, str]) -> Iterator[tuple[list[Word], str]]:
    cut = _Cutter(text, known)
    at, length = 0, len(text)
    while at < length:
        plain = _PLAIN.match(text, at)
        if plain:
            cut.add(plain[0], at)
            at = plain.end()
            continue
        char = text[at]
        if char in "'\"":
            at = _quoted(cut, at)
        elif char == "\\":
            if text[at + 1 : at + 2] not in ("\n", ""):
                cut.add(text[at + 1], at)
            at += 2
        elif char in "$`":
            at = cut.dollar(at, quoted=False)
        elif char == "#":
            if cut.begin < 0:
                end = text.find("\n", at)
                at = length if end < 0 else end
            else:
                cut.add(char, at)
                at += 1
        elif char in "<>":
            at = _arrow(cut, at)
        elif char in ";&|()\n":
            double = text[at : at + 2] in ("&&", "||", ";;")
            yield cut.command(), text[at : at + 1 + double]
            at += 1 + double
        else:
            cut.finish()
            at += 1
    yield cut.command(), ""


def _quoted(cut: _Cutter, at: int) -> int:
    """Take what stands in quotes; return the offset behind it."""
    text, quote = cut.text, cut.text[at]
    cut.add("", at)
    if quote == "'":
        end = text.find("'", at + 1)
        end = len(text) if end < 0 else end
        cut.add(text[at + 1 : end], at)
        return end + 1
    at += 1
    inside = re.compile(r'[^"\\$`]+')
    while at < len(text) and text[at] != '"':
        plain = inside.match(text, at)
        if plain:
            cut.add(plain[0], at)
            at = plain.end()
        elif text[at] == "\\":
            following = text[at + 1 : at + 2]
            if following != "\n":
                cut.add(following if following in '"\\$`' else "\\" + following, at)
            at += 2
        else:
            at = cut.dollar(at, quoted=True)
    return at + 1


def _arrow(cut: _Cutter, at: int) -> int:
    """Take a redirection away, but keep one that was meant as a version (``torch>=1.4``)."""
    text = cut.text
    following = text[at + 1 : at + 2]
    glued = cut.begin >= 0 and not (len(cut.parts) == 1 and cut.parts[0].isdigit())
    if glued and (following == "=" or following.isdigit()):
        cut.add(text[at], at)
        cut.redirected = True
        return at + 1
    if cut.begin >= 0 and not glued:
        cut.parts, cut.begin = [], -1
    cut.finish()
    at += 1
    while at < len(text) and text[at] in "<>&|-":
        at += 1
    while at < len(text) and text[at] in " \t":
        at += 1
    cut.skip = True
    return at
