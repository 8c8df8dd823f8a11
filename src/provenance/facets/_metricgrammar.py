"""What the numbers on a line of output are, judged from the words around them.

A line is cut at its numbers. The pieces of text in between are its *form*; lines of one form are
judged once, for training programs print few forms many times. Each number gets a `Part` or none:
no versions, dates, addresses, shapes, sizes, settings and arguments of calls.
"""

from __future__ import annotations

import re
from typing import List, NamedTuple, Optional, Tuple

from provenance.facets import _metricnames as names

NUMBER = re.compile(
    r"(?<![\w.@#^])(?<![A-Za-z]-)"
    r"([-+]?(?:\d{1,3}(?:,\d{3})+(?![\d,])(?:\.\d+)?|\d+(?:\.\d*)?(?:[eE][-+]?\d+)?"
    r"|\.\d+(?:[eE][-+]?\d+)?|(?:[nN]a[nN]|NAN|[iI]nf(?:inity)?|INF)(?!\w)))"
)

COUNTER, POSITION, TOTAL, STRONG, WEAK, TIMING, ITEM, SPREAD, PERCENT = range(9)


class Part(NamedTuple):
    """What one number is. at: its place among the numbers of the line.

    role: COUNTER (how far the program is), POSITION and TOTAL (3 and 10 of ``3/10``), STRONG (a
    result by its name), WEAK (a result if the line counts and it varies), TIMING, ITEM (one more
    of the list that the part before began), SPREAD (the deviation of the number before), PERCENT
    (the number before in percent). listed: whether a COUNTER stands in a list of names and values.
    """

    role: int
    at: int
    name: str = ""
    unit: str = ""
    listed: bool = False


Plan = Tuple[Part, ...]

_SEPARATOR = re.compile(r"\s*(?::|=|->|=>|→|≈)\s*$")
_WRAPPER = re.compile(
    r"(?:\b(?:np|numpy|jnp|torch|tf|cp)\.\w+\(\[*|\b(?:tensor|array|Array|Tensor)\(\[*"
    r"|['\"]|\[+)\s*$"
)
_FILLER = re.compile(r"\s+(?:is|was|are|of|at|equals|reached|=)\s*:?\s*$", re.I)
_DELIMITER = re.compile(
    r"[,;|(){}\[\]\t\"<>!?│┃║]+|\s+[-\u2013\u2014•*~]+\s+|\s{2,}|[:=]\s+|\.\s+|[━█▏▎▍▌▋▊▉#*\-=]{2,}"
)
_PLAIN_NAME = re.compile(r"[A-Za-z_][\w .@/%^²'&+*-]*$")
_ABBREVIATION = re.compile(
    r"\s\([A-Za-z][\w²^.@-]{0,11}\)(?=\s+(?:on|of|for|in|over|at|after|with)\b)", re.I
)
_SHORTENED = re.compile(r"(?<!\w)(adj|avg|max|min|std|val|pred|tot|rel|abs)\.\s+(?=[A-Za-z])", re.I)
"""Words whose full stop ends no sentence: ``Adj. R-squared``."""
_PREPOSITIONS = frozenset(
    "of on for over in after with without at using before between when".split()
)
_ARTICLE = re.compile(r"^(?:the|a|an|our|your|and|with|on|in|got|=|-)\s+", re.I)
_ATTACHED = re.compile(r"^[A-Za-zµ°%][\w/µ°%]*")
_UNIT = re.compile(r"(%)|([A-Za-zµ°][\w/µ°]*)")
_SPACED_UNIT = re.compile(
    r"\s(%)(?!\w)|\s((?:seconds?|secs?|s|ms|minutes?|mins?|hours?|it/s|s/it|MB|GB|KB|MiB|GiB)\b"
    r"|\w+/s(?:ec)?\b)"
)
_FRACTION = re.compile(r"\s*(?:/|of|out of)\s*$")
_SPREAD = re.compile(r"\s*\(?\s*(?:\+/-|\+-|±|\+)\s*$")
_GLUED = (":", "-", ".", "x", "\u00d7", "*", "_", "\u2013", "..", ", -", "e", ":0")
_LABEL = re.compile(
    r"(?<![A-Za-z_\-/.])(training|train|learn|validation|valid|val|dev|evaluation|eval|testing|test)"
    r"(?:[ _](?:set|results?|metrics?|data|summary|split|performance|error|phase))*"
    r"(?:\s*[:\])|>(](?=.)|\s+[-\u2013\u2014]\s|\s+[Ee]poch)",
    re.I,
)
_SKIPPED = re.compile(r"warning|traceback|^\s*File \"|\bimproved? from\b|\busage:", re.I)
_JOINING = frozenset(
    (
        "avg average mean best final total top macro micro balanced learning overall weighted "
        "explained f1 global running log reconstruction squared absolute root success error win"
    ).split()
)
"""Words that belong to the measure after them: ``mean squared error``."""

_ROUND = "round"
_CLOCKS = frozenset("time mfu throughput latency eta elapsed speed fps batch ups wps".split())
"""Last words of times and rates that are printed with nothing but a blank before the number."""

_VARIABLE = re.compile(r"[A-Z][A-Z0-9]*(?:_[A-Z0-9]+)+$")
"""An environment variable, unless all its words are of a measure: ``VAL_LOSS``."""

_LONGEST_NAME = 70


def plan(pieces: Tuple[str, ...]) -> Plan:
    """Return the parts of a line of this form; ``pieces`` are the texts around its numbers."""
    whole = "0".join(pieces)
    if _SKIPPED.search(whole):
        return ()
    judge = _Judge(pieces)
    return tuple(judge.parts())


class _Name(NamedTuple):
    """The name before a number.

    strong: whether ``:`` or ``=`` stands between. listing: whether the number begins a list.
    """

    text: str
    strong: bool
    listing: bool = False


class _Judge:
    """Walks over the numbers of one form from left to right."""

    def __init__(self, pieces: Tuple[str, ...]) -> None:
        self.pieces = pieces
        self.count = len(pieces) - 1
        self.found: List[Part] = []
        self.split = ""
        self.values = 0

    def parts(self) -> List[Part]:
        """Return the parts that were recognised."""
        junk = self._junk()
        index = 0
        while index < self.count:
            left = self.pieces[index]
            labels = _LABEL.findall(left)
            if labels:
                self.split = labels[-1].lower()
            if index not in junk and not self._follows(index):
                self._named(index)
            index += 1
        return self.found

    def _junk(self) -> "set[int]":
        """Return the numbers that are parts of dates, times, versions, addresses and shapes."""
        found = set()
        for index in range(1, self.count):
            if self.pieces[index] in _GLUED:
                found |= {index - 1, index}
        for index in range(self.count):
            after = self.pieces[index + 1]
            if after[:1] in ("_", ".") and after[1:2].isalnum():
                found.add(index)
        return found

    def _follows(self, index: int) -> bool:
        """Note the number if it only says more of the one before it."""
        between = self.pieces[index]
        last = self.found[-1] if self.found else None
        if index and _FRACTION.match(between):
            if last is not None and last.at == index - 1:
                if last.role in (COUNTER, POSITION, STRONG, WEAK):
                    self.found.append(Part(TOTAL, index))
            else:
                self.found += [Part(POSITION, index - 1), Part(TOTAL, index)]
            return True
        if last is None or last.at != index - 1:
            return False
        if _SPREAD.match(between) and last.role in (STRONG, WEAK):
            self.found.append(Part(SPREAD, index, last.name, last.unit))
            return True
        if last.role == ITEM and re.match(r"\)?,?\s*(?:np\.\w+\(|tensor\()?$", between):
            self.found.append(Part(ITEM, index, last.name, last.unit))
            return True
        if last.role == TOTAL and between.strip() == "(" and self.pieces[index + 1][:1] == "%":
            self.found.append(Part(PERCENT, index))
            return True
        return False

    def _named(self, index: int) -> None:
        if self._bare_counter(index):
            return
        found = _name_of(_ATTACHED.sub("", self.pieces[index], 1) if index else self.pieces[0])
        if found is None or self._in_call(index):
            return
        unit, time = _unit_of(self.pieces[index + 1])
        name = self._with_split(found.text)
        role = _role(found, unit, time)
        if role is None:
            return
        if role == WEAK and self._boosts():
            role = STRONG
        if role == COUNTER:
            self._counter(index, found)
            return
        if role == STRONG and found.listing:
            role = ITEM
        if role in (STRONG, WEAK, ITEM):
            self.values += 1
        use_name = name if role in (STRONG, ITEM) else _tidy(found.text)
        self.found.append(Part(role, index, use_name, "%" if unit == "%" else ""))

    def _boosts(self) -> bool:
        """Return whether the line is one of boosting libraries: ``[20]  name:number ...``."""
        return bool(self.found) and self.found[0].name == _ROUND

    def _counter(self, index: int, found: _Name) -> None:
        if self.values and not found.strong:
            return
        split = names.split_of(found.text)
        if split and not self.split:
            self.split = found.text.split()[0].lower()
        self.found.append(Part(COUNTER, index, found.text, listed=found.strong))

    def _bare_counter(self, index: int) -> bool:
        """Note ``[10]`` and ``10:`` at the beginning of a line, and ``[1, 200]``."""
        if index > 1 or self.count < 2:
            return False
        left, right = self.pieces[index], self.pieces[index + 1]
        if index == 0 and left.strip() == "[" and re.match(r"\][\s:]+\S", right):
            self.found.append(Part(COUNTER, 0, _ROUND))
            return True
        if index == 0 and not left.strip() and re.match(r":\s+\w", right):
            self.found.append(Part(COUNTER, 0, "iteration"))
            return True
        if index == 0 and left.strip() == "[" and re.match(r",\s*$", right):
            closed = self.count > 2 and self.pieces[2].startswith("]")
            if closed:
                self.found.append(Part(COUNTER, 0, "epoch"))
            return closed
        begun = index == 1 and self.found and self.found[-1].name == "epoch"
        if begun and self.pieces[0].strip() == "[" and right.startswith("]"):
            self.found.append(Part(COUNTER, 1, "batch"))
            return True
        return False

    def _in_call(self, index: int) -> bool:
        """Return whether the number is an argument in something like ``Adam(lr=0.1)``."""
        before = "0".join(self.pieces[: index + 1])
        before = _WRAPPER.sub("", before.rstrip())
        depth = 0
        for place in range(len(before) - 1, -1, -1):
            if before[place] == ")":
                depth += 1
            elif before[place] == "(":
                if depth == 0:
                    return place > 0 and (before[place - 1].isalnum() or before[place - 1] == "_")
                depth -= 1
        return False

    def _with_split(self, text: str) -> str:
        name = _tidy(text)
        if self.split and names.split_of(name) is None:
            return "%s/%s" % (self.split, name)
        return name


def _name_of(left: str) -> Optional[_Name]:
    """Return the name at the end of ``left``, None where there is none."""
    text = left.rstrip()
    listing = False
    for _ in range(4):
        match = _WRAPPER.search(text)
        if match is None:
            break
        listing = listing or "[" in match.group()
        text = text[: match.start()].rstrip()
    strong = _SEPARATOR.search(text)
    if strong is None and text != left.rstrip():
        return None
    if strong is None and not left.endswith((" ", "\t")):
        return None
    if strong is None:
        bar = re.search(r"[^\s|│┃]\s*[|│┃]$", text)
        if bar is not None:
            strong = re.compile(r"\s*[|│┃]$").search(text)
    body = text[: strong.start()] if strong else text
    filler = _FILLER.search(body + " ")
    if filler is not None:
        body = body[: filler.start()]
    return _cut(body.rstrip(), strong is not None, listing, filler is not None)


def _cut(body: str, strong: bool, listing: bool, filled: bool) -> Optional[_Name]:
    if body[-1:] in ("'", '"'):
        begin = body.rfind(body[-1], 0, -1)
        text = body[begin + 1 : -1] if begin >= 0 else ""
        return _Name(text, strong, listing) if text.strip() else None
    bracket = re.search(r"\s?[(\[]\s*%?\s*[\w/ ]{0,12}[)\]]$", body)  # "Accuracy (%)", "loss (avg)"
    if bracket is not None and bracket.start():
        body = body[: bracket.start()]
    segment = body = _SHORTENED.sub(r"\1 ", _ABBREVIATION.sub("", body))
    for match in _DELIMITER.finditer(body):
        if match.end() <= len(body) and body[match.end() :].strip():
            segment = body[match.end() :]
    segment = segment.strip(" .:-*>#|")
    while True:
        shorter = _ARTICLE.sub("", segment)
        if shorter == segment:
            break
        segment = shorter
    if not segment or not _PLAIN_NAME.match(segment) or len(segment) > _LONGEST_NAME:
        return None
    last = segment.split()[-1]
    if _VARIABLE.match(last) and not all(map(_joins, last.split("_"))):
        return None
    if strong:
        return _Name(segment, True, listing)
    if last.lower() in _PREPOSITIONS:  # what is counted comes after: "score with 2 components"
        return None
    short = _last_words(segment, filled)
    return _Name(short, False, listing) if short else None


def _last_words(segment: str, filled: bool) -> str:
    """Return the words at the end that are a name by themselves: ``test loss`` of a sentence."""
    parts = segment.split()
    if filled and names.has_measure(segment) and len(parts) <= 8 and names.is_measure(parts[0]):
        return segment
    last = parts[-1]
    if not (names.is_measure(last) or names.is_counter(last) or names.is_rate(last)):
        two = " ".join(parts[-2:])
        if not (names.is_measure(two) or names.is_rate(two) or names.is_timing(last)):
            return ""
    keep = 1
    while keep < min(len(parts), 4) and _joins(parts[-keep - 1]):
        keep += 1
    before = parts[-keep - 1].lower() if keep < len(parts) else ""
    if before in ("from", "to", "than", "by", "no", "without", "--"):
        return ""
    return " ".join(parts[-keep:])


def _joins(word: str) -> bool:
    return word.lower() in _JOINING or names.split_of(word) is not None or names.is_measure(word)


def _unit_of(right: str) -> Tuple[str, bool]:
    """Return the unit that follows a number, and whether it is one of time, rate or size."""
    match = _UNIT.match(right) or _SPACED_UNIT.match(right)
    if match is None:
        return "", False
    unit = match.group(1) or match.group(2)
    if unit in ("%", "dB", "pt", "pts", "eV"):
        return unit, False
    return unit, True


def _role(found: _Name, unit: str, time: bool) -> Optional[int]:
    text = found.text
    parts = text.split()
    if time:
        fits = names.TIME_UNITS.fullmatch(unit) is not None and len(parts) <= 3
        return TIMING if (fits and found.strong) or (fits and names.is_timing(text)) else None
    if names.is_counter(text) and len(parts) <= 4:
        return COUNTER
    if names.is_timing(text):
        known = found.strong or names.words(text)[-1] in _CLOCKS
        return TIMING if known and len(parts) <= 4 else None
    if names.is_measure(text) and len(parts) <= 8:
        return STRONG
    if len(parts) > 2 and names.has_measure(text) and _prose(parts):
        return STRONG
    if names.is_setting(text) or len(parts) > 3 or ".py" in text:
        return None
    return WEAK if found.strong or names.is_rate(text) else None


def _prose(parts: List[str]) -> bool:
    """Return whether a phrase is of the kind ``accuracy on the test set``."""
    measured = [place for place, word in enumerate(parts) if names.is_measure(word)]
    first = next((place for place in measured if place + 1 not in measured), -1)
    follows = [word.lower() for word in parts[first + 1 :]] if measured else []
    return bool(follows) and follows[0] in _PREPOSITIONS


def _tidy(text: str) -> str:
    """Return a name as it is kept: ``training's auc`` and ``train loss`` with a slash."""
    text = re.sub(r"\s+", " ", text.strip(" '\""))
    text = re.sub(r"^(\w+)'s (?=\w)", r"\1/", text)
    first, _, rest = text.partition(" ")
    if rest and names.split_of(first) and names.split_of(rest) is None and len(rest.split()) <= 3:
        return "%s/%s" % (first.lower(), rest)
    return text
