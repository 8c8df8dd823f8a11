"""Each file of the kit is what its reader expects, whatever the repository is like."""

import json
import re
import shlex
import shutil
import sys

import pytest
import yaml

from provenance.exports import checklist
from provenance.operations import _kit_checklist, adoption
from provenance.operations.adoption import PARTS
from tests.conftest import Prov
from tests.kit import _papers, _tools
from tests.kit._papers import ENVIRONMENT, POETRY, paper, published, relocked, rendered

ODD = "a \"quoted\" 'word' ${{ github.token }} $(id) `id` @slug@ : # \\ end"
GPU = {"name": "NVIDIA A100-SXM4-80GB", "vendor": "nvidia", "memory": 85899345920}


def long_on_gpus(run):
    machine = run["facets"]["hardware"]["subjects"][0]["payload"]
    machine["gpus"], machine["driver"] = [GPU, GPU], "535.104"
    used = run["facets"]["resources"]["subjects"][0]["payload"]
    used.update(wall_s=50000.0, max_tree_bytes=60 << 30)
    run["duration_s"] = 50000.0


def on_gpus(folder):
    relocked(published(folder), long_on_gpus)


MADE = {
    "published": published,
    "gpu": on_gpus,
    "odd": lambda folder: published(folder, "--note", ODD, README__md="# %s\n" % ODD),
    "requirements": lambda folder: paper(folder, requirements__txt="six==1.16.0\n"),
    "conda": lambda folder: paper(folder, environment__yml=ENVIRONMENT),
    "poetry": lambda folder: paper(folder, poetry__lock=POETRY),
    "project": lambda folder: paper(
        folder,
        pyproject__toml='[project]\nname = "it"\nversion = "1"\nrequires-python = ">=3.9"\n'
        'dependencies = ["six"]\n',
    ),
    "bare": lambda folder: _papers.repository(folder, notes__txt="nothing"),
}


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    """Return the folder of a made repository by its kind; each is made once."""
    known = {}

    def of(kind):
        if kind not in known:
            known[kind] = tmp_path_factory.mktemp(kind) / "paper"
            MADE[kind](known[kind])
        return known[kind]

    return of


@pytest.fixture(params=MADE)
def files(request, made, tmp_path):
    """Return the rendered kit of a kind of repository as files, by path."""
    return _tools.written(tmp_path, rendered(made(request.param)))


def test_workflows_are_valid(files, tmp_path):
    workflows = [path for path in files.values() if path.parent.name == "workflows"]
    assert workflows
    _tools.schema("github-workflows", *map(str, workflows))
    for path in workflows:
        _tools.shell(tmp_path, *_tools.run_scripts(path))


def test_gitlab_ci_is_valid(files, tmp_path):
    _tools.schema("gitlab-ci", str(files[".gitlab-ci.yml"]))
    _tools.shell(
        tmp_path, *yaml.safe_load(files[".gitlab-ci.yml"].read_text())["provenance"]["script"]
    )


def test_the_dockerfile_parses(files):
    _tools.passes(_tools.tool("hadolint"), str(files["Dockerfile"]))


def test_the_devcontainer_is_valid(files, tmp_path):
    _tools.devcontainer(files[".devcontainer/devcontainer.json"])


def test_the_batch_script_is_valid(files, tmp_path):
    text = files["slurm.sh"].read_text()
    _tools.shell(tmp_path, text)
    options = dict(re.findall(r"^#SBATCH --([\w-]+)=(\S+)$", text, re.MULTILINE))
    assert re.fullmatch(r"\d\d+:\d\d:00", options["time"])
    assert re.fullmatch(r"\d+G", options["mem"])
    assert options["cpus-per-task"].isdigit()


def test_the_citation_is_valid(files):
    _tools.schema("citation-file-format", str(files["CITATION.cff"]))


def test_the_hook_is_valid(files):
    _tools.passes(
        _tools.tool("pre-commit"), "validate-config", str(files[".pre-commit-config.yaml"])
    )


def test_the_section_is_one_section(files):
    text = files["README.md"].read_text()
    assert text.startswith(adoption.BEGIN)
    assert text.endswith(adoption.END + "\n")
    assert text.count("<!--") == text.count("-->") == 2
    assert text.count("<details>") == text.count("</details>") == 1


def test_no_placeholder_is_left(files):
    for path in files.values():
        left = set(re.findall(r"@[a-z_]+(?::[a-z]+)?@", path.read_text()))
        assert left <= {"@slug@"}, path  # the odd command says so itself


def test_ours_are_valid(tmp_path):
    root = _tools.ROOT
    _tools.schema("github-actions", str(root / "action.yml"))
    _tools.shell(tmp_path, *_tools.run_scripts(root / "action.yml"))
    _tools.passes(
        _tools.tool("pre-commit"), "validate-manifest", str(root / ".pre-commit-hooks.yaml")
    )


@pytest.mark.network
def test_actionlint_finds_nothing(made, tmp_path):
    paths = []
    for kind in MADE:
        found = _tools.written(tmp_path / kind, rendered(made(kind), "github", "smoke"))
        paths += [path for path in found.values() if ".github" in path.parts]
    _tools.actionlint(tmp_path, paths)


def test_an_odd_command_stays_one_command(made):
    files = rendered(made("odd"))
    line = next(one for one in files["slurm.sh"].splitlines() if one.startswith("set -- python"))
    words = shlex.split(line)[2:-1]
    assert words == ["python", "train.py", "--lr", "0.2", "--note", ODD]

    command = next(one for one in files["Dockerfile"].splitlines() if one.startswith("CMD "))
    assert json.loads(command[4:]) == words
    assert yaml.safe_load(files["CITATION.cff"])["title"] == ODD.replace("`", "")


def test_values_are_those_of_the_record(made):
    files = rendered(made("gpu"))
    batch = files["slurm.sh"]
    assert "#SBATCH --gres=gpu:2" in batch
    assert "#SBATCH --mem=90G" in batch
    assert "#SBATCH --time=27:47:00" in batch
    assert "2 x NVIDIA A100-SXM4-80GB, driver 535.104" in files["Dockerfile"]
    assert "prov verify --calls cut" in files[".github/workflows/smoke-replay.yml"]
    assert "run: prov replay" not in files[".github/workflows/smoke-replay.yml"]


def test_a_short_run_is_replayed(made):
    text = rendered(made("published"), "smoke")[".github/workflows/smoke-replay.yml"]
    assert "prov replay prov.lock --yes --python .venv/bin/python" in text
    assert "TODO" not in text  # its data is in git


def test_several_short_runs_are_all_replayed(made, tmp_path):
    prov = Prov(_papers.copied(made("published"), tmp_path / "copy"))
    prov("run", "--name", "table2", "--", sys.executable, "train.py", "--lr", "0.3")
    prov("lock", "table1", "table2")
    prov("init", "smoke")
    text = (prov.folder / ".github" / "workflows" / "smoke-replay.yml").read_text()
    assert "run: prov replay prov.lock --all --yes" in text
    command = re.search(r"run: prov (replay .*?) --python", text)
    replayed = prov(*command[1].split())
    assert "table1" in replayed.stdout
    assert "table2" in replayed.stdout


def test_the_file_to_install_from(made):
    wanted = {
        "requirements": "uv pip install --quiet --python .venv/bin/python -r requirements.txt",
        "conda": "conda env create --quiet --prefix ./.conda --file environment.yml",
        "poetry": "uvx poetry install",
        "project": "uv pip install --quiet --python .venv/bin/python .",
        "bare": "TODO",
    }
    for kind, line in wanted.items():
        files = rendered(made(kind))
        for name in (".github/workflows/provenance.yml", ".gitlab-ci.yml"):
            assert line in files[name], (kind, name)


def test_without_such_a_file_the_packages_of_the_run_are_written(made):
    files = rendered(made("published"), "github")
    assert "requirements.txt" in files
    pins = [one for one in files["requirements.txt"].splitlines() if not one.startswith("#")]
    assert pins
    assert all(re.fullmatch(r"[\w.-]+==\S+", one) for one in pins)
    assert "requirements.txt" not in rendered(made("requirements"), "github")


def test_what_nobody_knows_is_open(made):
    text = rendered(made("bare"), "readme")["README.md"]
    ticked = re.findall(r"^- \[x\] (.*)$", text, re.MULTILINE)
    assert ticked == []
    assert text.count("- [ ]") == text.count("  - TODO:") >= 30
    assert "TODO" in rendered(made("bare"), "docker")["Dockerfile"]


def test_what_the_record_knows_is_ticked(made):
    text = rendered(made("published"), "readme")["README.md"]
    ticked = dict(re.findall(r"^- \[x\] (.*?) \([\w, ]+\): (.+)$", text, re.MULTILINE))
    assert ticked["The precise command for each result"].startswith(
        "table1: python train.py --lr 0.2"
    )
    assert "seed=3" in ticked["Random seeds"]
    assert "1 input, 8 B" in ticked["Data files and their sizes"]
    assert ticked["Where the data is, and which version"] == "1 input in the repository"
    assert ticked["A validation score for each test score"] == "both are in the record"
    assert ticked["Licence of the code"] == "MIT in LICENSE"
    assert text.count("- [x]") == len(ticked)


def test_a_badge_where_there_is_a_public_place(made):
    assert "badge.svg" not in rendered(made("published"), "readme")["README.md"]  # no workflow
    text = rendered(made("published"), "readme", "github")["README.md"]
    page = "https://github.com/tester-lab/secret-paper/actions/workflows/provenance.yml"
    assert "[![provenance](%s/badge.svg)](%s)" % (page, page) in text


@pytest.mark.skipif(shutil.which("pdflatex") is None, reason="pdflatex is not installed")
@pytest.mark.parametrize("kind", ["published", "gpu"])
def test_the_appendix_compiles(made, tmp_path, kind):
    text = rendered(made(kind), "appendix")["artifact-appendix.tex"]
    assert "TODO" in text
    head = "\\documentclass{article}\n\\usepackage{booktabs,longtable}\n\\begin{document}\n"
    (tmp_path / "a.tex").write_text(head + text + "\\end{document}\n")
    _tools.passes("pdflatex", "-halt-on-error", "-interaction=nonstopmode", "a.tex", cwd=tmp_path)


def test_the_page_tells_all_parts():
    text = (_tools.ROOT / "docs" / "adopt.md").read_text()
    told = re.findall(r"^\| `([\w-]+)` \| (.*?) \|", text, re.MULTILINE)
    files = [(part.name, ", ".join("`%s`" % path for path, _ in part.files)) for part in PARTS]
    assert told == files
    questions = sum(map(len, _kit_checklist.QUESTIONS.values()))
    assert "%d questions" % questions in text


def test_every_source_is_explained():
    told = {name for name, _ in checklist.SOURCES}
    asked = {
        name
        for group in _kit_checklist.QUESTIONS.values()
        for one in group
        for name in one.asked_by.split()
    }
    assert asked == told


NASTY = (
    "\"; touch /tmp/prov-was-here; echo '$(id) ${{ github.token }} ```\n"
    "#SBATCH --x\n<!-- prov:end -->"
)


def poisoned(value, text):
    """Return JSON with ``text`` in place of every string but roots of paths."""
    if isinstance(value, dict):
        return {n: one if n == "root" else poisoned(one, text) for n, one in value.items()}
    if isinstance(value, list):
        return [poisoned(one, text) for one in value]
    return text if isinstance(value, str) else value


@pytest.mark.parametrize("anonymous", [False, True])
def test_a_hostile_lock_stays_data(tmp_path, anonymous):
    folder = published(tmp_path / "paper")

    def poison(run):
        run["name"], run["command"] = NASTY, ["python", NASTY]
        for facet in run["facets"].values():
            for subject in facet["subjects"]:
                subject["payload"] = poisoned(subject["payload"], NASTY)

    relocked(folder, poison)
    Prov(folder)("init", "--all", *(["--anonymous"] if anonymous else []))
    names = ("slurm.sh", "Dockerfile", ".github")
    made = [path for name in names for path in (folder / name, *(folder / name).rglob("*"))]
    files = {path: path.read_text() for path in made if path.is_file()}
    script = files[folder / "slurm.sh"]
    _tools.shell(tmp_path, script)
    commands = [
        shlex.split(line, comments=True) for line in script.split("set -- ")[0].splitlines()
    ]
    assert not any("touch" in words for words in commands)
    for name in ("provenance", "smoke-replay"):
        workflow = yaml.safe_load(files[folder / ".github" / "workflows" / (name + ".yml")])
        (job,) = workflow["jobs"].values()
        steps = " ".join(step.get("run", "") for step in job["steps"])
        assert "touch" not in re.sub(r"(?m)^#.*", "", steps)
    assert files[folder / "Dockerfile"].count("\nFROM ") == 1
    assert not re.search(r"^(touch|#SBATCH)", files[folder / "Dockerfile"], re.MULTILINE)
