"""Which tolerance holds for which metric, and where it comes from."""

import pytest

from provenance.compare import tolerances
from provenance.compare.metrics import compare_metrics
from provenance.compare.tolerance import COMMAND_LINE, RECORDED, SETTINGS


@pytest.mark.parametrize(
    ("name", "values", "unit", "kind"),
    [
        ("n_correct", (10, 11), "", "count"),
        ("val_acc", (0.91, 0.92), "", "fraction"),
        ("top1", (76.1, 76.2), "", "percentage"),
        ("accuracy", (0.5, 0.6), "%", "percentage"),
        ("val_loss", (0.3, 0.4), "", "loss"),
        ("test/perplexity", (20.1, 20.2), "", "loss"),
        ("train_time_s", (1.0, 2.0), "", "volatile"),
        ("tokens_per_second", (1.0, 2.0), "", "volatile"),
        ("reward", (1.0, 2.0), "", "other"),
    ],
)
def test_kinds(name, values, unit, kind):
    assert tolerances.kind(name, values, unit) == kind
    assert tolerances.default(name, values, unit=unit).source == "default"


def test_one_example_where_the_run_says_how_many():
    finals = {"test_acc": 0.91, "test_samples": 200}
    one = tolerances.default("test_acc", (0.91, 0.915), finals)
    assert one.why == "one example of 200"
    assert one.judge(0.91, 0.915) == "within tolerance"
    assert one.judge(0.91, 0.92) == "different"
    percent = tolerances.default("test_acc", (91.0, 91.5), finals)
    assert percent.judge(91.0, 91.5) == "within tolerance"
    for other in ({"train_samples": 200}, {"test_samples": 7}, {"k": 200}, {}):
        assert (
            tolerances.default("test_acc", (0.91, 0.915), other).judge(0.91, 0.915) == "different"
        )


def test_the_strongest_that_says_something_counts():
    command = tolerances.rules(None, None, {}, COMMAND_LINE)
    settings = tolerances.rules(0.1, None, {"loss*": {"rtol": 0.02}}, SETTINGS)
    recorded = tolerances.rules(None, None, {"val_acc": {"atol": 0.005}}, RECORDED)
    choice = tolerances.chosen(command, settings, recorded)
    assert str(choice.of("loss/val")) == "rtol 0.02 (prov.yaml)"
    assert str(choice.of("val_acc")) == "rtol 0.1 (prov.yaml)"
    assert (
        str(tolerances.chosen(command, command, recorded).of("val_acc")) == "atol 0.005 (recorded)"
    )
    strict = tolerances.rules(None, None, {}, COMMAND_LINE, ulp=2)
    assert (
        str(tolerances.chosen(strict, settings, recorded).of("x"))
        == "2 ulp of float64 (command line)"
    )
    assert choice.of("loss/val").told() == "rtol 0.02 (prov.yaml: as for loss*)"


def test_settings_as_recorded_are_recorded():
    both = [tolerances.rules(0.1, None, {}, where) for where in (SETTINGS, RECORDED)]
    assert tolerances.chosen(tolerances.Rules(), *both).of("x").source == "recorded"
    assert not tolerances.is_later(tolerances.Rules(), *both)
    assert tolerances.is_later(tolerances.rules(0.2, None, {}, COMMAND_LINE), *both)


def test_an_exact_name_counts_before_patterns_and_these_in_their_order():
    one = tolerances.rules(
        None, None, {"*": {"rtol": 1}, "a*": {"rtol": 2}, "ab": {"rtol": 3}}, SETTINGS
    )
    assert [one.find(name).rtol for name in ("ab", "ac", "b")] == [3, 1, 1]


def test_times_are_compared_only_where_somebody_asks():
    (one,) = compare_metrics({"time_s": 1.0}, {"time_s": 1.2}, {}, {})
    assert one.verdict == "not compared"
    rules = tolerances.rules(None, None, {"time_s": {"rtol": 0.5}}, SETTINGS)
    (one,) = compare_metrics({"time_s": 1.0}, {"time_s": 1.2}, {}, {}, tolerances.Choice((rules,)))
    assert one.verdict == "within tolerance"
