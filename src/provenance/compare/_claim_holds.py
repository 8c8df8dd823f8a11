"""Whether a claim's sentence is true of the values that runs have."""

from __future__ import annotations

import decimal
from collections.abc import Callable, Sequence
from decimal import Decimal
from typing import NamedTuple

from provenance.compare._claim_grammar import Binary, Call, Node, Number, Of, Sentence
from provenance.compare._claim_numbers import shown

LAST, BEST = "last", "best"
_DIGITS = 50


class Value(NamedTuple):
    """A metric of one run. run: its id. unit: "%" or ""."""

    run: str
    number: Decimal
    unit: str = ""


class Found(NamedTuple):
    """What a name and a metric mean; why: in a clause, where that is nothing."""

    values: tuple[Value, ...] = ()
    why: str = ""


Look = Callable[[str, str, str], Found]
"""Gives the values of a run's name, a metric, and "last", "best", "max" or "min" of its series."""


class Cannot(Exception):
    """The sentence has no truth value here. The message says why, in a clause."""


class Held(NamedTuple):
    """Whether a sentence is true. least: the smallest margin, negative where it is not true.

    sides: each term with its value, in the order of the sentence. signs: between them. note: how
    units were made to agree.
    """

    true: bool
    least: Decimal
    sides: tuple[Decimal, ...]
    signs: tuple[str, ...]
    note: str = ""

    def __str__(self) -> str:
        """Return the sentence with its values: "92.3 >= 92.2"."""
        parts = [shown(self.sides[0])]
        for sign, side in zip(self.signs, self.sides[1:], strict=True):
            parts += [sign, shown(side)]
        return " ".join(parts)


def held(sentence: Sentence, look: Look, slack: Decimal = Decimal(0)) -> Held:
    """Return whether ``sentence`` is true, by at most ``slack`` too little. Raises `Cannot`."""
    read = _Reader(look)
    for term in sentence.terms:
        read.all(term)
    read.settle()
    with decimal.localcontext() as context:
        context.prec = _DIGITS
        try:
            sides = tuple(_one(read.value(term)) for term in sentence.terms)
        except (decimal.DivisionByZero, decimal.InvalidOperation, decimal.Overflow) as error:
            raise Cannot("it divides by 0 or leaves the numbers that there are") from error
        margins = [
            _margin(one, sign, other)
            for one, sign, other in zip(sides, sentence.signs, sides[1:], strict=False)
        ]
        true = all(
            margin + slack >= 0 if "=" in sign or slack else margin > 0
            for margin, sign in zip(margins, sentence.signs, strict=True)
        )
    return Held(true, min(margins), sides, sentence.signs, read.note)


def _margin(one: Decimal, sign: str, other: Decimal) -> Decimal:
    if sign == "==":
        return -abs(one - other)
    return one - other if ">" in sign else other - one


class _Reader:
    """Looks every name up once, brings the values to one unit, and computes."""

    def __init__(self, look: Look) -> None:
        self.look = look
        self.known: dict[tuple[Of, str], list[Value]] = {}
        self.note = ""
        self.point = Decimal(1)

    def all(self, node: Node, at: str = LAST) -> None:
        if isinstance(node, Of):
            found = self.look(node.run, node.metric, at)
            if found.why:
                raise Cannot(found.why)
            self.known[node, at] = list(found.values)
        elif isinstance(node, Call):
            for part in node.arguments:
                self.all(part, node.function if node.function in (BEST, LAST) else at)
        elif isinstance(node, Binary):
            self.all(node.left, at)
            self.all(node.right, at)

    def settle(self) -> None:
        """Bring per cent and shares of 1 together; find out what a percentage point is."""
        every = [one for values in self.known.values() for one in values]
        shares = [one for one in every if not one.unit and abs(one.number) <= 1]
        if every and len(shares) == len(every):
            self.point = Decimal("0.01")
        elif shares and any(one.unit == "%" for one in every):
            self.note = "shares of 1 taken as per cent"
            for key, values in self.known.items():
                self.known[key] = [
                    one._replace(number=one.number.scaleb(2)) if one in shares else one
                    for one in values
                ]

    def value(self, node: Node, at: str = LAST) -> Decimal | list[Decimal]:
        if isinstance(node, Number):
            return node.value * self.point if node.points else node.value
        if isinstance(node, Of):
            return [one.number for one in self.known[node, at]]
        if isinstance(node, Call):
            return self.called(node, at)
        return self.computed(node, at)

    def computed(self, node: Binary, at: str) -> Decimal:
        left, right = _one(self.value(node.left, at)), _one(self.value(node.right, at))
        if node.sign == "+":
            return left + right
        if node.sign == "-":
            return left - right
        return left * right if node.sign == "*" else left / right

    def called(self, node: Call, at: str) -> Decimal | list[Decimal]:
        name = node.function
        if name in (BEST, LAST):
            return self.value(node.arguments[0], name)
        parts = [self.value(part, at) for part in node.arguments]
        numbers = [one for part in parts for one in (part if isinstance(part, list) else [part])]
        if name == "abs":
            return abs(_one(parts[0]))
        return over(name, numbers)


def over(name: str, numbers: Sequence[Decimal]) -> Decimal:
    """Return mean, median, max, min, std (of a sample) or count of ``numbers``. Raises `Cannot`."""
    if name == "count":
        return Decimal(len(numbers))
    if not numbers:
        raise Cannot("%s() of nothing" % name)
    if name == "max":
        return max(numbers)
    if name == "min":
        return min(numbers)
    if name == "median":
        return _median(numbers)
    mean = sum(numbers, Decimal(0)) / len(numbers)
    if name == "mean":
        return mean
    if len(numbers) < 2:
        raise Cannot("std() needs two runs or more, there is one")
    spread = sum(((one - mean) ** 2 for one in numbers), Decimal(0)) / (len(numbers) - 1)
    return spread.sqrt()


def _median(numbers: Sequence[Decimal]) -> Decimal:
    ordered = sorted(numbers)
    middle = len(ordered) // 2
    return ordered[middle] if len(ordered) % 2 else (ordered[middle - 1] + ordered[middle]) / 2


def _one(value: Decimal | list[Decimal]) -> Decimal:
    if not isinstance(value, list):
        return value
    if len(value) != 1:
        text = "a name means %d runs where one value is needed: say mean(), max() or min() of them"
        raise Cannot(text % len(value))
    return value[0]
