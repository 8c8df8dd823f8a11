"""The drop-in test: whether what a repository publishes in ``prov.lock`` is still true here.

Looks at the interpreter that runs it and at the files beside the lock; imports no package that it
checks, but reads the sources of those that have another version. As a test file it gives pytest one
test per package, and one each for Python, the code, the data, the settings and the GPU; run as a
program it prints the same and ends with 0, 1 (different), 3 (nothing could be compared) or 4 (no
readable lock). It is packed, with what it needs, into one file.

``PROV_LOCK``     the lock to read (else the nearest one above this file)
``PROV_ACCEPT``   packages whose changes are accepted, by name, with commas between
``PROV_FAIL_ON``  the least effect that fails: unknown, possible, known (default) or broken
``PROV_FULL=1``   digests files above 1 GiB as well
"""

from __future__ import annotations

import os
import sys
import warnings
from typing import Any, Dict, List, Optional, Sequence

from provenance.agent._lock import Lock, LockError, find_lock, read_lock
from provenance.agent._observe import check_code, check_data, check_gpu
from provenance.agent._report import (
    FAILED,
    SKIPPED,
    WARNED,
    Item,
    exit_status,
    report,
)
from provenance.agent._settings import check_settings
from provenance.agent._versions import check_packages, check_python

_MEMORY: Dict[str, Any] = {}


def the_lock() -> Lock:
    """Return the lock that speaks of this file's repository. Raises `LockError`."""
    if "lock" not in _MEMORY:
        here = os.path.dirname(os.path.abspath(__file__))
        _MEMORY["lock"] = read_lock(find_lock(here, os.environ))
    found: Lock = _MEMORY["lock"]
    return found


def package_items() -> Dict[str, Item]:
    """Return one item per recorded package by the id of its test; the lock's own if unreadable."""
    if "packages" not in _MEMORY:
        try:
            found = {one.name: one for one in check_packages(the_lock(), sys.path, os.environ)}
        except LockError as error:
            found = {"prov.lock": Item("lock", "prov.lock", FAILED, "broken", str(error))}
        _MEMORY["packages"] = found
    items: Dict[str, Item] = _MEMORY["packages"]
    return items


def all_items() -> List[Item]:
    """Return everything that was checked. Raises `LockError`."""
    lock = the_lock()
    rest = [check_code(lock), check_data(lock, os.environ)]
    if any(one.get("facet") == "environment" for one in lock.surroundings):
        rest.append(check_settings(lock, os.environ))
    rest.append(check_gpu(lock, os.environ))
    return [check_python(lock, os.environ), *package_items().values(), *rest]


def settle(item: Item) -> None:
    """End the running test as ``item`` says, with its sentences and no traceback."""
    pytest = sys.modules.get("pytest")
    if item.status == FAILED:
        if pytest is None:
            raise AssertionError(item.text)
        pytest.fail(item.text, pytrace=False)
    if item.status == SKIPPED and pytest is not None:
        pytest.skip(item.text)
    if item.status == WARNED:
        warnings.warn("\n" + item.text, UserWarning, stacklevel=2)


def pytest_generate_tests(metafunc: Any) -> None:
    """Give pytest one test per recorded package, under the package's name."""
    if "recorded_package" in metafunc.fixturenames:
        metafunc.parametrize("recorded_package", list(package_items()))


def test_packages(recorded_package: str) -> None:
    """The package is as the recorded run had it, or its change cannot be known to matter."""
    settle(package_items()[recorded_package])


def test_python() -> None:
    """Python is the one that the run used, or its change cannot be known to matter."""
    settle(_of(lambda lock: check_python(lock, os.environ)))


def test_code() -> None:
    """The source files that the run used are as they were, comments aside."""
    settle(_of(check_code))


def test_data() -> None:
    """The data files that are here are those that the run read."""
    settle(_of(lambda lock: check_data(lock, os.environ)))


def test_settings() -> None:
    """Environment variables that matter to the run have the values that they had."""
    settle(_of(lambda lock: check_settings(lock, os.environ)))


def test_gpu() -> None:
    """A GPU is here if the run had one."""
    settle(_of(lambda lock: check_gpu(lock, os.environ)))


def _of(check: Any) -> Item:
    try:
        item: Item = check(the_lock())
    except LockError as error:
        item = Item("lock", "prov.lock", SKIPPED, "none", str(error))
    return item


def main(argv: Optional[Sequence[str]] = None) -> int:
    """Print what was found and return the exit status."""
    words = list(sys.argv[1:] if argv is None else argv)
    if words:
        sys.stdout.write((__doc__ or "").strip() + "\n")
        return 0 if words[0] in ("-h", "--help") else 2
    try:
        lock, items = the_lock(), all_items()
    except LockError as error:
        sys.stderr.write("%s\n" % error)
        return 4
    status = exit_status(items)
    sys.stdout.write(report(lock, items, status))
    return status


if __name__ == "__main__":
    sys.exit(main())
