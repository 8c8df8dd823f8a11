"""Notebooks: run as a command by nbconvert and papermill, and live sessions in a real kernel."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import textwrap
import time
from pathlib import Path

import pytest

from provenance.agent import launch
from provenance.core import notebooks
from provenance.core.context import Context, FileUse, Observations
from provenance.facets import notebooks as facet
from tests.conftest import Prov, git
from tests.facet_contract import a_context
from tests.facets._venvs import venv

REAL = [pytest.mark.slow, pytest.mark.network, pytest.mark.timeout(600)]

PARAMETERS = "lr = 0.5\nepochs = 3  # how many\nname: str = 'base'"
READS = "import random\nrandom.seed(7)\nrows = [float(x) for x in open('data.csv')]"
TRAINS = (
    "loss = sum(rows)\nfor epoch in range(epochs):\n    loss *= 1 - lr\n"
    "    print('epoch %d loss=%.4f' % (epoch, loss))"
)
WRITES = "open('out.txt', 'w').write(str(loss))\nloss"


def notebook(*sources: str, counts=(), tags=None) -> str:
    made = [
        {
            "cell_type": "code",
            "id": "c%d" % n,
            "execution_count": counts[n] if counts else None,
            "metadata": {"tags": [tags[n]]} if tags and n in tags else {},
            "outputs": [],
            "source": source,
        }
        for n, source in enumerate(sources)
    ]
    text = {"cell_type": "markdown", "id": "t", "metadata": {}, "source": "# A study"}
    kernel = {"display_name": "Python 3", "language": "python", "name": "python3"}
    meta = {"kernelspec": kernel, "language_info": {"name": "python"}}
    whole = {"cells": [text, *made], "metadata": meta, "nbformat": 4, "nbformat_minor": 5}
    return json.dumps(whole, indent=1)


@pytest.fixture(scope="module")
def python(tmp_path_factory):
    """Return an interpreter with Jupyter's kernel, papermill and nbconvert."""
    folder = tmp_path_factory.mktemp("jupyter")
    return venv(folder / "venv", "ipykernel", "nbconvert", "papermill")


@pytest.fixture
def study(tmp_path, monkeypatch):
    """Return a committed project with a notebook whose cells had been run out of order."""
    folder = tmp_path / "study"
    folder.mkdir()
    (tmp_path / ".ipython").mkdir()
    for name in ("JUPYTER_CONFIG_DIR", "JUPYTER_DATA_DIR", "JUPYTER_RUNTIME_DIR", "IPYTHONDIR"):
        monkeypatch.setenv(name, str(tmp_path / ".ipython" / name))
    cells = (PARAMETERS, READS, TRAINS, WRITES)
    (folder / "nb.ipynb").write_text(
        notebook(*cells, counts=(3, 1, 2, None), tags={0: "parameters"})
    )
    (folder / "data.csv").write_text("1\n2\n3\n")
    git(folder, "init", "-q", "-b", "main")
    git(folder, "add", ".")
    git(folder, "commit", "-q", "-m", "start")
    return folder


def tool(python: str, name: str) -> str:
    return str(Path(python).parent / name)


def outputs_of(path: Path) -> list:
    cells = json.loads(path.read_text())["cells"]
    every = [output for cell in cells for output in cell.get("outputs", [])]
    return [{k: v for k, v in output.items() if k != "metadata"} for output in every]


def names(payload) -> dict:
    return {one["path"]["path"]: one["kind"] for one in payload["files"]}


class TestCommands:
    """A notebook that is run by a program."""

    pytestmark = REAL

    def test_papermill(self, python, study):
        prov = Prov(study)
        words = [tool(python, "papermill"), "nb.ipynb", "out.ipynb", "-p", "lr", "0.25"]
        words += ["-k", "python3", "--no-progress-bar"]
        subprocess.run(words, cwd=study, check=True, capture_output=True, env=prov.environ)
        bare = outputs_of(study / "out.ipynb")
        (study / "out.ipynb").unlink()
        (study / "out.txt").unlink()
        prov("run", "--", *words)
        assert outputs_of(study / "out.ipynb") == bare

        values = prov.payload("params")["values"]
        assert {n: (p["value"], p["default"], p["given"]) for n, p in values.items()} == {
            "lr": (0.25, 0.5, True),
            "epochs": (3, 3, False),
            "name": ("base", "base", False),
        }
        assert {p["source"] for p in values.values()} == {"papermill"}
        assert names(prov.payload("data")) == {"data.csv": "data"}
        assert set(names(prov.payload("outputs"))) == {"out.ipynb", "out.txt"}
        used = prov.payload("code")["used"]
        assert [one["path"]["path"] for one in used] == ["nb.ipynb"]
        assert "notebook-code-1" in used[0]["digests"]
        (call,) = prov.payload("seeds")["calls"]
        assert (call["argument"], call["where"]) == (7, "nb.ipynb cell 2:2")
        found = prov.payload("metrics")
        assert [one["value"] for one in found["series"]["loss"]] == [4.5, 3.375, 2.5312]
        assert found["sources"]["loss"] == "out.ipynb cell 4"
        (one,) = prov.payload("notebooks")["notebooks"]
        assert (one["executed"]["path"], one["cells"], one["ran"]) == ("out.ipynb", 5, 5)
        assert one["saved"] == [3, 1, 2, None]
        assert "out of order: 3, 1, 2" in " ".join(prov.last()["facets"]["notebooks"]["notes"])
        assert [s["id"] for s in prov.last()["facets"]["packages"]["subjects"]] == ["python"]

    def test_nbconvert_in_place(self, python, study):
        prov = Prov(study)
        words = [tool(python, "jupyter"), "nbconvert", "--to", "notebook", "--execute"]
        prov("run", "--", *words, "--inplace", "nb.ipynb")
        (one,) = prov.payload("notebooks")["notebooks"]
        assert (one["path"], one["ran"], one["saved"]) == (one["executed"], 4, [])
        values = prov.payload("params")["values"]
        assert {one["source"] for one in values.values()} == {"script"}  # settings in its cells
        assert (values["epochs"]["value"], values["epochs"]["default"]) == (3, 3)
        assert names(prov.payload("data")) == {"data.csv": "data"}
        assert prov.payload("metrics")["final"]["loss"] == 0.75

    def test_a_cell_that_fails(self, python, study):
        (study / "nb.ipynb").write_text(notebook("x = 1", "x / 0", "print(x)"))
        prov = Prov(study)
        words = [tool(python, "papermill"), "nb.ipynb", "out.ipynb", "-k", "python3"]
        words = ["sh", "-c", '"$@" 2>/dev/null', "sh", *words]
        prov("run", "--", *words, code=1)
        assert set(names(prov.payload("outputs"))) == {"out.ipynb"}
        (one,) = prov.payload("notebooks")["notebooks"]
        assert one["ran"] == 2
        assert [text.partition(": ")[2] for text in one["failed"]] == ["ZeroDivisionError"]


DRIVER = """
import json, os, sys
from jupyter_client import KernelManager
manager = KernelManager(kernel_name="python3")
manager.start_kernel()
client = manager.client()
client.start_channels()
client.wait_for_ready(60)
told = []
for cell in json.load(open(sys.argv[1])):
    text = []
    def take(message):
        content = message["content"]
        if message["msg_type"] == "stream":
            text.append(content["text"])
        elif message["msg_type"] == "display_data":
            text.append(content["data"]["text/plain"])
        elif message["msg_type"] == "error":
            text.append(content["ename"])
    client.execute_interactive(cell, output_hook=take, timeout=60)
    told.append("".join(text))
if sys.argv[2] == "kill":
    os.kill(manager.provisioner.pid, 9)
else:
    manager.shutdown_kernel()
print(json.dumps(told))
"""


class TestSessions:
    """A kernel that somebody works in."""

    pytestmark = REAL

    def live(self, python, study, cells, how="end", path=True):
        """Run cells in a kernel; return what each printed once the record is closed."""
        cells = [textwrap.dedent(cell) for cell in cells]
        (study.parent / "cells.json").write_text(json.dumps(cells))
        prov = Prov(study)
        folder = study.parent / "programs"
        folder.mkdir(exist_ok=True)
        if path:
            script = '#!/bin/sh\nexec %s -m provenance "$@"\n' % sys.executable
            (folder / "prov").write_text(script)
            (folder / "prov").chmod(0o755)
        environ = dict(prov.environ, PATH="%s:/usr/bin:/bin" % folder)
        done = subprocess.run(
            [python, "-c", DRIVER, str(study.parent / "cells.json"), how],
            cwd=study,
            env=environ,
            capture_output=True,
            text=True,
            timeout=240,
            check=False,
        )
        assert done.returncode == 0, done.stderr
        for _ in range(200):
            if not any(one["status"] == "running" for one in prov.json("ls")["runs"]):
                break
            time.sleep(0.1)
        return prov, json.loads(done.stdout)

    @pytest.fixture(autouse=True)
    def extension(self, study):
        shutil.copy(os.path.join(launch.SITE, "_prov_sdk.py"), study / "prov_sdk.py")

    CELLS = (
        "early = 1",
        "%load_ext prov_sdk",
        READS,
        "import prov_sdk\nprov_sdk.log_params(lr=0.5)\nprov_sdk.log_metrics(loss=0.25)",
        "import random\nrandom.seed(9)",
        "open('made.txt', 'w').write('x')\n1 / 0",
    )

    @pytest.mark.parametrize("how", ["end", "kill"])
    def test_the_record_is_closed_with_the_kernel(self, how, python, study):
        prov, told = self.live(python, study, self.CELLS, how)
        assert told[1].startswith("prov: recording this session as ")
        assert told[5] == "ZeroDivisionError"
        last = prov.last()
        assert (last["status"], last["command"]) == ("done", ["%load_ext", "provenance"])
        assert names(prov.payload("data")) == {"data.csv": "data"}
        assert set(names(prov.payload("outputs"))) == {"made.txt"}
        values = prov.payload("params")["values"]
        assert {n: (p["value"], p["source"]) for n, p in values.items()} == {"lr": (0.5, "sdk")}
        assert prov.payload("metrics")["final"] == {"loss": 0.25}
        calls = prov.payload("seeds")["calls"]
        assert [one["where"] for one in calls] == ["session In[3]:2", "session In[5]:2"]
        (one,) = prov.payload("notebooks")["notebooks"]
        assert (one["session"], one["failed"]) == (True, ["In[6]: ZeroDivisionError"])
        kept = study / ".prov" / "runs" / last["id"] / one["file"]
        sources = [cell.source for cell in notebooks.read(str(kept))]
        assert sources[0] == "early = 1"
        assert sources[2:] == list(self.CELLS[2:])
        prov("replay", "@last", "--yes", code=None)
        assert prov.json("verify", "@last")["verdict"] == "same"

    def test_save_and_start(self, python, study):
        cells = [
            *self.CELLS[:3],
            "%prov status",
            "%prov save first",
            "%prov status\nimport os, subprocess",
            "os.environ.get('PROV_AGENT_DIR'), subprocess.run(['true'], env=os.environ).returncode",
            "unseen = open('prov_sdk.py').read(9)",
            "%prov start",
            "again = open('data.csv').read()",
        ]
        prov, told = self.live(python, study, cells)
        assert "3 cells so far" in told[3]
        assert "recorded " in told[4]
        assert '"first"' in told[4]
        assert told[5] == "prov: nothing is being recorded; %prov start begins"
        assert told[8].startswith("prov: recording this session as ")
        first, second = prov.json("ls")["runs"]
        assert {first["name"], second["name"]} == {"first", None}
        assert names(prov.payload("data", "@last")) == {"data.csv": "data"}
        assert prov.payload("seeds", "@last")["calls"] == []

    def test_without_prov_it_says_so_and_the_session_goes_on(self, python, study):
        cells = ["%load_ext prov_sdk", "print(1 + 1)", "%prov save"]
        prov, told = self.live(python, study, cells, path=False)
        assert told[0].startswith("prov: there is no prov here")
        assert told[1] == "2\n"
        assert prov.json("ls")["runs"] == []


# --- without Jupyter -----------------------------------------------------------------------------


def seen(folder: Path, *uses: FileUse) -> Context:
    return a_context(folder, "after", observed=Observations(files=uses), run_dir=str(folder))


def test_the_hash_of_a_cell_is_that_of_its_kernel():
    # as ipykernel.compiler.murmur2_x86(source, 0xC70F6907) of ipykernel 7.4.0 has it
    known = {"": 3990065800, "x": 32546335, "lr = 0.1": 3893566778, "äöü": 832239575}
    for source, number in {**known, READS: 3661443232}.items():
        assert notebooks.cell_hash(source) == number


@pytest.mark.parametrize(
    ("counts", "expected"),
    [
        ((1, 2, 3), ()),
        ((3, 5, 9), ()),
        ((None, None), ()),
        ((3, 1, 2), (3, 1, 2)),
        ((1, None, 1), (1, 1)),
    ],
    ids=str,
)
def test_order_of_execution_as_saved(counts, expected):
    found = notebooks.cells(notebook(*("x = %d" % n for n in range(len(counts))), counts=counts))
    assert notebooks.out_of_order(found) == expected


@pytest.mark.parametrize("text", ["", "[]", "{}", '{"cells": 3}', '{"cells": [{}]}', "\0"])
def test_what_is_no_notebook_is_refused(text):
    with pytest.raises(ValueError, match=r"notebook|JSON|Expecting"):
        notebooks.cells(text)


def test_comparing_tells_failures_and_other_orders(tmp_path):
    def made(counts, ename=""):
        document = json.loads(notebook("a = 1", "a = 2", counts=counts))
        if ename:
            document["cells"][2]["outputs"] = [{"output_type": "error", "ename": ename}]
        (tmp_path / "nb.ipynb").write_text(json.dumps(document))
        return facet.capture(seen(tmp_path, FileUse(str(tmp_path / "nb.ipynb"), "w", False, True)))

    one = made((1, 2))
    assert facet.compare(one, made((1, 2))).differences == ()
    (order,) = facet.compare(one, made((2, 1))).differences
    assert (order.kind, order.effect) == ("content", "unknown")
    (failed,) = facet.compare(one, made((1, 2), "ValueError")).differences
    assert (failed.kind, failed.effect, failed.new) == ("exit", "broken", ["cell 2: ValueError"])
