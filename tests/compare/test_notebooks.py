"""Notebooks compared by their sources and outputs; nothing in them is run."""

from __future__ import annotations

import base64
import io
import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from provenance.compare import contents
from provenance.core.verdict import DIFFERENT, WITHIN

from ._pairs import judge, names, sentence


def plot(red: int) -> str:
    out = io.BytesIO()
    Image.new("RGB", (8, 8), (red, 0, 0)).save(out, "png")
    return base64.encodebytes(out.getvalue()).decode()


def notebook(count: int = 1, accuracy: str = "0.91", **more: Any) -> str:
    """Return a notebook as Jupyter saves it. count: of executions so far."""
    took = more.get("took", "1.2s")
    train = {
        "cell_type": "code",
        "id": "c%d" % count,
        "execution_count": count,
        "metadata": {"execution": {"iopub.execute_input": "2025-01-0%dT00:00:00Z" % count}},
        "source": more.get("source", ["def train():\n", "    return 1\n"]),
        "outputs": [
            {"output_type": "stream", "name": "stdout", "text": ["epoch 1 %s\n" % took]},
            {"output_type": "stream", "name": "stdout", "text": "accuracy %s\n" % accuracy},
            {"output_type": "stream", "name": "stderr", "text": "took %d\n" % count},
        ],
    }
    shown = {
        "cell_type": "code",
        "execution_count": count + 1,
        "metadata": {},
        "source": "plot()",
        "outputs": [
            {
                "output_type": "display_data",
                "metadata": {},
                "data": {
                    "text/plain": ["<Figure at 0x7f00%02d>" % count],
                    "image/png": plot(more.get("red", 10)),
                },
            },
            {
                "output_type": "execute_result",
                "execution_count": count + 1,
                "metadata": {},
                "data": {"text/html": '<table id="T_%05d"><td>0.5</td></table>' % count},
            },
        ],
    }
    text = {"cell_type": "markdown", "metadata": {}, "source": "# Title"}
    return json.dumps({"cells": [text, train, shown], "metadata": {}, "nbformat": 4})


def test_executed_again_with_the_same_outputs(tmp_path: Path) -> None:
    one = judge(tmp_path, "a.ipynb", notebook(), notebook(7, took="9.9s"))
    assert one.verdict == WITHIN
    assert one.detail == (
        "re-executed with the same outputs; outputs differ in times, addresses and the like"
    )
    one = judge(tmp_path, "b.ipynb", notebook(), notebook(accuracy="0.9100000001"))
    assert (one.verdict, one.detail) == (WITHIN, "1 value in outputs within tolerance")


def test_the_first_cell_that_differs_is_named(tmp_path: Path) -> None:
    one = judge(tmp_path, "a.ipynb", notebook(), notebook(3, accuracy="0.93"))
    assert one.verdict == DIFFERENT
    assert one.detail == (
        "cell 2 [train]: output differs: accuracy 0.91 -> accuracy 0.93; the sources are the same"
    )


def test_sources_images_and_cells(tmp_path: Path) -> None:
    source = ["def train():\n", "    return 2\n"]
    one = judge(tmp_path, "a.ipynb", notebook(), notebook(source=source))
    assert one.detail == "cell 2 [train]: source differs in line 2: return 1 -> return 2"
    one = judge(tmp_path, "b.ipynb", notebook(), notebook(red=60))
    assert names(one)["cell 3 [plot]"].startswith("image in the output: 64 of 64 pixels differ")
    fewer = json.loads(notebook())
    fewer["cells"].pop()
    one = judge(tmp_path, "c.ipynb", notebook(), json.dumps(fewer))
    assert one.detail == "cell 3 [plot]: only in the first"
    fewer = json.loads(notebook())
    fewer["cells"][1]["outputs"] = []
    one = judge(tmp_path, "d.ipynb", notebook(), json.dumps(fewer))
    assert names(one)["cell 2 [train]"] == "no output in the second"


def test_an_error_in_place_of_an_output(tmp_path: Path) -> None:
    failed = json.loads(notebook())
    failed["cells"][1]["outputs"] = [
        {"output_type": "error", "ename": "ValueError", "evalue": "x", "traceback": []}
    ]
    one = judge(tmp_path, "a.ipynb", notebook(), json.dumps(failed))
    assert "output differs: stdout -> error" in one.detail


def test_what_is_no_notebook_says_so(tmp_path: Path) -> None:
    with pytest.raises(contents.Opaque, match="the second is not a notebook"):
        judge(tmp_path, "a.ipynb", notebook(), "[1]")


LEAF = st.none() | st.integers() | st.text(max_size=3)
VALUE = st.recursive(
    LEAF,
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from("cells source outputs output_type data text image/png".split()),
            inner,
            max_size=4,
        )
    ),
    max_leaves=10,
)


@settings(max_examples=200, deadline=None)
@given(st.lists(VALUE, max_size=3), st.lists(VALUE, max_size=3))
def test_any_notebook_gives_a_sentence(tmp_path_factory: Any, one: Any, other: Any) -> None:
    folder = tmp_path_factory.mktemp("n")
    pair = [json.dumps({"cells": cells}) for cells in (one, other)]
    said = sentence(folder, "a.ipynb", *pair)
    assert said
    assert "\n" not in said
