"""The paper repositories of examples/ do for their authors and reviewers what their pages say.

Each is cloned as a reviewer gets it, its environment is built from its own file, and the drop-in
test, `prov verify` and the steps of the CI workflow are run: as it was, after an upgrade that is
known to change results, and after edits of data and code.
"""

import json
import re
import subprocess
import sys
from pathlib import Path
from typing import NamedTuple

import pytest
from scripts import _papers
from scripts._papers import OWN, TODAY, Clone

from tests import _conda_prefix
from tests.facets._venvs import UV, python_of
from tests.kit import _ci

PAPERS = {paper.name: paper for paper in _papers.PAPERS}
ADOPTED = [paper.name for paper in _papers.PAPERS if paper.made]
WORKFLOW = ".github/workflows/provenance.yml"
TEST = "test_provenance.py"

pytestmark = [pytest.mark.slow, pytest.mark.network, pytest.mark.timeout(1200)]


class Upgrade(NamedTuple):
    """A change of versions that is known to matter, and what has to be said of it.

    file, old, new: the edit by which somebody asks for it. package: its name. said: a sentence, a
    place and a remedy.
    """

    file: str
    old: str
    new: str
    package: str
    said: tuple[str, ...]


CONDA = '''\
#!{tool}
"""Stands for conda: makes the environment of an environment.yml from PyPI, with uv."""
import subprocess, sys
sys.path.insert(0, {root!r})
from pathlib import Path
from scripts import _papers
words = sys.argv[1:]
assert words[:2] == ["env", "create"], words
prefix, file = words[words.index("--prefix") + 1], words[words.index("--file") + 1]
assert file == "environment.yml", words
subprocess.run(["uv", "venv", "-q", "-p", "{python}", prefix], check=True)
wanted = _papers.requirements(Path("."))
subprocess.run(["uv", "pip", "install", "-q", "-p", prefix + "/bin/python", *wanted], check=True)
'''
UPGRADES = {
    "paper-pip": Upgrade(
        "requirements.txt",
        "scikit-learn==1.3.2",
        "scikit-learn==1.6.1",
        "scikit-learn",
        (
            "AdaBoostClassifier(algorithm) default 'SAMME.R' -> 'SAMME'",
            "train.py:51",
            "pip install scikit-learn==1.3.2",
        ),
    ),
    "paper-conda": Upgrade(
        "environment.yml",
        "category-encoders==2.4.1",
        "category-encoders==2.6.3",
        "category-encoders",
        (
            "TargetEncoder(smoothing) default 1.0 -> 10",
            "fit.py:31",
            "pip install category-encoders==2.4.1",
        ),
    ),
    "paper-never-adopted": Upgrade(
        "README.md",
        "scikit-learn 1.1",
        "scikit-learn 1.5",
        "scikit-learn",
        ("KMeans(n_init) default 10 -> 'auto'", "segment.py:19", "add n_init=10"),
    ),
}


@pytest.fixture(scope="module")
def papers(tmp_path_factory):
    """Return clones by name, each with the paper's environment and that of today, made once."""
    made = {}

    def get(name):
        if name not in made:
            paper = PAPERS[name]
            clone = Clone(paper, tmp_path_factory.mktemp("papers") / name, python_of)
            clone.build(OWN)
            clone.build(TODAY, *paper.today)
            made[name] = clone
        made[name].run("git checkout -q . && git clean -fdq -e .pytest")
        return made[name]

    return get


@pytest.fixture(scope="module")
def wheel(tmp_path_factory):
    """Return what stands for prov on the index: a wheel of this source tree."""
    folder = tmp_path_factory.mktemp("wheel")
    words = [UV, "build", "-q", "--wheel", "--out-dir", folder, _papers.ROOT]
    subprocess.run(words, check=True, capture_output=True)
    return str(next(folder.glob("*.whl")))


@pytest.fixture
def runner(tmp_path, wheel):
    """Return a function that runs the workflow of a fresh clone on a machine of a CI service."""

    def run(clone, edit=lambda checkout: None):
        checkout, tools = tmp_path / "checkout", tmp_path / "tools"
        clone.run("git clone -q . '%s'" % checkout)
        edit(checkout)
        machine = _ci.Runner(checkout, tmp_path / "machine", Path(wheel).parent / "job-python")
        tools.mkdir()
        python = python_of(clone.paper.python)  # uv would fetch it
        (tools / ("python" + clone.paper.python)).symlink_to(python)
        conda = tools / "bin" / "conda"
        conda.parent.mkdir()
        root = str(_papers.ROOT)
        conda.write_text(CONDA.format(tool=sys.executable, root=root, python=python))
        conda.chmod(0o755)
        own = ("OPENBLAS_", "OMP_", "MKL_")  # of this machine, not of a service's
        machine.environ = {k: v for k, v in machine.environ.items() if not k.startswith(own)}
        machine.environ["PATH"] = "%s:%s" % (tools, machine.environ["PATH"])
        codes = machine.workflow(checkout / WORKFLOW, PROV=wheel, CONDA=str(tools))
        return codes, machine.outputs

    return run


def dropin(clone, own, code=0, **environ):
    """Run the drop-in test plainly with an environment's interpreter; return what it printed."""
    return clone.run("%s/bin/python %s" % (own, TEST), code=code, environ=environ).stdout


def by_pytest(clone, own, code=0, **environ):
    """Run the drop-in test under pytest, with an environment's interpreter; as `dropin`.

    pytest stands in a folder of its own, which is nothing of the paper.
    """
    line = "%s/bin/python -m pytest -q -rs -p no:cacheprovider %s" % (own, TEST)
    where = clone.folder.parent / "pytest"
    if not where.exists():
        clone.run("uv pip install -q --target '%s' pytest" % where)
    return clone.run(line, code=code, environ={"PYTHONPATH": str(where), **environ}).stdout


def verify(clone, own, code=0, *words):
    line = "prov verify --python %s/bin/python %s" % (own, " ".join(words))
    return clone.run(line, code=code).stdout


def judged(clone, own, code=0):
    return json.loads(verify(clone, own, code, "--json"))["data"]


def same_figures(text):
    """Return ``text`` without what another processor or another patch release of Python changes."""
    text = re.sub(r"hardware \d+/\d+", "hardware n/n", text)
    text = re.sub(r"(tests? in )[\d.]+s", r"\1n s", text)
    return re.sub(r"(python 3\.\d+)\.\d+", r"\1", text)


@pytest.mark.parametrize("name", PAPERS)
def test_what_the_page_shows_is_what_is_printed(papers, name):
    clone = papers(name)
    page = clone.paper.page.read_text()
    assert "$ prov verify" in page
    assert same_figures(clone.play(page)) == same_figures(page)


@pytest.mark.parametrize("name", PAPERS)
def test_the_results_on_the_page_are_those_of_the_script(papers, name):
    clone = papers(name)
    script = next(one.name for one in clone.folder.glob("*.py") if one.name != TEST)
    clone.run("python %s" % script)
    found = next(clone.folder.rglob("metrics.json"))
    page = (clone.folder / "README.md").read_text()
    for value in json.loads(found.read_text()).values():
        assert any("%.*f" % (digits, value) in page for digits in (2, 3, 4)), value
    for table in found.parent.glob("*.csv"):
        for line in table.read_text().splitlines()[1:] if found.parent != clone.folder else ():
            cells = [float(cell) for cell in line.split(",")[1:]]
            assert any(
                all("| %.*f |" % (digits, cells[-1]) in row for digits in (4,))
                for row in page.splitlines()
            ), line


@pytest.mark.parametrize("name", PAPERS)
def test_the_data_is_what_its_script_makes_and_its_checksum_says(papers, name):
    clone = papers(name)
    clone.run("python data/make_data.py")
    assert clone.run("git status --porcelain").stdout == ""
    for sums in clone.folder.glob("data/*"):
        command = {"SHA256SUMS": "sha256sum", "listings.csv.md5": "md5sum"}.get(sums.name)
        if command:
            clone.run("cd data && %s -c %s" % (command, sums.name))


@pytest.mark.parametrize("name", ADOPTED)
def test_what_prov_made_for_it_is_what_it_makes_today(papers, name):
    """`scripts/renew_examples` writes these files again."""
    clone = papers(name)
    template = _papers.ROOT / "templates" / TEST
    assert (clone.folder / TEST).read_bytes() == template.read_bytes()
    workflow = (clone.folder / WORKFLOW).read_text()
    (clone.folder / WORKFLOW).unlink()
    clone.run("prov init github")
    assert (clone.folder / WORKFLOW).read_text() == workflow


@pytest.mark.parametrize("name", PAPERS)
def test_nothing_of_the_machine_where_it_was_recorded_is_in_it(papers, name):
    clone = papers(name)
    for path in clone.folder.rglob("*"):
        if path.is_file() and not {OWN, TODAY, ".git", ".prov"} & set(path.parts):
            text = path.read_text()
            assert not re.search(r"/(tmp|root|home|Users|work)/\w", text), path
            assert clone.folder.parent.name not in text


@pytest.mark.parametrize("name", ADOPTED)
def test_as_it_was_everything_is_green(papers, runner, name):
    clone = papers(name)
    assert dropin(clone, OWN).splitlines()[-1].startswith("OK")
    assert " passed" in by_pytest(clone, OWN)
    found = judged(clone, OWN)
    assert found["verdict"] == "same"
    assert found["findings"] == [] or {one["effect"] for one in found["findings"]} == {"none"}
    if PAPERS[name].adopt[0].startswith("prov run"):
        assert {"code", "data", "packages"} <= set(found["compared"])
    codes, printed = runner(clone)
    assert set(codes.values()) == {0}, printed
    assert list(codes)[-2:] == ["Run the drop-in test", "Verify"]
    assert "SAME" in printed["Verify"]


def test_a_repository_that_says_it_in_prose_is_quiet_where_that_holds(papers):
    clone = papers("paper-never-adopted")
    found = judged(clone, OWN)
    assert (found["verdict"], found["findings"]) == ("same", [])
    assert "CUDA" in json.dumps(found["not_compared"])
    told = clone.run("prov verify --python '%s'" % python_of("3.10"), code=1).stdout
    for name in ("numpy", "scikit-learn"):
        assert re.search("BROKEN +%s( 1\\S+)? is not installed" % name, told)


def test_a_conda_prefix_is_compared_with_all_that_its_file_states(papers, tmp_path):
    pytest.importorskip("rattler", reason="py-rattler, which makes conda prefixes, is not here")
    clone = papers("paper-conda")
    stated = clone.folder / "environment.yml"
    _conda_prefix.make(clone.folder / ".conda", stated, python_of("3.10"), tmp_path)
    line = "uv pip install -q --no-deps -p .conda/bin/python category-encoders==%s"
    clone.run(line % "2.4.1")
    found = judged(clone, ".conda")
    assert (found["verdict"], found["findings"], found["not_compared"]) == ("same", [], [])
    assert "test_packages[numpy] (__main__.Provenance) ... ok" in dropin(clone, ".conda")
    clone.run(line % "2.6.3")
    for words in UPGRADES["paper-conda"].said:
        assert words in verify(clone, ".conda", 1, "-v")


@pytest.mark.parametrize("name", PAPERS)
def test_a_known_upgrade_fails_with_sentence_place_and_remedy(papers, name):
    clone, upgrade = papers(name), UPGRADES[name]
    told = [verify(clone, TODAY, 1, "-v")]
    if clone.paper.made:
        told += [dropin(clone, TODAY, 1), by_pytest(clone, TODAY, 1)]
    for text in told:
        for words in upgrade.said:
            assert words in text
    known = [one for one in judged(clone, TODAY, 1)["findings"] if one["effect"] == "known"]
    (where, line) = upgrade.said[1].split(":")
    assert {one for finding in known for one in finding["where"]} == {upgrade.said[1]}
    source = (clone.folder / where).read_text().splitlines()[int(line) - 1]
    assert upgrade.said[0].partition("(")[0] in source


@pytest.mark.parametrize("name", ADOPTED)
def test_what_is_accepted_passes(papers, name):
    clone, package = papers(name), UPGRADES[name].package
    for run in (dropin, by_pytest):
        assert "PROV_ACCEPT=%s" % package in run(clone, TODAY, 1)
        run(clone, TODAY, 0, PROV_ACCEPT=package)


@pytest.mark.parametrize("name", ADOPTED)
def test_a_bump_of_the_version_fails_in_ci(papers, runner, name):
    """As by a robot that proposes newer versions: the lock stays, the environment file moves."""
    upgrade = UPGRADES[name]

    def bump(checkout):
        path = checkout / upgrade.file
        assert upgrade.old in path.read_text()
        path.write_text(path.read_text().replace(upgrade.old, upgrade.new))

    codes, printed = runner(papers(name), bump)
    red = [step for step, code in codes.items() if code]
    assert red == ["Run the drop-in test", "Verify"], printed
    for step in red:
        assert codes[step] == 1
        for words in upgrade.said:
            assert words in printed[step]
    assert "::error" in printed["Verify"]


def test_the_environment_that_a_reviewer_did_not_activate_is_found(papers):
    """The recorded command says "python": first on PATH is another one for who did not activate."""
    clone = papers("paper-pip")
    bare = {"VIRTUAL_ENV": "", "PATH": clone.environ()["PATH"].partition(":")[2]}
    assert "./.venv/bin/python" in clone.run("prov verify", environ=bare).stdout
    (clone.folder / OWN).rename(clone.folder / ".other")
    try:
        told = clone.run("prov verify --python '%s'" % python_of("3.10"), code=1).stdout
        assert "scikit-learn 1.3.2 is not installed" in told
    finally:
        (clone.folder / ".other").rename(clone.folder / OWN)


def test_edits_of_the_recorded_paper_get_the_right_verdict(papers):
    clone = papers("paper-pip")
    script, table = clone.folder / "train.py", clone.folder / "data" / "vibration.csv"
    code, data = script.read_text(), table.read_bytes()

    script.write_text(code.replace("import argparse\n", "import argparse  # of the library\n"))
    assert judged(clone, OWN)["verdict"] == "same"
    dropin(clone, OWN)
    by_pytest(clone, OWN)

    script.write_text(code.replace("default=0.5", "default=0.6"))
    for told in (verify(clone, OWN, 1), dropin(clone, OWN, 1), by_pytest(clone, OWN, 1)):
        assert "train.py" in told
    assert [f["facet"] for f in judged(clone, OWN, 1)["findings"] if f["effect"] == "broken"] == [
        "code"
    ]

    script.write_text(code)
    table.write_bytes(data.replace(b"1", b"2", 1))
    for told in (verify(clone, OWN, 1), dropin(clone, OWN, 1), by_pytest(clone, OWN, 1)):
        assert "data/vibration.csv" in told
    assert [f["facet"] for f in judged(clone, OWN, 1)["findings"] if f["effect"] == "broken"] == [
        "data"
    ]

    table.unlink()
    assert "data/vibration.csv" in dropin(clone, OWN)  # not here: not compared, and said
    assert judged(clone, OWN)["verdict"] != "different"


def test_the_recorded_paper_comes_out_again_from_its_lock(papers):
    clone = papers("paper-pip")
    found = json.loads(clone.run("prov replay prov.lock --yes --json 2>/dev/null").stdout)["data"]
    assert found["results"]["verdict"] == "same"
    assert found["results"]["metrics"]
