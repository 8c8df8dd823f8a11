"""``pytest --prov[=REFERENCE]``: what ``prov verify`` finds, as tests among the project's own.

For those who have installed prov where pytest runs; others have the drop-in test. One test per
question ("provenance::code") and one for each thing that differs
("provenance::packages[scikit-learn]"), compared with the interpreter that runs pytest. Nothing of
the repository is run and nothing is fetched. ``PROV_FAIL_ON`` and ``PROV_ACCEPT`` mean what they
mean to the drop-in test.

pytest loads this module whenever prov is installed: it imports nothing until ``--prov`` is given.
"""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    import pytest


def pytest_addoption(parser: pytest.Parser) -> None:
    """Add ``--prov``."""
    parser.getgroup("provenance").addoption(
        "--prov",
        nargs="?",
        const="",
        default=None,
        metavar="REFERENCE",
        help="also test whether this environment, code and data still match a record: a run, "
        "prov.lock or an environment file (default: as prov verify)",
    )


def pytest_collection_modifyitems(
    session: pytest.Session, config: pytest.Config, items: list[pytest.Item]
) -> None:
    """Put the answers of ``prov verify`` before the tests that were collected."""
    asked = config.getoption("--prov")
    if asked is None:
        return
    from provenance import _pytest_items  # noqa: PLC0415  # only where it is asked for

    items[:0] = _pytest_items.collect(session, asked or None)


def pytest_report_header(config: pytest.Config) -> list[Any]:
    """Say which reference was asked for."""
    asked = config.getoption("--prov")
    return [] if asked is None else ["provenance: compared with %s" % (asked or "the default")]
