"""One use of a library's symbol in the user's source: the value that `uses` reads and records keep.

Apart from the reader, which needs `ast`: a run without Python source never loads that.
"""

from __future__ import annotations

from typing import Any, Dict, NamedTuple, Tuple

CALL, READ, WRITE = "call", "read", "write"
UNRESOLVED = "?."
"""How the symbol of a method begins whose object is not known."""


class Use(NamedTuple):
    """One use of a symbol.

    path: as given. line: 1-based; in a notebook within its cell. cell: number of the code cell, 0
    in a plain file. kind: "call", "read" or "write". arguments: of the positional arguments the
    constant value, None where it is not constant; of a write the value. An import is a read of the
    library's name. keywords: the same by name. A constant is plain JSON; None and library names
    are ``{"name": ...}``. spread: ``*x`` or ``**x`` was given, so that more may be passed.
    assigned: the result is kept.
    """

    symbol: str
    path: str
    line: int
    kind: str = CALL
    arguments: Tuple[Any, ...] = ()
    keywords: Dict[str, Any] = {}
    spread: bool = False
    assigned: bool = False
    cell: int = 0

    @property
    def positional(self) -> int:
        """The number of positional arguments."""
        return len(self.arguments)

    @property
    def where(self) -> str:
        """The place as people read it: "fit.py:8", in a notebook "fit.ipynb:3:8" (cell, line)."""
        cell = "%d:" % self.cell if self.cell else ""
        return "%s:%s%d" % (self.path, cell, self.line)

    def to_json(self) -> Dict[str, Any]:
        """Return the members that do not have their default."""
        kept = {n: getattr(self, n) for n in self._fields}
        plain = {n: v for n, v in kept.items() if v != self._field_defaults.get(n)}
        if "arguments" in plain:
            plain["arguments"] = list(self.arguments)
        return plain

    @classmethod
    def from_json(cls, value: Any) -> Use:
        """Read the JSON form back; raises ValueError where it is not one."""
        try:
            kept = {n: value[n] for n in cls._fields if n in value}
            one = cls(**kept)
            return one._replace(arguments=tuple(one.arguments), line=int(one.line))
        except (TypeError, KeyError) as error:
            raise ValueError("not a use: %.60r" % (value,)) from error
