"""Which of a source's uses are of a package, by the modules that the package has."""

from __future__ import annotations

from collections.abc import Sequence

from provenance.core.distributions import key_of
from provenance.core.record import Record
from provenance.core.uses import Use
from provenance.facets import packages
from provenance.facets._installed import Packages
from provenance.knowledge import catalog
from provenance.knowledge.judge import PYTHON_ITSELF


def installed(run: Record) -> tuple[Packages, ...]:
    """Return what a record says is installed, an item per interpreter."""
    return tuple((packages.of(run) or {}).values())


def calls_of(package: str, uses: Sequence[Use], here: Sequence[Packages]) -> list[Use]:
    """Return the ``uses`` that name ``package`` by one of its modules; of Python itself, all.

    here: as `installed` gives it.
    """
    key = key_of(package)
    if key == PYTHON_ITSELF:
        return list(uses)
    tops = {key.replace("-", "_")}
    for one in catalog.by_package(catalog.load()).get(key, ()):
        if len(one.packages) == 1:
            tops |= {symbol.partition(".")[0] for symbol in one.symbols}
    for one_of in here:
        held = one_of.distributions.get(key)
        tops |= {module.partition(".")[0] for module in held.modules} if held else set()
    return [use for use in uses if use.symbol.partition(".")[0] in tops]
