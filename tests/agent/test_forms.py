"""The canonical form of values: the same in each interpreter, small, and not noticed."""

from __future__ import annotations

import collections
import json
import random
import subprocess
from pathlib import Path
from typing import Any

import numpy
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from provenance.agent.rehearsal import _prov_forms as forms
from provenance.compare.forms import unlike
from tests.facets._venvs import python_of, venv

FILE = Path(forms.__file__)

LEAVES = (
    st.none() | st.booleans() | st.integers() | st.floats() | st.complex_numbers()
    | st.text() | st.binary() | st.dates() | st.timedeltas() | st.decimals(allow_nan=False)
)  # fmt: skip
VALUES = st.recursive(
    LEAVES,
    lambda inner: (
        st.lists(inner)
        | st.tuples(inner, inner)
        | st.dictionaries(st.text(max_size=5) | st.integers(), inner)
        | st.sets(st.integers() | st.text(max_size=3))
    ),
    max_leaves=30,
)


@given(VALUES)
def test_a_form_is_json_small_and_equal_for_an_equal_value(value: Any) -> None:
    before = repr(value)
    made = forms.form(value)
    assert json.loads(json.dumps(made, allow_nan=False)) == made
    assert len(json.dumps(made)) < 40000
    assert forms.form(value) == made
    assert unlike(made, made) is None
    assert repr(value) == before


@given(st.lists(st.floats(-1e9, 1e9), min_size=1, max_size=300), st.data())
def test_another_element_gives_an_unlike_form(numbers: list[float], data: Any) -> None:
    place = data.draw(st.integers(0, len(numbers) - 1))
    changed = list(numbers)
    changed[place] += 1.0 + 0.5 * max(map(abs, numbers))
    for convert in (list, tuple, numpy.array):
        made = forms.form(convert(numbers)), forms.form(convert(changed))
        assert unlike(*made) is not None


@pytest.mark.parametrize("dtype", ["f8", "f4"])
@given(place=st.integers(0, 99999), seed=st.integers(0, 9))
@settings(deadline=None, max_examples=20)
def test_one_element_of_many_counts_and_rounding_does_not(
    dtype: str, place: int, seed: int
) -> None:
    draw = numpy.random.RandomState(seed)
    array = draw.standard_normal(100000).astype(dtype)
    largest = numpy.abs(array).max()
    rounding, change = (1e-14, 1e-11) if dtype == "f8" else (2e-7, 3e-4)
    noise = rounding * largest * draw.standard_normal(array.size)
    made = forms.form(array)
    assert unlike(made, forms.form((array + noise).astype(dtype))) is None
    changed = array.copy()
    changed[place] += dtype_of(dtype, change * largest)
    assert unlike(made, forms.form(changed)) is not None
    other = (place + 1) % array.size
    changed = array.copy()
    changed[[place, other]] = array[[other, place]]
    if abs(array[place] - array[other]) > 0.01:
        assert unlike(made, forms.form(changed)) is not None


def dtype_of(dtype: str, number: float) -> Any:
    return numpy.dtype(dtype).type(number)


@given(st.lists(st.floats(-1e6, 1e6), min_size=65, max_size=2000), st.sampled_from([4, 16, 64]))
def test_lists_and_arrays_come_to_the_same_statistics(numbers: list[float], wanted: int) -> None:
    plain, others = (forms._neighbour("_prov_forms_" + one) for one in ("plain", "numbers"))
    with_numpy = others.of_array(numpy.array(numbers), wanted, 8)
    alone = others.of_list(numbers[:1000], wanted)
    if len(numbers) <= 1000:
        assert alone.pop("nan") == 0
        assert alone.keys() == with_numpy.keys()
        scale = max(map(abs, numbers)) * len(numbers)
        for name in ("mean", "std", "min", "max", "b"):
            assert with_numpy.get(name) == pytest.approx(alone.get(name), abs=1e-13 * scale)
    assert plain.number_facts(numbers, wanted)["at"][0] == numbers[0]


def test_what_is_wide_stays_small_and_each_part_counts() -> None:
    value = {"layers.%d.weight" % n: numpy.random.RandomState(n).rand(32, 32) for n in range(20)}
    made = forms.form(value)
    assert len(json.dumps(made, separators=(",", ":"))) < 4000
    for key in value:
        changed = dict(value)
        changed[key] = changed[key] * 1.001
        assert unlike(made, forms.form(changed)) is not None


class Hostile:
    """Says no to whatever it is asked, and counts."""

    asked: list[str] = []

    def _no(self, *words: Any) -> Any:
        Hostile.asked.append("asked")
        raise RuntimeError("do not touch")

    __eq__ = __len__ = __bool__ = __repr__ = __str__ = __iter__ = __getattr__ = __hash__ = _no
    value = property(_no)


class Sneaky(list):  # type: ignore[type-arg]
    """A list with an iterator of its own."""

    def __iter__(self) -> Any:
        raise RuntimeError("iterated")

    def __len__(self) -> int:
        raise RuntimeError("measured")


def test_unknown_objects_are_not_touched() -> None:
    Hostile.asked.clear()
    made = forms.form([Hostile(), Sneaky([1, 2])])
    assert not Hostile.asked
    assert made[2][0][0] == "o"
    assert made[2][1] == ["l", 2, [1, 2], {}]


def test_iterators_are_not_advanced() -> None:
    generator = (n for n in range(5))
    iterator = iter([1, 2])
    forms.form([generator, iterator, map(str, iterator), zip(iterator), {"a": generator}])
    assert next(generator) == 0
    assert next(iterator) == 1


def test_a_value_in_itself_and_one_without_end_are_bounded() -> None:
    circle: list[Any] = [1]
    circle.append(circle)
    deep: list[Any] = []
    for _ in range(5000):
        deep = [deep]
    assert forms.form(circle) == ["l", 2, [1, ["..."]], {}]
    assert len(json.dumps(forms.form(deep))) < 200
    wide = {str(n): {str(m): list(range(50)) for m in range(50)} for n in range(50)}
    assert len(json.dumps(forms.form(wide))) < 40000


def test_the_state_of_the_generators_is_read_and_left() -> None:
    random.seed(3)
    numpy.random.seed(3)
    states = random.getstate(), numpy.random.get_state()[1].tolist()
    first = forms.digest_of_random_state()
    forms.form([random.Random(1), numpy.random.RandomState(2), numpy.random.default_rng(0)])
    forms.form(numpy.random.RandomState(0).rand(1000))
    assert forms.digest_of_random_state() == first
    assert (random.getstate(), numpy.random.get_state()[1].tolist()) == states
    random.random()
    second = forms.digest_of_random_state()
    numpy.random.rand()
    assert len({first, second, forms.digest_of_random_state()}) == 3


def test_the_state_of_an_own_generator_counts() -> None:
    one, other = numpy.random.default_rng(1), numpy.random.default_rng(1)
    assert forms.form(one) == forms.form(other)
    other.random()
    found = unlike(forms.form(one), forms.form(other))
    assert found is not None
    assert found.kind == "value"


@pytest.mark.parametrize("dtype", ["f8", "f4", "f2", "i8", "i4", "u1", "c16", "?", "M8[D]", "U3"])
def test_arrays_of_any_dtype_and_layout(dtype: str) -> None:
    array = (numpy.arange(600) % 90).astype("i4").astype(dtype).reshape(20, 30)
    made = forms.form(array)
    assert made[3] == [20, 30]
    assert forms.form(numpy.asfortranarray(array)) == made
    assert forms.form(array[:, ::-1][:, ::-1]) == made
    changed = array.copy()
    changed[3, 0] = changed[17, 22]
    assert unlike(made, forms.form(changed)) is not None


def test_a_scratch_folder_is_no_difference() -> None:
    forms.set_roots("/work/a")
    try:
        first = forms.form([Path("/work/a/x.csv"), "in /work/a/y"])
        forms.set_roots("/work/bb")
        assert forms.form([Path("/work/bb/x.csv"), "in /work/bb/y"]) == first
    finally:
        forms.set_roots()


PLAIN = """
import collections, datetime, decimal, fractions, importlib.util, json, pathlib, random, sys
spec = importlib.util.spec_from_file_location("_prov_forms", sys.argv[1])
forms = importlib.util.module_from_spec(spec); spec.loader.exec_module(forms)
Point = collections.namedtuple("Point", "x y")
before = set(sys.modules)
values = [None, True, 10**30, -0.0, float("nan"), 2j, "text" * 900, b"ab", [1, [2]], (1,),
    {"a": {1}}, [10**400] * 99,
    set("abcdef"), frozenset((1, "a")), collections.deque([1]), collections.Counter("aab"),
    collections.defaultdict(list, a=[1]), collections.OrderedDict(b=1, a=2), Point(1, 2), range(9),
    slice(1, 2), datetime.datetime(2020, 1, 1), datetime.timedelta(1), decimal.Decimal("1.1"),
    fractions.Fraction(1, 3), pathlib.Path("a/b"), len, [].append, int, sys, ValueError("x"),
    list(range(1000)), [0.5] * 99, random.Random(1), {}.keys(), Ellipsis, print, json.dumps]
made = [forms.form(value) for value in values]
random.seed(1)
made.append(forms.digest_of_random_state())
libraries = {n for n in set(sys.modules) - before if n in ("numpy", "pandas", "dataclasses")}
print(json.dumps([made, sorted(libraries)], allow_nan=False))
"""


def test_the_same_values_have_the_same_forms_in_each_python() -> None:
    found = []
    for version in ("3.7", "3.8", "3.10", "3.13"):
        done = subprocess.run(
            [python_of(version), "-S", "-c", PLAIN, str(FILE)],
            capture_output=True, text=True, check=False,
        )  # fmt: skip
        assert done.returncode == 0, done.stderr
        found.append(json.loads(done.stdout))
    assert all(one == found[0] for one in found)
    assert found[0][1] == []


TABLES = """
import importlib.util, json, sys
import numpy as np, pandas as pd
spec = importlib.util.spec_from_file_location("_prov_forms", sys.argv[1])
forms = importlib.util.module_from_spec(spec); spec.loader.exec_module(forms)
x = np.random.RandomState(0).rand(50)
df = pd.DataFrame({"a": np.arange(50), "b": x, "s": list("abcde") * 10, "n": [1.0, None] * 25,
    "d": pd.date_range("2020-01-01", periods=50), "c": pd.Categorical(list("uv") * 25)})
text = df.to_csv()
values = {"df": df, "index": df.index, "mean": df.b.mean(), "group": df.groupby("s").b.mean(),
    "x": x, "cut": pd.cut(df.b, 3), "hour": df.d.dt.hour, "counts": df.s.value_counts(),
    "wide": pd.DataFrame(np.random.RandomState(0).rand(2000, 30)).add_prefix("column_"),
    "wider": pd.DataFrame(np.random.RandomState(0).rand(99, 300)),
    "tz": df.d.dt.tz_localize("UTC"), "state": np.random.RandomState(1), "stamp": df.d[0]}
made = {n: forms.form(v) for n, v in values.items()}
for name in ("wide", "wider"):
    values[name].iloc[5, -1] += 0.01
    made[name + " but one"] = forms.form(values[name])
print(json.dumps(made, allow_nan=False))
assert df.to_csv() == text
"""


@pytest.mark.slow
@pytest.mark.network
def test_tables_of_two_ages_of_pandas_differ_only_where_pandas_changed(tmp_path: Path) -> None:
    made = []
    for version, requirements in (
        ("3.8", ("pandas==1.0.5", "numpy==1.18.5")),
        ("3.11", ("pandas==2.2.3", "numpy==2.1.3")),
    ):
        python = venv(tmp_path / version, *requirements, python=python_of(version))
        done = subprocess.run(
            [python, "-c", TABLES, str(FILE)], capture_output=True, text=True, check=False
        )
        assert done.returncode == 0, done.stderr
        made.append(json.loads(done.stdout))
    found = {name: unlike(made[0][name], made[1][name]) for name in made[0]}
    told = {name: one.text for name, one in found.items() if one is not None}
    assert told.keys() == {"hour", "counts"}
    assert told["hour"] == "dtype int64 -> int32"
    for name in ("wide", "wider"):
        assert len(json.dumps(made[1][name], separators=(",", ":"))) < 5500
        assert unlike(made[1][name], made[1][name + " but one"]) is not None


def test_counters_and_their_kin_are_told_apart() -> None:
    counter = forms.form(collections.Counter("aab"))
    assert counter[1:3] == ["collections.Counter", 2]
    assert unlike(counter, forms.form({"a": 2, "b": 1})) is not None


@pytest.mark.parametrize(
    "value",
    [
        list(range(100)),
        [0.5, None, 0.25] * 5,
        ["2020-01-03", "2021-12-31"] * 6,
        {"a": 1, "b": ["x", "y"] * 9},
        ["AB-%03d" % n for n in range(40)],
        numpy.arange(12.0).reshape(3, 4),
        numpy.array([3, 1, 2] * 9, "i4"),
    ],
    ids=["whole", "missing", "dates", "dict", "pattern", "array", "int32"],
)
def test_a_made_up_value_is_of_the_same_kind(value: Any) -> None:
    known = json.loads(json.dumps(forms.schema(value)))
    state = random.getstate()
    made = forms.synthetic(known)
    assert random.getstate() == state
    assert type(made) is type(value)
    assert forms.form(forms.synthetic(known)) == forms.form(made)
    again = forms.schema(made)
    for name in ("k", "n", "shape", "dtype"):
        assert again.get(name) == known.get(name)
    if "column" in known:
        for name in ("whole", "format", "patterns", "categories"):
            assert again["column"].get(name) == known["column"].get(name), name
        for name in ("unique", "sorted"):
            assert again["column"].get(name) or not known["column"].get(name), name
    if known["k"] in ("list", "array"):
        assert len(forms.synthetic(known, 5)) == min(len(value), 5)
