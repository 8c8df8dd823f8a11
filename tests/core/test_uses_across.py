"""Names followed from one file of the user's own to another."""

from __future__ import annotations

from provenance.core.uses import Use, read_all


def uses_in(path: str, **files: str) -> list[Use]:
    """Return the uses of libraries in ``path``; ``a__b`` stands for the file a/b.py."""
    sources = [(name.replace("__", "/") + ".py", text) for name, text in files.items()]
    return [use for use in read_all(sources)[path].uses if use.kind == "call"]


MODELS = """\
from sklearn.cluster import KMeans
K = 8
OPTIONS = {"n_init": 3, "random_state": 0}
def make():
    return KMeans(K)
class Net:
    def __init__(self):
        self.model = KMeans(2)
shared = KMeans(4)
"""


def test_an_estimator_made_in_one_file_and_fitted_in_another() -> None:
    found = uses_in("train.py", models=MODELS, train="from models import make\nmake().fit(x)\n")
    assert [use.symbol for use in found] == ["sklearn.cluster.KMeans.fit"]
    found = uses_in("train.py", models=MODELS, train="import models\nmodels.shared.fit(x)\n")
    assert [use.symbol for use in found] == ["sklearn.cluster.KMeans.fit"]
    train = "import models as m\nm.Net().model.predict(x)\n"
    found = uses_in("train.py", models=MODELS, train=train)
    assert "sklearn.cluster.KMeans.predict" in [use.symbol for use in found]


def test_constants_and_dictionaries_of_another_file() -> None:
    train = (
        "from sklearn.cluster import KMeans\nfrom config import K, OPTIONS\nKMeans(K, **OPTIONS)\n"
    )
    (use,) = uses_in("train.py", config=MODELS, train=train)
    assert use.arguments == (8,)
    assert use.keywords == {"n_init": 3, "random_state": 0}
    assert not use.spread


def test_a_package_with_relative_imports_and_a_chain() -> None:
    found = uses_in(
        "src/pkg/train.py",
        src__pkg__models="from sklearn.svm import SVC\ndef make():\n    return SVC()\n",
        src__pkg__build="from .models import make\nfrom . import models\nmodel = make()\n",
        src__pkg__train="from pkg.build import model\nmodel.fit(x)\n",
    )
    assert [use.symbol for use in found] == ["sklearn.svm.SVC.fit"]


def test_a_name_that_two_files_may_have_is_not_guessed() -> None:
    found = uses_in(
        "train.py",
        a__models=MODELS,
        b__models=MODELS,
        train="from models import shared\nshared.fit(x)\n",
    )
    assert [use.symbol for use in found] == ["models.shared.fit"]


def test_own_names_do_not_hide_libraries() -> None:
    found = uses_in("train.py", numpy_tools="x = 1\n", train="import numpy as np\nnp.unique(x)\n")
    assert [use.symbol for use in found] == ["numpy.unique"]


def test_files_that_import_each_other_and_broken_ones() -> None:
    readings = read_all(
        [
            ("a.py", "from b import g\ndef f():\n    return g()\n"),
            ("b.py", "from a import f\ndef g():\n    return f()\n"),
            ("c.py", "print 'two'\n"),
            ("d.ipynb", "{"),
        ]
    )
    assert readings["c.py"].note.startswith("c.py: not Python 3")
    assert readings["d.ipynb"].note == "d.ipynb: not a readable notebook"
    assert readings["a.py"].note == ""


def test_a_dictionary_that_is_changed_is_not_known() -> None:
    text = (
        "from sklearn.cluster import KMeans\n"
        "options = dict(n_init=3)\nKMeans(8, **options)\n"
        "options['n_init'] = other\nKMeans(8, **options)\n"
        "def f():\n    options.update(x)\n"
    )
    first, second = (use for use in uses_in("t.py", t=text) if use.symbol.endswith("KMeans"))
    assert (first.keywords, first.spread) == ({"n_init": 3}, False)
    assert second.spread
