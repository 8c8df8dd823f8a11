"""Forms of what looks into a table, of the models of statsmodels, and of pickles."""

from __future__ import annotations

import json
import pickle
import subprocess
from pathlib import Path

import pytest

from provenance.agent.rehearsal import _prov_forms as forms
from provenance.compare.forms import unlike
from tests.agent.test_hook_models import installed

SCRIPT = """
import importlib.util, json, sys
import numpy as np, pandas as pd, statsmodels.api as sm
spec = importlib.util.spec_from_file_location("_prov_forms", sys.argv[1])
forms = importlib.util.module_from_spec(spec); spec.loader.exec_module(forms)
def made(first):
    t = pd.DataFrame({"a": [first, 2.0, 4.0, 3.0], "b": list("xyzx")})
    t["when"] = pd.to_datetime(["2020-01-0%d" % max(1, first)] * 4)
    x = sm.add_constant(t.a)
    results = sm.OLS(np.arange(4.0), x).fit()
    views = {"iloc": t.iloc, "loc": t.loc, "at": t.at, "group": t.groupby("b"),
        "rolling": t.a.rolling(2), "dt": t.when.dt, "resample": t.set_index("when").resample("D"),
        "model": sm.OLS(np.arange(4.0), x), "results": results,
        "influence": results.get_influence()}
    return {name: forms.form(one) for name, one in views.items()}
print(json.dumps([made(1), made(1), made(9)], allow_nan=False))
"""


def test_pickles_hold_the_layout_of_a_library_and_are_not_compared() -> None:
    one, other = (forms.form(pickle.dumps({"a": n})) for n in (1, 2))
    assert unlike(one, other) is None
    assert unlike(forms.form(b"abc."), forms.form(b"abd.")) is not None


@pytest.mark.slow
@pytest.mark.network
@pytest.mark.timeout(300)
@pytest.mark.parametrize("wanted", [("statsmodels==0.15.0", "pandas==3.1.1")])
def test_what_looks_into_a_table_is_like_the_table(tmp_path: Path, wanted: tuple[str, ...]) -> None:
    python = installed(tmp_path / "env", *wanted)
    words = [python, "-W", "ignore", "-c", SCRIPT, str(Path(forms.__file__))]
    done = subprocess.run(words, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    first, again, other = json.loads(done.stdout)
    for name, form in first.items():
        assert unlike(form, again[name]) is None, name
        assert unlike(form, other[name]) is not None, name
