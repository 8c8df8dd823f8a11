r"""Numbers as LaTeX macros: a paper that prints ``\provTableOne`` prints what its run gave."""

from __future__ import annotations

import re
from collections.abc import Iterable

from provenance.errors import UsageError

HEAD = "% written by prov claims check --macros: \\input it, and write \\provNAME for a number"
_DIGITS = "Zero One Two Three Four Five Six Seven Eight Nine".split()
_POWER = re.compile(r"(?P<base>[^e]+)e(?P<sign>[+-]?)0*(?P<power>\d+)", re.IGNORECASE)


def macros(numbers: Iterable[tuple[str, str]]) -> str:
    r"""Return one ``\newcommand`` per name and number. Raises `UsageError` for names alike."""
    lines, known = [HEAD], dict[str, str]()
    for name, text in numbers:
        macro = name_of(name)
        if macro in known:
            hint = "digits and signs are spelled or dropped in a macro: rename one of them"
            raise UsageError("%s and %s would both be \\%s." % (known[macro], name, macro), hint)
        known[macro] = name
        lines.append("\\newcommand{\\%s}{%s}" % (macro, _number(text)))
    return "\n".join(lines) + "\n"


def name_of(name: str) -> str:
    """Return the macro's name, which has letters only: table1-resnet is provTableOneResnet."""
    parts = re.findall(r"[A-Za-z]+|\d", name)
    return "prov" + "".join(
        _DIGITS[int(part)] if part.isdigit() else part[:1].upper() + part[1:] for part in parts
    )


def _number(text: str) -> str:
    match = _POWER.fullmatch(text)
    if match is None:
        return "\\ensuremath{%s}" % text if text.startswith("-") else text
    sign = "-" if match["sign"] == "-" else ""
    return "\\ensuremath{%s\\times 10^{%s%s}}" % (match["base"], sign, match["power"])
