"""``prov show``: a record as text, and as the tables of an appendix."""

import json

import pytest

from provenance.core import record
from provenance.core.paths import PathRef
from provenance.operations import appendix
from tests.conftest import PYTHON

TITLES = [
    "The run",
    "Hyper-parameters",
    "Model",
    "Data that was read",
    "Software",
    "Hardware",
    "Seeds and determinism",
    "Cost",
    "Results",
]


def titles(text):
    return [line[3:] for line in text.splitlines() if line.startswith("## ")]


def rows(text, title):
    """Return the rows of the table under ``title`` as lists of cells."""
    part = text.partition("## %s\n" % title)[2].partition("\n## ")[0]
    lines = [line for line in part.splitlines() if line.startswith("|")][2:]
    return [[cell.strip() for cell in line.strip("|").split(" | ")] for line in lines]


def test_the_tables_of_an_appendix(prov):
    prov("run", "--name", "t2", "--", PYTHON, "train.py", "--lr", "0.5")
    text = prov("show", "t2", "--format", "markdown").stdout
    assert text.startswith("# Run t2\n")
    assert titles(text) == TITLES
    assert rows(text, "Hyper-parameters")[:2] == [
        ["lr", "0.5", "0.1", "argparse"],
        ["epochs", "3", "3", "default"],
    ]
    (data,) = rows(text, "Data that was read")
    assert (data[0], data[2]) == ("data.csv", "8 B")
    assert len(data[3].partition(":")[2]) == 12
    assert ["random.seed", "7"] in [row[:2] for row in rows(text, "Seeds and determinism")]
    assert {"loss", "test.acc"} <= {row[0].replace("/", ".") for row in rows(text, "Results")}
    assert any(row[0] == "Python" for row in rows(text, "Software"))
    assert any(row[0] == "wall time" for row in rows(text, "Cost"))
    assert "No model was seen" in text


def test_one_facet_in_latex_to_a_file(prov):
    prov("run", "--", PYTHON, "train.py")
    done = prov("show", "@last", "params", "--format", "latex", "-o", "a.tex")
    assert done.stdout == ""
    text = (prov.folder / "a.tex").read_text()
    assert text.count("\\begin{table}") == 1
    assert "\\label{tab:hyperparameters}" in text
    assert "lr & 0.1 & 0.1 & default" in text
    prov("show", "@last", "-o", "a.txt")
    assert (prov.folder / "a.txt").read_text() == prov("show", "@last").stdout


@pytest.mark.parametrize(
    ("words", "code", "says"),
    [
        (["--format", "word"], 2, "--format takes latex or markdown"),
        (["--format", "latex", "--json"], 2, "goes without --json"),
        (["--format", "latex", "-o", "no/such/folder/a.tex"], 5, "cannot be written"),
        (["outputs", "--format", "latex"], 3, "there is no table on 'outputs'"),
    ],
    ids=["form", "json", "file", "facet"],
)
def test_what_cannot_be_asked_for_is_said(prov, words, code, says):
    prov("run", "--", PYTHON, "train.py")
    assert says in prov("show", "@last", *words, code=code).stderr


def test_a_record_without_any_facet_gives_every_table_with_its_reason():
    run = record.Record(
        id="20260101T000000Z-00000001",
        command=("python", "train.py"),
        cwd=PathRef("repo", "."),
        status="failed",
        started="2026-01-01T00:00:00+00:00",
        exit_code=1,
    )
    text = appendix.render(run, "markdown")
    assert titles(text) == TITLES
    assert "Not in the record: hardware." in text
    assert "these are no final results" in text
    skipped = run._replace(facets={"seeds": record.skipped(1, "too late")})
    assert "Not recorded: seeds (skipped: too late)." in appendix.render(skipped, "markdown")
    assert "exit code 1" in appendix.render(run, "latex")


def test_a_run_that_failed_does_not_pass_for_a_result(prov):
    (prov.folder / "bad.py").write_text(
        'import json, sys\njson.dump({"acc": 0.9}, open("metrics.json", "w"))\nsys.exit(3)\n'
    )
    prov("run", "--", PYTHON, "bad.py", code=3)
    text = prov("show", "@last", "metrics", "--format", "markdown").stdout
    assert "The run did not end well (exit code 3)" in text


def test_the_payload_stays_json(prov):
    prov("run", "--", PYTHON, "train.py")
    shown = json.loads(prov("show", "@last", "model", "--json").stdout)["data"]["facets"]
    assert list(shown) == ["model"]
    assert shown["model"]["subjects"][0]["payload"]["models"] == []
    assert "No model was seen" in prov("show", "@last", "model").stdout
