"""Findings with their reasons, from differences and the calls of a run."""

from __future__ import annotations

import pytest

from provenance.core.difference import NONE, Difference
from provenance.core.record import Record
from provenance.core.verdict import Finding
from provenance.knowledge import match
from tests.knowledge._records import a_record, moved

KMEANS = """\
import numpy as np
from sklearn.cluster import KMeans

X = np.zeros((8, 2))



km = KMeans(8, random_state=0).fit(X)
"""


def one(source: str, name: str, old: str, new: str, **rest: object) -> Finding:
    """Return the finding for one package that moved under a run of ``source``."""
    record = a_record(source, **rest)  # type: ignore[arg-type]
    (found,) = match.explain([moved(name, old, new)], record, record)
    return found


def test_the_sketch_of_the_design() -> None:
    found = one(KMEANS, "scikit-learn", "1.1.3", "1.5.2")
    assert found.effect == "known"
    assert found.where == ("fit.py:8",)
    (reason,) = found.reasons
    assert reason.level == "L1"
    assert reason.text == "KMeans(n_init) default 10 -> 'auto'; not passed at fit.py:8"
    assert reason.evidence.startswith("n_init not passed")
    assert reason.remedy == "add n_init=10   or   pip install scikit-learn==1.1.3"
    assert "scikit-learn 1.4" in reason.source


def test_going_back_swaps_the_values_and_the_remedy() -> None:
    found = one(KMEANS, "scikit-learn", "1.5.2", "1.1.3")
    assert found.effect == "known"
    (reason,) = [r for r in found.reasons if "n_init" in r.text]
    assert "'auto' -> 10" in reason.text
    assert reason.remedy == "add n_init=1   or   pip install scikit-learn==1.5.2"


def test_the_headline() -> None:
    source = "import torch.nn as nn\nnet = nn.Sequential(nn.Conv2d(3, 8, 3), nn.BatchNorm2d(8))"
    found = one(source, "torch", "1.1.0", "1.2.0")
    assert found.effect == "known"
    assert found.reasons[0].text == (
        "BatchNorm2d: initial scale: uniform(0, 1) -> ones; called at fit.py:2"
    )
    assert one(source, "torch", "1.2.0", "1.3.1").effect == "unknown"


@pytest.mark.parametrize(
    ("source", "effect"),
    [
        ("KMeans(8)", "known"),
        ("KMeans(8, n_init=10)", "unknown"),
        ("KMeans(8, 'k-means++', 10)", "unknown"),
        ("KMeans(8, init='random')", "unknown"),
        ("KMeans(8, init=start)", "possible"),
        ("KMeans(**options)", "possible"),
        ("models = [KMeans]", "possible"),
        ("x = 3", "unknown"),
    ],
)
def test_the_condition_decides(source: str, effect: str) -> None:
    text = "from sklearn.cluster import KMeans\n" + source
    assert one(text, "scikit-learn", "1.3.2", "1.4.0").effect == effect


def test_a_method_of_something_unknown_is_possible_at_most() -> None:
    text = "import pandas as pd\ndef f(d):\n    return d.pct_change()"
    found = one(text, "pandas", "2.3.3", "3.0.0")
    assert found.effect == "possible"
    assert found.where == ("fit.py:3",)
    without = one("def f(d):\n    return d.pct_change()", "pandas", "2.3.3", "3.0.0")
    assert without.effect == "unknown"


def test_what_was_not_imported_stays_harmless() -> None:
    record = a_record(KMEANS)
    difference = moved("scikit-learn", "1.1.3", "1.5.2", effect=NONE)
    assert match.explain([difference], record, record)[0].effect == "none"


def test_other_differences_pass_through() -> None:
    record = a_record(KMEANS)
    difference = Difference("code", "run", "content", "fit.py", "broken", "a", "b")
    (found,) = match.explain([difference], record, record)
    assert found == Finding(*difference)


def test_one_change_is_told_once() -> None:
    source = "import tensorflow as tf\ntf.keras.layers.Dropout(0.5)"
    record = a_record(source)
    found = match.explain(
        [moved("keras", "2.15.0", "3.1.0"), moved("tensorflow", "2.15.1", "2.16.1")],
        record,
        record,
    )
    assert [len(f.reasons) for f in found] == [0, 1]


def test_a_flag_that_is_set_voids_the_change() -> None:
    source = "import jax\nx = jax.random.normal(jax.random.key(0))\n"
    flag = "jax.config.update('jax_threefry_partitionable', False)\n"
    assert one(source, "jax", "0.4.38", "0.5.0").effect == "known"
    assert one(source + flag, "jax", "0.4.38", "0.5.0").effect == "unknown"


def test_gpu_flags_need_a_gpu() -> None:
    source = "import torch\ny = torch.matmul(a, b)"
    assert one(source, "torch", "1.11.0", "1.12.0", gpus=0).effect == "unknown"
    assert one(source, "torch", "1.11.0", "1.12.0", gpus=1).effect == "possible"
    assert one(source, "torch", "1.5.0", "1.12.0", gpus=1).effect == "unknown"


def test_the_present_source_counts_before_the_recorded() -> None:
    old = a_record(KMEANS)
    new = a_record("from sklearn.cluster import KMeans\nKMeans(8, n_init=10)")
    difference = moved("scikit-learn", "1.3.2", "1.4.0")
    assert match.explain([difference], old, new)[0].effect == "unknown"
    assert match.explain([difference], old, old)[0].effect == "known"
    assert match.explain([difference], old, a_record())[0].effect == "known"


def test_python_itself() -> None:
    record = a_record("total = sum([0.1] * 10)")
    difference = Difference("runtime", "python", "version", "python", "unknown", "3.11.4", "3.12.1")
    (found,) = match.explain([difference], record, record)
    assert found.effect == "possible"
    assert found.reasons[0].remedy.endswith("use Python 3.11.4")


def test_concerning_asks_for_no_version() -> None:
    record = a_record(KMEANS, scikit_learn="1.9.0", numpy="2.4.0")
    found = match.concerning(record)
    assert {c.entry.id for c in found} >= {"sklearn-kmeans-n-init"}
    assert all(site.path == "fit.py" for c in found for site in c.sites)
    baked = next(c for c in found if c.entry.id == "sklearn-kmeans-n-init").to_json()
    assert baked["sites"][0]["line"] == 8
    assert match.concerning(a_record(KMEANS, numpy="2.4.0")) == ()


def test_odd_records_and_versions_do_no_harm() -> None:
    record = a_record(KMEANS)
    facets = dict(record.facets)
    subject = facets["behaviour"].subjects[0]
    broken = subject._replace(payload={"sites": [1, {"symbol": 3}, None]})
    facets["behaviour"] = facets["behaviour"]._replace(subjects=(broken,))
    odd: Record = record._replace(facets=facets)
    (found,) = match.explain([moved("scikit-learn", "git-abc", "1.5.2")], odd, odd)
    assert found.effect == "unknown"


QUIET = {
    "scikit-learn 1.5.1 1.5.2": KMEANS,
    "scikit-learn 1.2.2 1.3.0": "from sklearn.metrics import f1_score\nf1_score(a, b)",
    "numpy 1.26.3 1.26.4": "import numpy as np\nnp.unique(x, return_inverse=True)",
    "numpy 1.26.4 2.0.0": "import numpy as np\nx = np.zeros(3, dtype=np.float32)",
    "numpy 1.17.5 1.18.0": "import numpy as np\nnp.random.default_rng(0).integers(0, 9, 5)",
    "pandas 2.0.0 2.0.1": "import pandas as pd\npd.read_csv(f).groupby('g').mean()",
    "pandas 2.3.3 3.0.0": "import pandas as pd\npd.read_csv(f).groupby('g', observed=True).sum()",
    "scipy 1.11.1 1.11.4": "from scipy import stats\nstats.mannwhitneyu(a, b)",
    "torch 1.1.0 1.2.0": "import torch.nn as nn\nnn.Linear(3, 4)\nnn.BatchNorm2d(8, affine=False)",
    "torch 1.6.0 1.10.2": "from torch.utils.data import DataLoader\nDataLoader(d, 10, False)",
    "torch 1.1.0 2.13.0": "import torch\ntorch.randperm(8)\ntorch.nn.Embedding(3, 4)",
    "pillow 6.2.2 7.0.0": "from PIL import Image\nImage.open(f).resize((8, 8), Image.BICUBIC)",
    "torch 1.13.1 2.0.0": "import torch\no = torch.optim.SGD(net.parameters(), 0.1)\no.zero_grad()",
    "numpy 2.0.2 2.1.0": "import numpy as np\nnp.floor(x)",
    "pandas 2.3.3 3.0.1": "import pandas as pd\npd.to_datetime(s)\npd.date_range(a, b, freq='D')",
    "catboost 1.2.3 1.2.8": "import catboost as c\nc.CatBoostRegressor(loss_function='RMSE')",
    "jax 0.4.38 0.5.0": "import jax.numpy as jnp\njnp.zeros(3).sum()",
}


@pytest.mark.parametrize("move", sorted(QUIET))
def test_quiet_where_nothing_known_applies(move: str) -> None:
    assert one(QUIET[move], *move.split()).effect == "unknown"
