"""One parameter out of what several sources say of it, under the names that each of them uses.

The source that is nearest to what the program used gives the value that is shown; the others are
kept beside it. Nothing is thrown away but what says the same again.
"""

from __future__ import annotations

from typing import Any, Dict, List, NamedTuple, Optional, Tuple

ARGV, FILE, SCRIPT = "argv", "file", "script"

PRECEDENCE = {
    "sdk": 0, "hydra": 2, "omegaconf": 2, "config": 2, "lightning": 2, ARGV: 3, FILE: 4, SCRIPT: 4,
    "object": 5, "sklearn": 5, "xgboost": 5, "lightgbm": 5, "catboost": 5, "keras": 5,
    "transformers": 5, "trainer": 5,
}  # fmt: skip
"""Rank of the sources; the lowest gives the shown value. A parser not named here ranks 1."""

_MOST_OTHERS = 50
"""Further sayings of one parameter that are kept."""


class Other(NamedTuple):
    """What another source says of a parameter, under the name that the source uses.

    where: the script or the file that it is of; "" where that is plain.
    """

    value: Any
    source: str
    name: str
    where: str = ""

    def to_json(self) -> Dict[str, Any]:
        """Return the members that say something."""
        said = {"value": self.value, "source": self.source, "name": self.name}
        return dict(said, where=self.where) if self.where else said


class Parameter(NamedTuple):
    """One parameter.

    value: what the program used, as far as is known. source: who says so ("argparse", "argv",
    "sdk" ...). default: what it is when not given; None too where not known. given: whether the
    user gave it, None where not known. others: further sources. where: the script or the file that
    it is of; "" where that is plain. by_job: value is a list, one of each job of a sweep.
    """

    value: Any
    source: str
    default: Any = None
    given: Optional[bool] = None
    others: Tuple[Other, ...] = ()
    where: str = ""
    by_job: bool = False

    def to_json(self) -> Dict[str, Any]:
        """Return the members that say something."""
        said: Dict[str, Any] = {
            "value": self.value,
            "source": self.source,
            "default": self.default,
            "given": self.given,
            "others": [other.to_json() for other in self.others],
        }
        if self.where:
            said["where"] = self.where
        if self.by_job:
            said["by_job"] = True
        return said

    @classmethod
    def from_json(cls, said: Any) -> Parameter:
        """Return the parameter that `to_json` made."""
        others = tuple(
            Other(one.get("value"), one["source"], one["name"], one.get("where", ""))
            for one in said.get("others", ())
        )
        rest = said.get("where", ""), said.get("by_job", False)
        told = said.get("value"), said["source"], said.get("default"), said.get("given")
        return cls(*told, others, *rest)


class Saying(NamedTuple):
    """What one source says of one parameter.

    job: number of the job in a sweep. final: it is what the parser's result held at the end.
    """

    name: str
    value: Any
    source: str
    default: Any = None
    given: Optional[bool] = None
    where: str = ""
    job: Optional[int] = None
    by_job: bool = False
    final: bool = False


def merged(sayings: List[Saying]) -> Dict[str, Parameter]:
    """Return one parameter per name: the best source's value, the other sources beside it."""
    ranked = sorted(_swept(sayings), key=lambda one: PRECEDENCE.get(one.source, 1))
    values: Dict[str, Parameter] = {}
    for one in ranked:
        name = _name_among(one, values)
        if name is None:
            values[one.name] = Parameter(
                one.value, one.source, one.default, one.given, (), one.where, one.by_job
            )
        else:
            values[name] = _joined(name, values[name], one)
    return _named(values)


def _named(values: Dict[str, Parameter]) -> Dict[str, Parameter]:
    """Return ``values`` with words of the command line that have no name under what they became."""
    nameless = [n for n, p in values.items() if n.startswith("[") and p.source == ARGV]
    for name in nameless:
        one = values[name]
        near = [
            other
            for other, p in values.items()
            if p.source != ARGV
            and p.given
            and _same(p.value, one.value)
            and not _told_by_argv(p)
            and not isinstance(p.value, bool)
        ]
        if len(near) == 1 and not one.others:
            known = values[near[0]]
            other = Other(one.value, ARGV, name, one.where)
            values[near[0]] = known._replace(others=(*known.others, other))
            del values[name]
    return values


def _swept(sayings: List[Saying]) -> List[Saying]:
    """Return ``sayings`` with one for all jobs of a sweep: a list where the jobs differ."""
    jobs: Dict[Tuple[str, str, str], List[Saying]] = {}
    for one in sayings:
        if one.job is not None:
            jobs.setdefault((one.name, one.source, one.where), []).append(one)
    if not jobs:
        return sayings
    found = [one for one in sayings if one.job is None]
    for same in jobs.values():
        same.sort(key=lambda one: one.job or 0)
        listed = [one.value for one in same]
        alike = all(_same(value, listed[0]) for value in listed)
        given = any(one.given for one in same) if same[0].given is not None else None
        first = same[0]._replace(job=None, given=given)
        found.append(first if alike else first._replace(value=listed, by_job=True))
    return found


def _joined(name: str, known: Parameter, one: Saying) -> Parameter:
    """Return ``known`` with what ``one`` adds to it."""
    if known.default is None:
        resolved = known.given and PRECEDENCE.get(known.source) == PRECEDENCE["config"]
        alike = plainly(one.name) == plainly(name)
        said = one.value if resolved and one.source == FILE else one.default
        known = known._replace(default=said if alike else None)
    if known.given is None and one.given is not None and _same(known.value, one.value):
        known = known._replace(given=one.given)
    if one.final and known.given is False and not _same(known.value, one.value):
        before = Other(known.value, known.source, name, known.where)
        return known._replace(value=one.value, others=(*known.others, before))
    again = one.source == known.source and one.name == name and _same(one.value, known.value)
    other = Other(one.value, one.source, one.name, one.where)
    heard = any(said._replace(where="") == other._replace(where="") for said in known.others)
    if one.source == ARGV and one.where:  # its parser has said it
        said_by = [(known.value, known.where), *((o.value, o.where) for o in known.others)]
        heard = heard or any(_same(v, one.value) and w == one.where for v, w in said_by)
    if again or heard or len(known.others) >= _MOST_OTHERS:
        return known
    return known._replace(others=(*known.others, other))


def _name_among(one: Saying, values: Dict[str, Parameter]) -> Optional[str]:
    """Return the name under which ``values`` already holds what ``one`` speaks of.

    Parsers call ``--learning-rate`` learning_rate, allow its beginning (``--learn``), and do not
    tell that ``-b`` or a bare word became batch_size: there the same value, given, must do.
    """
    plain = plainly(one.name)
    for name in values:
        if plainly(name) == plain:
            return name
    if one.source == ARGV:
        return _of_word(one, plain, values)
    if PRECEDENCE.get(one.source, 1) >= PRECEDENCE[FILE]:
        return _of_part(one, plain, values)
    return None


def _of_word(one: Saying, plain: str, values: Dict[str, Parameter]) -> Optional[str]:
    """Return which parameter a word of the command line became."""
    parsed = {name: p for name, p in values.items() if p.source != ARGV and p.given}
    begun = [name for name in parsed if len(plain) > 1 and plainly(name).startswith(plain)]
    if len(begun) == 1 and _same(parsed[begun[0]].value, one.value):
        return begun[0]
    off = [n for n in parsed if plain in ("no_" + plainly(n), "no" + plainly(n))]
    if one.value is True and len(off) == 1 and parsed[off[0]].value is False:
        return off[0]
    ends = [n for n in parsed if plainly(n).endswith("." + plain)]
    ends = [n for n in ends if _same(parsed[n].value, one.value)]
    if len(ends) == 1:
        return ends[0]
    if len(plain) == 1 or plain.startswith("["):
        same = [n for n, p in parsed.items() if _same(p.value, one.value) and not _told_by_argv(p)]
        return same[0] if len(same) == 1 else None
    return None


def _of_part(one: Saying, plain: str, values: Dict[str, Parameter]) -> Optional[str]:
    """Return which parameter a value of a file, script or object is, by the last part of its name.

    ``train.lr`` of a file and ``--lr`` are one thing where they agree; so are ``timeout`` of a file
    and ``db.timeout`` of the configuration that was made from it, be it overridden.
    """
    last = plain.rpartition(".")[2]
    longer = [name for name in values if plainly(name).endswith("." + plain)]
    if one.source == FILE and len(longer) == 1:
        return longer[0]
    if one.source not in (FILE, SCRIPT) and one.given is False:
        return None
    near = [name for name in values if plainly(name) in (plain, last)] + longer
    same = [name for name in near if _same(values[name].value, one.value)]
    return same[0] if len(same) == 1 else None


def _told_by_argv(one: Parameter) -> bool:
    return any(other.source == ARGV for other in one.others)


def _same(one: Any, other: Any) -> bool:
    """Return whether two sources mean the same; a file may hold a number as text (``1e-3``)."""
    if isinstance(one, bool) or isinstance(other, bool):
        return one is other
    if one == other or repr(one) == repr(other) == "nan":
        return True
    numbers = (int, float)
    if isinstance(one, str) and isinstance(other, numbers):
        one, other = other, one
    if isinstance(one, numbers) and isinstance(other, str):
        try:
            return float(other) == one
        except ValueError:
            return False
    return False


def plainly(name: str) -> str:
    """Return ``name`` as it is compared: dashes, case and the mark of an option do not count."""
    return name.replace("-", "_").lower() if len(name) > 1 else name
