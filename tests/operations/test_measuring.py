"""The switches of the benchmarks: silent unless set, and strict when set."""

import pytest

from provenance.errors import UsageError
from provenance.knowledge import catalog
from provenance.operations import measuring


def test_nothing_is_left_out_unless_asked():
    assert measuring.entries({}) is None
    assert measuring.levels({}) == {"L1", "L2", "L3"}


def test_only_the_entries_of_the_named_packages_are_left_out():
    kept = measuring.entries({measuring.WITHOUT_VARIABLE: "Scikit_Learn, numpy"})
    gone = [one for one in catalog.load() if one not in kept]
    assert gone
    assert all({"scikit-learn", "numpy"} & set(one.packages) for one in gone)
    assert not any({"scikit-learn", "numpy"} & set(one.packages) for one in kept)


def test_without_the_first_level_no_entry_counts():
    assert measuring.entries({measuring.LEVELS_VARIABLE: "L2,L3"}) == ()
    assert measuring.entries({measuring.LEVELS_VARIABLE: "L1, L2"}) is None


def test_a_level_that_does_not_exist_is_named():
    with pytest.raises(UsageError, match="L9"):
        measuring.levels({measuring.LEVELS_VARIABLE: "L1,L9"})
