"""What ``prov verify`` says of environments that were restored from files of other tools."""

import pytest

pytest.register_assert_rewrite("tests.stated.restored")
