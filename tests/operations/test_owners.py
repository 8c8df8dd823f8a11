"""On which package a root is blamed."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from provenance.compare.roots import VALUE, Root
from provenance.compare.tape import Operation, Site, Tape
from provenance.knowledge.judge import PYTHON_ITSELF
from provenance.operations import _owners

OWNERS = {"pandas": "pandas", "numpy": "numpy", "sklearn": "scikit-learn"}
FRAME = ["df", "pandas.DataFrame", [1, 1], ["l", 1, ["a"], {}], None, []]


def blamed(callee: str, *values: object, kind: str = "call", **more: object) -> tuple[str, ...]:
    inputs = tuple((str(place), place + 1) for place in range(len(values)))
    forms = {place + 1: form for place, form in enumerate(values)}
    operation = Operation(5, 0, 0, callee, inputs=inputs, result=9)
    root = Root(Site("a.py", 3, 0, kind, "f"), operation, VALUE, None)._replace(**more)  # type: ignore[arg-type]
    return _owners.of_root(root, OWNERS, Tape(forms=forms, operations=(operation,)))


def test_the_code_that_was_called_comes_first() -> None:
    assert blamed("sklearn.cluster.KMeans.fit", FRAME) == ("scikit-learn", "pandas")
    assert blamed("builtins.sum", ["l", 1, [0.1], {}]) == (PYTHON_ITSELF,)
    assert blamed("json.dumps", 1) == (PYTHON_ITSELF,)


def test_what_makes_texts_asks_the_object() -> None:
    assert blamed("builtins.print", FRAME) == ("pandas", PYTHON_ITSELF)
    assert blamed("", ["sc", "float64", 0.5], kind="text") == ("numpy",)
    assert blamed("builtins.print", "plain") == (PYTHON_ITSELF,)
    assert blamed("builtins.str", ["d", "dict", 1, [["lr", ["sc", "float64", 0.1]]]])[0] == "numpy"
    assert blamed("builtins.print", [["a"], [[], {}], None], ["l", 1, [[["sc"]]], {}])


def test_what_an_error_names() -> None:
    assert blamed("", error="ImportError: cannot import name 'x' from 'sklearn.utils'") == (
        "scikit-learn",
    )


def test_what_nobody_knows() -> None:
    assert blamed("own.helper") == ()


@given(st.recursive(st.none() | st.text() | st.floats(), lambda one: st.lists(one, max_size=4)))
def test_any_form_is_looked_at_without_harm(form: object) -> None:
    assert all(isinstance(one, str) for one in blamed("builtins.print", form))
