"""The one sentence that a claim's ``holds`` may be: runs' metrics compared with each other.

::

    holds    = sum (("<" | "<=" | ">" | ">=" | "==" | "=") sum)+
    sum      = term (("+" | "-") term)*
    term     = factor (("*" | "/") factor)*
    factor   = "-" factor | "(" sum ")" | NUMBER ["points"] | FUNCTION "(" sum ("," sum)* ")"
             | RUN ":" METRIC
    FUNCTION = mean | median | max | min | std | abs | best | last | count

RUN and METRIC are words; one with other characters stands in double quotes. Within a word ``-``,
``*`` and ``/`` belong to the word (``seed-*:val/acc``); as signs they stand apart. The text is
parsed into values and never run as code.
"""

from __future__ import annotations

import re
from decimal import Decimal
from typing import NamedTuple

FUNCTIONS = ("mean", "median", "max", "min", "std", "abs", "best", "last", "count")
COMPARISONS = ("<=", ">=", "==", "<", ">", "=", "\u2264", "\u2265")
LONGEST, DEEPEST = 600, 40
"""Characters of a sentence, and brackets within brackets."""

_WORD = r'(?:"[^"\n]*"|[^\s:"\'()<>=!+,\u2264\u2265]+)'
_OF = re.compile(r"(%s):(%s)" % (_WORD, _WORD))
_NUMBER = re.compile(r"(?:\d+(?:\.\d*)?|\.\d+)(?:[eE][+-]?\d{1,3})?")
_NAME = re.compile(r"[A-Za-z_]+")
_SIGN = re.compile(r"<=|>=|==|[<>=+\-*/(),\u2264\u2265]")
_POINTS = re.compile(r"\s*(?:points?|pp)(?![\w:])")


class Number(NamedTuple):
    """A number. points: it is of percentage points."""

    value: Decimal
    points: bool = False


class Of(NamedTuple):
    """A metric of the runs that a name means."""

    run: str
    metric: str


class Call(NamedTuple):
    """A function of `FUNCTIONS` with its arguments."""

    function: str
    arguments: tuple[Node, ...]


class Binary(NamedTuple):
    """Two terms and the sign between them."""

    sign: str
    left: Node
    right: Node


Node = Number | Of | Call | Binary


class Sentence(NamedTuple):
    """Terms with a comparison between each and the next: ``a > b > c``. text: as written."""

    text: str
    terms: tuple[Node, ...]
    signs: tuple[str, ...]

    @property
    def names(self) -> tuple[Of, ...]:
        """All metrics that it speaks of, in order, each once."""
        return tuple(dict.fromkeys(one for term in self.terms for one in _names(term)))


class _Token(NamedTuple):
    kind: str  # "number", "of", "name", "sign", "end"
    text: str
    at: int
    node: Node | None = None


class NotASentence(ValueError):
    """The text is none. The message says what was expected at which column."""


def parse(text: str) -> Sentence:
    """Return what ``text`` says. Raises `NotASentence`."""
    if len(text) > LONGEST:
        raise NotASentence("it is longer than %d characters" % LONGEST)
    return _Parser(_tokens(text), text).sentence()


def _names(node: Node) -> list[Of]:
    if isinstance(node, Of):
        return [node]
    if isinstance(node, Call):
        return [one for part in node.arguments for one in _names(part)]
    if isinstance(node, Binary):
        return _names(node.left) + _names(node.right)
    return []


def _tokens(text: str) -> list[_Token]:
    found: list[_Token] = []
    at = 0
    while at < len(text):
        if text[at].isspace():
            at += 1
            continue
        token, end = _token(text, at)
        found.append(token)
        at = end
    return [*found, _Token("end", "the end", len(text))]


def _token(text: str, at: int) -> tuple[_Token, int]:
    match = _OF.match(text, at) if text[at] not in "-*/" else None
    if match:
        run, metric = (part[1:-1] if part[0] == '"' else part for part in match.groups())
        if not run or not metric:
            raise _expected("a run and a metric (baseline:test.acc)", match[0], at)
        return _Token("of", match[0], at, Of(run, metric)), match.end()
    match = _NUMBER.match(text, at)
    if match:
        after = _POINTS.match(text, match.end())
        number = Number(Decimal(match[0]), after is not None)
        return _Token("number", match[0], at, number), (after or match).end()
    match = _NAME.match(text, at)
    if match:
        return _Token("name", match[0], at), match.end()
    match = _SIGN.match(text, at)
    if match:
        return _Token("sign", match[0], at), match.end()
    raise _expected("a number, RUN:METRIC or a sign", text[at], at)


def _expected(what: str, found: str, at: int) -> NotASentence:
    return NotASentence("expected %s, found %.40s at column %d" % (what, found, at + 1))


class _Parser:
    def __init__(self, tokens: list[_Token], text: str) -> None:
        self.tokens, self.text = tokens, text
        self.at = self.depth = 0

    @property
    def now(self) -> _Token:
        return self.tokens[self.at]

    def take(self, *signs: str) -> str | None:
        if self.now.kind == "sign" and self.now.text in signs:
            self.at += 1
            return self.tokens[self.at - 1].text
        return None

    def sentence(self) -> Sentence:
        terms, signs = [self.sum()], list[str]()
        while sign := self.take(*COMPARISONS):
            signs.append({"=": "==", "\u2264": "<=", "\u2265": ">="}.get(sign, sign))
            terms.append(self.sum())
        if self.now.kind != "end" or not signs:
            what = "one of < <= > >= ==" if not signs else "an operator or the end"
            raise _expected(what, self.now.text, self.now.at)
        return Sentence(self.text.strip(), tuple(terms), tuple(signs))

    def sum(self) -> Node:
        node = self.term()
        while sign := self.take("+", "-"):
            node = Binary(sign, node, self.term())
        return node

    def term(self) -> Node:
        node = self.factor()
        while sign := self.take("*", "/"):
            node = Binary(sign, node, self.factor())
        return node

    def factor(self) -> Node:
        self.depth += 1
        if self.depth > DEEPEST:
            raise NotASentence("it is nested more than %d deep" % DEEPEST)
        node = self.inner()
        self.depth -= 1
        return node

    def inner(self) -> Node:
        token = self.now
        if self.take("-"):
            return Binary("-", Number(Decimal(0)), self.factor())
        if self.take("("):
            node = self.sum()
            self.close()
            return node
        if token.node is not None:
            self.at += 1
            return token.node
        if token.kind == "name":
            return self.call(token)
        raise _expected("a number or RUN:METRIC", token.text, token.at)

    def call(self, token: _Token) -> Node:
        self.at += 1
        if not self.take("("):
            raise _expected("RUN:METRIC (baseline:test.acc)", token.text, token.at)
        if token.text not in FUNCTIONS:
            raise _expected("one of %s" % ", ".join(FUNCTIONS), token.text, token.at)
        arguments = [self.sum()]
        while self.take(","):
            arguments.append(self.sum())
        self.close()
        if token.text in ("best", "last", "count") and not isinstance(arguments[0], Of):
            raise _expected("RUN:METRIC in %s()" % token.text, "something else", token.at)
        if token.text in ("best", "last", "count", "abs") and len(arguments) > 1:
            raise _expected("one argument of %s()" % token.text, "several", token.at)
        return Call(token.text, tuple(arguments))

    def close(self) -> None:
        if not self.take(")"):
            raise _expected("')'", self.now.text, self.now.at)
