"""``prov claims``: a paper's numbers held against real runs, as its authors and reviewers do it."""

import csv
import shutil
import subprocess
from xml.etree import ElementTree

import pytest

from provenance.exports import claims_csv, claims_latex
from tests.cli.test_lock_check import git
from tests.conftest import HELPER, TRAIN, Prov

CLAIMS = """\
# settings of the project
claims:
  table1:
    says: "the baseline ends at a loss of 4.99 & has 50 % accuracy"
    run: baseline
    metric: loss
    value: {loss}
    tolerance: 1 %
  shares:
    run: baseline
    metric: test.acc
    value: 50.0

  better:  # an ordering
    holds: slow:loss > baseline:loss
  settings:
    run: baseline
    parameters: {{lr: 1e-1, epochs: 3}}
rtol: 1.0e-6
"""
DATA = "x\n1\n2\n3\n"


@pytest.fixture(scope="module")
def paper(tmp_path_factory):
    """Return a published paper: two locked runs, four claims; tests put back what they edit."""
    folder = tmp_path_factory.mktemp("claims") / "paper"
    folder.mkdir()
    files = {"train.py": TRAIN, "helper.py": HELPER, "data.csv": DATA}
    files[".gitignore"] = "metrics.json\nhistory.csv\nmodel.bin\nout*\n"
    for name, text in files.items():
        (folder / name).write_text(text)
    git(folder, "init", "-q", "-b", "main")
    git(folder, "add", ".")
    git(folder, "commit", "-q", "-m", "start")
    prov = Prov(folder)
    prov("run", "--name", "baseline", "--tag", "t1", "--", "python", "train.py")
    prov("run", "--name", "slow", "--", "python", "train.py", "--lr", "0.05")
    loss = prov.json("show", "baseline")["facets"]["metrics"]["subjects"][0]["payload"]["final"]
    (folder / "prov.yaml").write_text(CLAIMS.format(loss="%.4f" % loss["loss"]))
    prov("lock", "baseline", "slow")
    prov("replay", "baseline", "--yes")
    prov("replay", "prov.lock", "--all", "--yes", "--receipt")
    git(folder, "add", ".")
    git(folder, "commit", "-q", "-m", "publish")
    return prov


@pytest.fixture
def published(paper):
    """Return the same, as it was committed, also after the test."""
    yield paper
    git(paper.folder, "checkout", "-q", ".")


def verdicts(prov, *words, code=0):
    found = prov.json("claims", "check", *words, code=code)["claims"]
    return {one["name"]: one["verdict"] for one in found}


ALL = {"table1": "holds", "shares": "holds", "better": "holds", "settings": "holds"}


def test_all_hold_and_say_by_what(published):
    assert verdicts(published) == ALL
    told = published("claims", "check").stdout
    assert told.startswith("ALL HOLD: 4 claims: 4 hold (exit 0)")
    assert "\u00b10.05 (half of the last printed digit)" in told
    assert "recorded as a share of 1" in told
    assert "lr 0.1 (argparse)" in told
    assert "replayed by 2, 2 within tolerance" in told
    assert verdicts(published, "better") == {"better": "holds"}


def test_a_reviewer_needs_the_lock_alone(published, tmp_path):
    clone = tmp_path / "clone"
    git(published.folder, "clone", "-q", ".", str(clone))
    assert not (clone / ".prov").exists()
    prov = Prov(clone)
    assert verdicts(prov) == ALL
    receipts = list((clone / "prov-receipts").iterdir())
    assert len(receipts) == 2
    assert "replayed by 1, 1 within tolerance" in prov("claims", "check", "table1").stdout
    found = verdicts(prov, "--replayed")
    assert found == {**ALL, "settings": "not checked"}  # of which a receipt tells nothing
    for one in receipts:
        one.write_text(one.read_text().replace('"now"', '"later"'))  # the seal breaks
    assert verdicts(prov, "--replayed", "better", code=3) == {"better": "not checked"}


def test_code_that_the_run_used_makes_it_stale_at_its_line(published):
    path = published.folder / "helper.py"
    path.write_text('"""A docstring."""\n# a comment\n' + HELPER)
    assert verdicts(published) == ALL
    path.write_text("# a comment\n" + HELPER.replace("1 - lr", "1 - 2 * lr"))
    told = published("claims", "check", "table1", code=1).stdout
    assert "STALE  table1" in told
    assert "helper.py:3 changed since the run: return loss * (1 - lr) -> " in told
    assert set(verdicts(published, code=1).values()) == {"stale"}
    assert "stale since helper.py changed" in published("verify", code=1).stdout


def test_data_that_changed_makes_it_stale(published):
    (published.folder / "data.csv").write_text(DATA + "4\n")
    told = published("claims", "check", "better", code=1).stdout
    assert "data.csv has other content than the run read" in told


def test_verify_says_in_a_line_how_many_there_are(published):
    told = published("verify").stdout
    assert "4 claims of the paper rest on this run, not stale: prov claims check" in told
    assert "1 claim of the paper rests on this run, not stale" in told


def test_what_does_not_hold_fails(published):
    path = published.folder / "prov.yaml"
    text = path.read_text()
    path.write_text(text.replace("value: 50.0", "value: 50.1").replace("lr: 1e-1", "lr: 1e-2"))
    found = verdicts(published, code=1)
    assert found == {**ALL, "shares": "fails", "settings": "fails"}
    told = published("claims", "check", code=1).stdout
    assert "lr is stated as 1e-2" in told
    assert "note: stated was test.acc 50.0 when prov.lock was written" in told
    path.write_text(text.replace("tolerance: 1 %", "tolerance: 2 %"))
    assert "note: tolerance was 1 % when prov" in published("claims", "check").stdout


@pytest.mark.parametrize(
    ("old", "new", "why"),
    [
        ("run: baseline\n    metric: loss", "run: baselin\n    metric: loss", "near: baseline"),
        ("metric: loss", "metric: losss", "has no metric losss; near: loss"),
        ("lr: 1e-1", "lrr: 1e-1", "no parameter lrr; near: lr"),
    ],
)
def test_what_cannot_be_checked_says_why(published, old, new, why):
    path = published.folder / "prov.yaml"
    path.write_text(path.read_text().replace(old, new))
    told = published("claims", "check").stdout
    assert told.startswith("WHAT WAS CHECKED HOLDS: 4 claims: 3 hold, 1 not checked")
    assert why in told
    published("claims", "check", "--strict", code=1)
    lacking = published("lock", "--check", code=None).stdout
    assert ("claims whose run is not published" in lacking) == ("baselin\n" in new)


def test_another_run_may_be_held_against_them(published):
    found = verdicts(published, "--run", "slow", code=1)
    assert found == {**ALL, "table1": "fails", "better": "not checked", "settings": "fails"}
    assert verdicts(published, "--replayed", code=0)["table1"] == "holds"
    assert "exclude each other" in published("claims", "check", "--run", "a", "--replayed",
                                             code=2).stderr  # fmt: skip


def test_a_newer_run_of_the_name_makes_it_stale(published):
    published("run", "--name", "slow", "--", "python", "train.py", "--lr", "0.04")
    new = published.last()["id"]
    try:
        told = published("claims", "check", "better", code=1).stdout
        assert "run slow is not the newest run of that name" in told
        assert verdicts(published, code=1) == {**ALL, "better": "stale"}
    finally:
        shutil.rmtree(published.folder / ".prov" / "runs" / new)


def test_a_run_that_is_not_published_is_noted(published):
    published("run", "--name", "extra", "--", "python", "train.py")
    path = published.folder / "prov.yaml"
    path.write_text(path.read_text().replace("holds: slow:loss", "holds: extra:loss + 1"))
    told = published("claims", "check", "better").stdout
    assert "run extra is not in prov.lock: readers cannot check this" in told
    assert (
        "claims whose run is not published: better (run extra)"
        in published("lock", "--check", code=None).stdout
    )


def test_exports(published):
    names = {"--latex": "out.tex", "--macros": "out-n.tex", "--csv": "out.csv", "--junit": "out.x"}
    published("claims", "check", *(word for pair in names.items() for word in pair))
    read = {form: (published.folder / name).read_text() for form, name in names.items()}
    assert "\\newcommand{\\provShares}{50.0}" in read["--macros"]
    assert "\\& has 50 \\%" not in read["--latex"]  # a page has no room for the sentence
    rows = list(csv.DictReader(read["--csv"].splitlines()))
    assert [row["verdict"] for row in rows] == ["holds"] * 4
    assert rows[0]["says"] == "the baseline ends at a loss of 4.99 & has 50 % accuracy"
    suite = ElementTree.fromstring(read["--junit"]).find("testsuite")
    assert (suite.get("tests"), suite.get("failures")) == ("4", "0")
    assert "| holds |" in published("claims", "check", "--markdown").stdout
    if shutil.which("pdflatex"):
        (published.folder / "out-d.tex").write_text(
            "\\documentclass{article}\\usepackage{booktabs,longtable}\\input{out-n.tex}"
            "\\begin{document}\\provTableOne\\input{out.tex}\\end{document}"
        )
        command = ["pdflatex", "-interaction=nonstopmode", "-halt-on-error", "out-d.tex"]
        done = subprocess.run(command, cwd=published.folder, capture_output=True, check=False)
        assert done.returncode == 0, done.stdout[-2000:]


def test_annotations_stand_at_the_claim(published, tmp_path):
    path = published.folder / "prov.yaml"
    path.write_text(path.read_text().replace("value: 50.0", "value: 51.0"))
    summary = tmp_path / "summary"
    env = {"GITHUB_STEP_SUMMARY": str(summary), "GITHUB_WORKSPACE": str(published.folder)}
    told = published("claims", "check", "--github", code=1, env=env).stdout
    assert "::error file=prov.yaml,line=9,title=claim shares%3A fails::" in told
    assert "NOT ALL HOLD" in summary.read_text()


def test_macros_and_cells_are_safe():
    assert claims_latex.name_of("table1-resnet") == "provTableOneResnet"
    with pytest.raises(Exception, match="would both be"):
        claims_latex.macros([("a-b", "1"), ("a_b", "2")])
    assert "10^{-4}" in claims_latex.macros([("x", "1e-04")])
    assert claims_csv._cell("=1+1") == "'=1+1"
    assert claims_csv._cell("-0.5") == "-0.5"


def test_suggest_and_add(prov):
    assert "states no claims" in prov("claims", "list").stdout
    assert "NO CLAIMS" in prov("claims", "check", code=3).stdout
    prov("run", "--name", "base", "--", "python", "train.py")
    prov("run", "--name", "slow", "--", "python", "train.py", "--lr", "0.05")
    (prov.folder / "prov.yaml").write_text("# mine\nrtol: 0.1\n")
    suggested = prov("claims", "suggest", "base", "slow").stdout
    path = prov.folder / "prov.yaml"
    path.write_text(path.read_text() + suggested)
    found = verdicts(prov)
    assert len(found) >= 3
    assert set(found.values()) == {"holds"}
    words = ("--says", 'a "quoted": claim # 1', "--run", "base", "--metric", "test.acc")
    prov("claims", "add", "mine", *words, "--parameter", "lr=1e-1")
    prov("claims", "add", "order", "--holds", "slow:loss > base:loss")
    assert path.read_text().startswith("# mine\nrtol: 0.1\nclaims:")
    listed = {one["name"]: one for one in prov.json("claims", "list")["claims"]}
    assert listed["mine"]["says"] == 'a "quoted": claim # 1'
    assert verdicts(prov, "mine", "order") == {"mine": "holds", "order": "holds"}
    assert "there is a claim mine already" in prov("claims", "add", "mine", "--holds", "a:b > 1",
                                                   code=2).stderr  # fmt: skip
    path.write_text("claims:\nrtol: 0.2\n")
    prov("claims", "add", "order", "--holds", "slow:loss > base:loss")
    assert path.read_text().startswith("claims:\n  order:\n")
    assert path.read_text().endswith("rtol: 0.2\n")
    prov("claims", "add", "mine", "--holds", "slow:loss > base:loss")
    before = path.read_text()
    prov("claims", "add", "wrong", "--holds", "a > 1", code=4)
    assert path.read_text() == before
    assert "did you mean mine" in prov("claims", "check", "mnie", code=2).stderr


def test_claims_in_pyproject(prov):
    prov("run", "--name", "base", "--", "python", "train.py")
    text = '[tool.prov.claims.acc]\nrun = "base"\nmetric = "test.acc"\nvalue = 0.50\n'
    (prov.folder / "pyproject.toml").write_text(text)
    (one,) = prov.json("claims", "check")["claims"]
    assert (one["verdict"], one["where"]) == ("holds", "pyproject.toml:1")
    assert one["tolerance"].startswith("\u00b10.005 ")
    (prov.folder / "pyproject.toml").write_text(text.replace("value", "valu"))
    told = prov("claims", "check", code=4).stderr
    assert "pyproject.toml:4: claims.acc.valu is no member" in told


def test_the_kit_lists_them_and_checks_them_in_ci(published):
    published("init", "readme", "github", "appendix")
    try:
        readme = (published.folder / "README.md").read_text()
        assert "| claim | stated | run |" in readme
        assert "slow:loss \\> baseline:loss" in readme
        workflow = (published.folder / ".github/workflows/provenance.yml").read_text()
        assert "run: prov claims check --github --strict" in workflow
        appendix = (published.folder / "artifact-appendix.tex").read_text()
        assert "Claims of the paper" in appendix
    finally:
        git(published.folder, "clean", "-q", "-fd", "-e", ".prov")


def test_the_line_is_told_of_uncommitted_code_too(prov):
    helper = prov.folder / "helper.py"
    helper.write_text("import math\n" + HELPER)
    prov("run", "--name", "dirty", "--", "python", "train.py")
    prov("claims", "add", "a", "--run", "dirty", "--metric", "loss")
    helper.write_text("import math\n\n\n" + HELPER.replace("return ", "return 2 * "))
    told = prov("claims", "check", code=1).stdout
    assert "helper.py:5 changed since the run: return loss * (1 - lr) -> return 2 * loss" in told
