"""``tolerance`` in prov.yaml: what is wrong is named by file and member."""

import pytest

from provenance import config
from provenance.errors import BadRecord


def test_tolerances_by_metric(tmp_path):
    (tmp_path / "prov.yaml").write_text("tolerance: {val_acc: {atol: 0.005}, 'loss*': {ulp: 4}}\n")
    found = config.load(str(tmp_path)).tolerance
    assert found == {"val_acc": {"atol": 0.005}, "loss*": {"ulp": 4}}


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("tolerance: 0.1", "tolerance must be metrics by name"),
        ("tolerance: {a: 0.1}", "tolerance/a must be rtol, atol or ulp by name"),
        ("tolerance: {a: {}}", "tolerance/a must be rtol, atol or ulp by name"),
        ("tolerance: {a: {atol: -1}}", "tolerance/a/atol must be a number >= 0"),
        ("tolerance: {a: {rtol: .inf}}", "tolerance/a/rtol must be a number >= 0"),
        ("tolerance: {a: {rtol: yes}}", "tolerance/a/rtol must be a number >= 0"),
        ("tolerance: {a: {ulp: 0.5}}", "tolerance/a/ulp must be a whole number >= 0"),
        ("tolerance: {a: {dtype: int8}}", "tolerance/a/dtype must be one of float64"),
        ("tolerance: {a: {tol: 1}}", "tolerance/a/tol must be rtol, atol, ulp or dtype"),
    ],
)
def test_what_is_wrong_is_named(tmp_path, text, said):
    (tmp_path / "prov.yaml").write_text(text + "\n")
    with pytest.raises(BadRecord) as caught:
        config.load(str(tmp_path))
    assert "prov.yaml:1: " + said in caught.value.message


@pytest.mark.parametrize("text", ["1e-4", "1E-4", "'1e-4'", "1.0e-4", "0.0001", "+1e-4"])
def test_a_number_that_yaml_takes_for_text_is_a_number(tmp_path, text):
    (tmp_path / "prov.yaml").write_text("rtol: %s\ntolerance: {a: {atol: %s}}\n" % (text, text))
    found = config.load(str(tmp_path))
    assert (found.rtol, dict(found.tolerance)["a"]["atol"]) == (1e-4, 1e-4)
