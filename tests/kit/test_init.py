"""``prov init`` with parts of the kit, as a user sees it."""

import os
import re
import socket

import pytest

from provenance.operations import adoption
from tests.conftest import Prov, git
from tests.kit import _papers
from tests.kit._papers import EMAIL, HOME, HOST, IDENTITY, NAME, USER, paper, published

NAMES = [part.name for part in adoption.PARTS]


@pytest.fixture
def prov(tmp_path):
    """Return the command line in a recorded and locked paper."""
    return Prov(published(tmp_path / "paper", requirements__txt="six==1.16.0\n"))


def test_the_list_names_every_part_and_writes_nothing(prov):
    listed = prov("init", "--list").stdout
    assert [line.split()[0] for line in listed.splitlines() if line[0] != " "] == NAMES
    assert [one["name"] for one in prov.json("init", "--list")["parts"]] == NAMES
    assert not (prov.folder / "prov.yaml").exists()


def test_all_parts_then_nothing_again(prov):
    first = prov("init", "--all").stdout
    for part in adoption.PARTS:
        for path, _ in part.files:
            assert (prov.folder / path).exists(), path
    assert "wrote .github/workflows/provenance.yml" in first
    assert "kept  README.md" in first
    assert "prov init readme --into-readme" in first
    before = {path: path.read_bytes() for path in prov.folder.rglob("*") if path.is_file()}
    second = prov("init", "--all").stdout
    assert "wrote" not in second
    assert before == {path: path.read_bytes() for path in prov.folder.rglob("*") if path.is_file()}


def test_what_is_there_is_kept(prov):
    mine = {"Dockerfile": "FROM mine\n", ".gitlab-ci.yml": "mine: 1\n", "slurm.sh": "mine\n"}
    for name, text in mine.items():
        (prov.folder / name).write_text(text)
    (prov.folder / "CITATION.cff").symlink_to("nowhere")
    told = prov("init", "docker", "gitlab", "slurm", "citation").stdout
    for name, text in mine.items():
        assert (prov.folder / name).read_text() == text
        assert "kept  %s" % name in told
    assert not (prov.folder / "nowhere").exists()
    assert "wrote .dockerignore" in told


def test_printing_writes_nothing(prov):
    before = sorted(prov.folder.rglob("*"))
    shown = prov("init", "gitlab", "--print").stdout
    assert shown.startswith("# Do the environment")
    several = prov("init", "docker", "--print").stdout
    assert "==> Dockerfile <==" in several
    assert "==> .dockerignore <==" in several
    assert sorted(prov.folder.rglob("*")) == before


def test_the_section_goes_between_its_markers(prov):
    readme = prov.folder / "README.md"
    old = readme.read_text()
    assert "wrote into README.md" in prov("init", "readme", "--into-readme").stdout
    once = readme.read_text()
    assert once.startswith(old.rstrip("\n"))
    assert "kept  README.md" in prov("init", "readme", "--into-readme").stdout
    readme.write_text(once.replace("## Reproducing the results", "## Old") + "\nAfter.\n")
    prov("init", "readme", "--into-readme")
    assert readme.read_text() == once + "\nAfter.\n"


def test_a_readme_that_is_no_markdown_is_kept(tmp_path):
    folder = published(tmp_path / "paper")
    git(folder, "mv", "README.md", "README.rst")
    before = (folder / "README.rst").read_bytes()
    told = Prov(folder)("init", "readme", "--into-readme").stdout
    assert "README.rst is no Markdown" in told
    assert (folder / "README.rst").read_bytes() == before
    assert not (folder / "README.md").exists()


def test_json(prov):
    data = prov.json("init", "citation", "slurm")
    assert data["kit"]["made"] == ["slurm.sh", "CITATION.cff"]
    assert data["kit"]["about"]["reference"] == "prov.lock"
    assert data["kit"]["todos"]["CITATION.cff"] >= 1


def test_init_without_parts_is_as_before(prov):
    told = prov("init", "--test").stdout
    assert "wrote test_provenance.py" in told
    assert "next: prov run" in told


@pytest.mark.parametrize(
    ("words", "code", "said"),
    [
        (["nonsense"], 2, "there is no part 'nonsense'"),
        (["--print"], 2, "--print needs a part"),
        (["docker", "--into-readme"], 2, "--into-readme goes with the part readme"),
    ],
)
def test_wrong_words_are_one_sentence(prov, words, code, said):
    done = prov("init", *words, code=code)
    assert said in done.stderr
    assert not (prov.folder / "prov.yaml").exists()


def test_parts_that_need_a_run_say_so(tmp_path):
    prov = Prov(paper(tmp_path / "paper", requirements__txt="six\n"))
    assert "nothing to replay" in prov("init", "smoke", code=3).stderr
    told = prov("init", "smoke", "citation").stdout
    assert "nothing to replay" in told
    assert "wrote CITATION.cff" in told


def test_a_broken_lock_is_one_sentence(prov):
    (prov.folder / "prov.lock").write_text("{")
    assert "prov.lock" in prov("init", "github", code=4).stderr
    assert not (prov.folder / ".github").exists()


def test_a_link_leads_nowhere_else(prov, tmp_path):
    (tmp_path / "elsewhere").mkdir()
    (prov.folder / ".github").symlink_to(tmp_path / "elsewhere")
    assert "leads out of the repository" in prov("init", "github", code=5).stderr
    assert list((tmp_path / "elsewhere").iterdir()) == []


def test_the_last_run_will_do(tmp_path):
    prov = Prov(paper(tmp_path / "paper", six__py=_papers.SIX))
    prov("run", "--", "python3", "train.py", "--lr", "0.3")
    prov("init", "slurm")
    assert "set -- python train.py --lr 0.3" in (prov.folder / "slurm.sh").read_text()


def test_without_git(tmp_path):
    folder = tmp_path / "loose"
    folder.mkdir()
    (folder / "requirements.txt").write_text("six==1.16.0\n")
    told = Prov(folder)("init", "--all").stdout
    assert "wrote Dockerfile" in told
    assert "packages  requirements.txt" in told


@pytest.fixture(scope="module")
def identified(tmp_path_factory):
    """Return a paper whose every value says whose it is."""
    note = "%s/runs on %s by %s <%s>" % (HOME, HOST, NAME, EMAIL)
    return published(
        tmp_path_factory.mktemp("blind") / ("%s-paper" % USER),
        "--note",
        note,
        README__md="# The paper of %s\n" % NAME,
        requirements__txt="six==1.16.0\n",
    )


def secrets(folder):
    """Return everything that says who made the repository, and where."""
    home = os.path.expanduser("~")
    commit = git(folder, "rev-parse", "HEAD").strip()
    words = [USER, HOST, HOST.split(".")[0], HOME, NAME, EMAIL, EMAIL.split("@")[0], commit]
    words += ["Tester", "tester-lab", "secret-paper", "github.com/tester", str(folder)]
    words += [socket.gethostname(), home]
    return [one for one in words if len(one) > 2 and one not in ("/root", "localhost")]


def test_the_kit_says_who_made_it(identified):
    """Without --anonymous: else the next test would show nothing."""
    text = "\n".join(_papers.rendered(identified, environ=dict(IDENTITY, HOME=HOME)).values())
    for word in (USER, HOST, HOME, EMAIL, "Tester", "tester-lab", "secret-paper"):
        assert word in text, word


def test_an_anonymous_kit_names_nobody(identified):
    environ = dict(IDENTITY, HOME=HOME)
    files = _papers.rendered(identified, anonymous=True, environ=environ)
    assert len(files) > 10
    for path, text in files.items():
        for word in secrets(identified):
            assert not re.search(re.escape(word), text, re.IGNORECASE), (path, word)
    assert "name: Anonymous" in files["CITATION.cff"]
    assert "python train.py --lr 0.2 --note" in files["slurm.sh"]


def test_an_anonymous_kit_by_the_command_line(identified, tmp_path):
    prov = Prov(_papers.copied(identified, tmp_path / "copy"))
    environ = dict(IDENTITY, HOME=HOME)
    told = prov("init", "--all", "--anonymous", "--into-readme", env=environ).stdout
    assert "wrote CITATION.cff" in told
    for part in adoption.PARTS:
        for name, _ in part.files:
            if name != "README.md":  # what was there says who wrote it
                text = (prov.folder / name).read_text()
                assert not any(word in text for word in secrets(identified)), name
