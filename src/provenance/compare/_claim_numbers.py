"""Numbers as a paper prints them: the digits as written, unit and spread, and what is tolerated.

All is decimal: 91.65 is half a digit from 91.7, which binary floats do not say.
"""

from __future__ import annotations

import math
import re
from decimal import Decimal
from typing import NamedTuple

from provenance.facets import _metricnames

_DIGITS = r"(?:\d{1,3}(?:[,_\u00a0\u202f ]\d{3})+|\d+)"
_NUMBER = r"[+\-\u2212]?(?:%s(?:\.\d*)?|\.\d+)(?:[eE][+-]?\d{1,4})?" % _DIGITS
_PRINTED = re.compile(
    r"\s*(?P<value>%s)\s*(?P<unit>%%|[kMB](?!\w))?\s*"
    r"(?:(?:\u00b1|\+/-|\+-)\s*(?P<spread>%s)\s*%%?\s*)?" % (_NUMBER, _NUMBER)
)
_TOLERANCE = re.compile(r"\s*(?:\u00b1|\+/-)?\s*(?P<value>%s)\s*(?P<unit>%%)?\s*" % _NUMBER)
_SEPARATORS = re.compile("[,_\u00a0\u202f ]")
_FACTORS = {"k": 3, "M": 6, "B": 9}
_LONGEST = 100
"""Characters of a number as it is written."""
_FARTHEST = 400
"""The greatest power of ten of a number that is taken; floats end at 308."""
_BITS = 1300
"""Of an integer of that size; Python refuses to spell very large ones."""
_SHARES = frozenset(
    "acc accuracy accuracies precision recall f1 fscore auc auroc auprc aucpr roc ap map miou iou "
    "jaccard dice top1 top5 kappa sensitivity specificity hits hitrate coverage success winrate "
    "tpr tnr fpr fnr error err errors wer cer eer em uas las exact match".split()
)
"""Words of metrics that papers print in per cent and programs often give as a share of 1."""


class Printed(NamedTuple):
    """A number as it is printed.

    text: as written. value, half: the number, and half of its last printed digit. unit: "%" or "".
    spread: what stands after the sign ±, None without one; spread_half: as ``half``.
    """

    text: str
    value: Decimal
    half: Decimal
    unit: str = ""
    spread: Decimal | None = None
    spread_half: Decimal = Decimal(0)

    @property
    def plain(self) -> str:
        """The number alone, without its spread."""
        return re.split("\u00b1|\\+/-|\\+-", self.text)[0].strip()


class Allowed(NamedTuple):
    """How far a value may lie from what is printed. amount: in its unit. source: who says so."""

    amount: Decimal
    source: str
    chosen: bool = False


class Measured(NamedTuple):
    """A recorded value in the unit that is printed. note: how it was converted, in a clause."""

    value: Decimal
    note: str = ""


def printed(text: str) -> Printed:
    """Return what ``text`` prints: "91.7", "91.7 %", "1e-4", "50,000", "92.1 ± 0.3", "0.27M".

    Raises ValueError with what it is not.
    """
    match = _PRINTED.fullmatch(text) if len(text) <= _LONGEST else None
    if match is None:
        raise ValueError("%.40r is no number" % text)
    factor = _FACTORS.get(match["unit"] or "", 0)
    value, half = _decimal(match["value"], factor)
    unit = "%" if match["unit"] == "%" else ""
    if match["spread"] is None:
        return Printed(text.strip(), value, half, unit)
    spread, spread_half = _decimal(match["spread"], factor)
    return Printed(text.strip(), value, half, unit, spread, spread_half)


def _decimal(text: str, factor: int = 0) -> tuple[Decimal, Decimal]:
    value = Decimal(_SEPARATORS.sub("", text).replace("\u2212", "-"))
    exponent = value.as_tuple().exponent
    assert isinstance(exponent, int)
    if abs(exponent) > _FARTHEST or abs(value.adjusted()) > _FARTHEST:
        raise ValueError("%.40r is too large or too small" % text)
    return value.scaleb(factor), Decimal(5).scaleb(exponent - 1 + factor)


def allowed(text: str | None, one: Printed) -> Allowed:
    """Return what a tolerance allows: absolute, or "1 %" of the value; default: half a digit.

    Raises ValueError for what is no tolerance.
    """
    if text is None:
        return Allowed(one.half, "half of the last printed digit")
    match = _TOLERANCE.fullmatch(text) if len(text) <= _LONGEST else None
    if match is None:
        raise ValueError('%.40r is no tolerance: a number, or a share as "1 %%"' % text)
    amount, _ = _decimal(match["value"])
    if amount < 0:
        raise ValueError("%.40r is negative" % text)
    if not match["unit"]:
        return Allowed(amount, "stated", True)
    share = abs(one.value) * amount / 100
    return Allowed(share, "stated: %s of %s" % (text.strip(), one.plain), True)


def finite(value: object) -> Decimal | None:
    """Return a recorded number as a decimal, None for what is no finite number."""
    if isinstance(value, bool) or not isinstance(value, (int, float)):
        return None
    if isinstance(value, float) and not math.isfinite(value):
        return None
    if isinstance(value, int) and value.bit_length() > _BITS:
        return None
    found = Decimal(repr(value))
    return found if not found or abs(found.adjusted()) <= _FARTHEST else None


def in_unit(recorded: Decimal, unit: str, metric: str, one: Printed) -> Measured:
    """Return a recorded value in the unit of what is printed.

    unit: of the recorded value, "%" or "". A share of 1 becomes per cent where the paper says "%",
    or where the name is that of a share (accuracy, F1, error) and the printed number exceeds 1.
    """
    share = not unit and abs(recorded) <= 1
    if one.unit == "%":
        return _times(recorded, 2, "a share of 1") if share else Measured(recorded)
    if unit == "%":
        if abs(one.value) <= 1 < abs(recorded):
            return _times(recorded, -2, "%")
        return Measured(recorded)
    if share and abs(one.value) > 1 and is_share(metric):
        return _times(recorded, 2, "a share of 1")
    return Measured(recorded)


def is_share(metric: str) -> bool:
    """Return whether a metric's name is that of a share, which papers print in per cent."""
    return bool(_SHARES & set(_metricnames.words(metric)))


def _times(value: Decimal, power: int, was: str) -> Measured:
    return Measured(value.scaleb(power), "recorded as %s" % was)


def shown(value: Decimal, like: Decimal | None = None, more: int = 2) -> str:
    """Return a number for people: ``more`` digits beyond those of ``like`` (its last half digit).

    Without ``like``: six significant digits.
    """
    if like is None:
        text = "%.6g" % value
        small = "e-" in text and value.adjusted() > -8
        return format(Decimal(text).normalize(), "f") if small else text
    last = like.adjusted() + 1
    if last > 0 or abs(value) >= Decimal(10) ** 15:
        return "%.6g" % value
    if value and value.adjusted() < last - more:
        return "%.3g" % value
    text = "%.*f" % (more - last, value)
    spare = len(text) - len(text.rstrip("0"))
    return text[: len(text) - min(spare, more)].rstrip(".") if "." in text else text


def as_printed(value: Decimal, one: Printed) -> str:
    """Return ``value`` with as many digits as the paper prints, rounded half to even."""
    exponent = one.half.adjusted() + 1
    if exponent > 0 or "e" in one.plain.lower() or one.plain[-1:] in _FACTORS:
        return "%.*g" % (max(1, one.value.adjusted() - exponent + 1), value)
    return "%.*f" % (-exponent, value)
