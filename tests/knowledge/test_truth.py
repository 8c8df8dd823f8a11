"""Both versions for real: where the matcher says "known", the same script prints something else."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from provenance.knowledge import match
from tests.knowledge._records import a_record, moved

pytestmark = [
    pytest.mark.slow,
    pytest.mark.network,
    pytest.mark.skipif(shutil.which("uv") is None, reason="uv is not installed"),
    pytest.mark.skipif(sys.version_info[:2] > (3, 12), reason="no wheels for the old side"),
]

KMEANS = """\
from sklearn.cluster import KMeans
from sklearn.datasets import load_digits
print("%.1f" % KMeans(10, random_state=0).fit(load_digits().data).inertia_)
"""
DUMMIES = """\
import pandas as pd
print(pd.get_dummies(pd.Series(["a", "b"])).to_csv())
"""
CHAINED = """\
import pandas as pd
df = pd.DataFrame({"age": [20, 70], "weight": [1.0, 1.0]})
df["weight"][df["age"] > 60] = 5.0
print(df["weight"].sum())
"""
SCALAR = """\
import numpy as np
x = np.float32(3)
print((x * 0.1).dtype)
"""
SIMPSON = """\
from scipy.integrate import simpson
print("%.6f" % simpson([1.0, 2.0, 4.0, 3.0, 1.0, 2.0]))
"""

CASES = {
    "kmeans": (KMEANS, "scikit-learn", "1.3.2", "1.5.2", ["numpy==1.26.4", "scipy==1.11.4"]),
    "dummies": (DUMMIES, "pandas", "1.5.3", "2.0.3", ["numpy==1.26.4"]),
    "chained": (CHAINED, "pandas", "2.3.3", "3.0.0", ["numpy==2.3.4"]),
    "scalar": (SCALAR, "numpy", "1.26.4", "2.0.2", []),
    "simpson": (SIMPSON, "scipy", "1.10.1", "1.11.4", ["numpy==1.26.4"]),
}
FLAGGED = {"kmeans": "known", "dummies": "known", "chained": "known"}


def printed(folder: Path, script: str, requirements: list[str]) -> str:
    """Return what ``script`` prints in an environment of its own."""
    env = {n: v for n, v in os.environ.items() if not n.startswith(("PYTHON", "VIRTUAL_ENV"))}
    target = folder / "env"
    subprocess.run(["uv", "venv", "-q", "--python", sys.executable, str(target)], check=True)
    python = str(target / "bin" / "python")
    install = ["uv", "pip", "install", "-q", "--only-binary", ":all:", "--python", python]
    subprocess.run([*install, *requirements], check=True, env=env)
    done = subprocess.run(
        [python, "-W", "ignore", "-c", script], check=True, capture_output=True, text=True, env=env
    )
    shutil.rmtree(target)
    return done.stdout


@pytest.mark.parametrize("name", sorted(CASES))
def test_the_numbers_change_where_we_say_so(name: str, tmp_path: Path) -> None:
    script, package, old, new, others = CASES[name]
    outputs = []
    for number, version in enumerate((old, new)):
        folder = tmp_path / str(number)
        folder.mkdir()
        outputs.append(printed(folder, script, [*others, "%s==%s" % (package, version)]))
    assert outputs[0] != outputs[1]
    record = a_record(script)
    (found,) = match.explain([moved(package, old, new)], record, record)
    assert found.effect == FLAGGED.get(name, "possible")
    assert found.reasons
