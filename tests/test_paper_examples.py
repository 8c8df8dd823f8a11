"""The paper repositories of examples/ do for their authors and reviewers what their pages say.

Each is cloned as a reviewer gets it, its environment is built from its own file, and the drop-in
test, `prov verify` and the steps of the CI workflow are run: as it was, after an upgrade that is
known to change results, and after edits of data and code.
"""

import json
import re
from typing import NamedTuple

import pytest
from scripts import _papers
from scripts._papers import OWN, TODAY, Clone

from tests import _conda_prefix
from tests._workflow import Runner
from tests.facets._venvs import UV, python_of

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
def runner(tmp_path_factory):
    """Return a machine that runs workflows, and installs prov from this source tree."""
    interpreters = {version: python_of(version) for version in ("3.10", "3.11")}
    folder = tmp_path_factory.mktemp("runner") / "machine"
    return Runner(folder, python_of("3.12"), interpreters, str(_papers.ROOT), UV)


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


def checked_out(clone, folder):
    """Clone a paper's repository as a CI service does; return the folder."""
    clone.run("git clone -q . '%s'" % folder)
    return folder


def same_figures(text):
    """Return ``text`` without what another processor or another patch release of Python changes."""
    text = re.sub(r"hardware \d+/\d+", "hardware n/n", text)
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
def test_as_it_was_everything_is_green(papers, runner, tmp_path, name):
    clone = papers(name)
    assert "exit 0" in dropin(clone, OWN).splitlines()[-1]
    assert " passed" in by_pytest(clone, OWN)
    found = judged(clone, OWN)
    assert found["verdict"] == "same"
    assert found["findings"] == [] or {one["effect"] for one in found["findings"]} == {"none"}
    if PAPERS[name].adopt[0].startswith("prov run"):
        assert {"code", "data", "packages"} <= set(found["compared"])
    checkout = checked_out(clone, tmp_path / "checkout")
    steps = runner.run(checkout / WORKFLOW, checkout)
    assert [one.code for one in steps] == [0] * len(steps), steps
    assert [one.name for one in steps if "SAME" in one.out] == ["Run the drop-in test", "Verify"]


def test_a_repository_that_says_it_in_prose_is_quiet_where_that_holds(papers):
    found = judged(papers("paper-never-adopted"), OWN)
    assert (found["verdict"], found["findings"]) == ("same", [])
    assert "CUDA" in json.dumps(found["not_compared"])


def test_a_conda_prefix_is_compared_with_all_that_its_file_states(papers, tmp_path):
    pytest.importorskip("rattler", reason="py-rattler, which makes conda prefixes, is not here")
    clone = papers("paper-conda")
    stated = clone.folder / "environment.yml"
    _conda_prefix.make(clone.folder / ".conda", stated, python_of("3.10"), tmp_path)
    line = "uv pip install -q --no-deps -p .conda/bin/python category-encoders==%s"
    clone.run(line % "2.4.1")
    found = judged(clone, ".conda")
    assert (found["verdict"], found["findings"], found["not_compared"]) == ("same", [], [])
    assert "SAME (exit 0)" in dropin(clone, ".conda")
    clone.run(line % "2.6.3")
    for words in UPGRADES["paper-conda"].said:
        assert words in verify(clone, ".conda", 1)


@pytest.mark.parametrize("name", PAPERS)
def test_a_known_upgrade_fails_with_sentence_place_and_remedy(papers, name):
    clone, upgrade = papers(name), UPGRADES[name]
    told = [verify(clone, TODAY, 1)]
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
def test_a_bump_of_the_version_fails_in_ci(papers, runner, tmp_path, name):
    """As by a robot that proposes newer versions: the lock stays, the environment file moves."""
    upgrade, checkout = UPGRADES[name], checked_out(papers(name), tmp_path / "checkout")
    path = checkout / upgrade.file
    assert upgrade.old in path.read_text()
    path.write_text(path.read_text().replace(upgrade.old, upgrade.new))
    steps = runner.run(checkout / WORKFLOW, checkout)
    red = [one for one in steps if one.code]
    assert len(red) == 2, steps
    for one in red:
        assert one.code == 1, one
        for words in upgrade.said:
            assert words in one.out
    assert "::error" in red[-1].out


def test_the_environment_that_a_reviewer_did_not_activate_is_found(papers):
    """The recorded command says "python": first on PATH is another one for who did not activate."""
    clone = papers("paper-pip")
    bare = {"VIRTUAL_ENV": "", "PATH": clone.environ()["PATH"].partition(":")[2]}
    assert "./.venv/bin/python" in clone.run("prov verify", environ=bare).stdout
    (clone.folder / OWN).rename(clone.folder / ".other")
    try:
        told = clone.run("prov verify --python /usr/bin/python3", code=1, environ=bare).stdout
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
