"""What pyproject.toml files of all tools state."""

import pytest

from provenance.specs import pyproject
from provenance.specs._caret import to_pep440
from provenance.specs.model import CONDA, EXACT, NAMED, PLACED, PYTHON, RANGE, Unreadable

from ._said import said, source, unread

PEP621 = """\
[build-system]
requires = ["setuptools", "wheel"]

[project]
name = "My_Thing"
requires-python = ">= 3.8, <3.12"
dynamic = ["version"]
dependencies = [
    "torch==2.1.0", "Torch_Vision",  # both
    "numpy >= 1.20 , < 2 ; python_version < '3.12'",
    "x @ git+https://example.org/x.git@abc",
    "scipy (>=1.4)",
    "three===1.0.weird",
    "wild==1.*",
    "not a requirement",
    7,
]
[project.optional-dependencies]
dev = ["pytest"]
all = ["my-thing[dev]", "ruff[a,B]"]
[dependency-groups]
test = ["coverage", {include-group = "Lint"}]
lint = ["ruff", {include-group = "gone"}]
[tool.uv]
dev-dependencies = ["ipdb"]
[tool.uv.sources]
torch = { git = "https://example.org/torch", rev = "v2" }
torch-vision = { workspace = true }
[tool.pdm.dev-dependencies]
doc = ["sphinx", "-e file:///x/sub#egg=sub"]
[tool.hatch.envs.style]
dependencies = ["black==24.1.0"]
"""


def test_standard_tables_and_those_of_tools():
    spec = pyproject.read(source(PEP621))
    assert said(spec) == [
        "6 python >= 3.8, <3.12",
        "9 torch ==2.1.0 @ git+https://example.org/torch@v2",
        "9 torch-vision  @ workspace",
        '10 numpy >= 1.20 , < 2 ; python_version < "3.12"',
        "11 x  @ git+https://example.org/x.git@abc",
        "12 scipy >=1.4",
        "13 three ===1.0.weird",
        "14 wild ==1.*",
        "19 pytest [extra:dev]",
        "20 ruff [extra:all] {B,a}",
        "22 coverage [group:test]",
        "23 ruff [group:lint]",
        "30 sphinx [group:doc]",
        "30 sub  @ file:///x/sub#egg=sub [group:doc]",
        "25 ipdb [group:dev]",
        "32 black ==24.1.0 [group:style]",
    ]
    assert unread(spec) == [(15, "not a requirement"), (16, "7"), (23, "{include-group = ...}")]
    assert (spec.complete, spec.format, spec.path) == (False, "pyproject.toml", "f")
    level = {fact.name: (fact.exactness, fact.version) for fact in spec.facts}
    assert level["torch"] == (PLACED, "")
    assert level["three"] == (EXACT, "1.0.weird")
    assert level["wild"] == (RANGE, "")
    assert level["pytest"] == (NAMED, "")
    assert level["x"] == (PLACED, "")
    assert spec.facts[0].kind == PYTHON


POETRY = """\
[tool.poetry.dependencies]
python = "^3.7"
matplotlib = "^3.1"
numpy = "==1.19.2"
Exact_One = "0.12"
any = "*"
PyQt5 = {version = "^5.14", optional = true}
alone = {version = "~1.2", optional = true}
forked = {git = "https://example.org/f.git", branch = "main", subdirectory = "py"}
local = {path = "../local", develop = true}
wheel = {url = "https://example.org/w-1.0-py3-none-any.whl"}
win = {version = ">=1", platform = "win32", python = ">=3.8,<3.10", markers = "os_name == 'nt'"}
several = [
  {version = "1.0", python = "<3.8"},
  {version = "2.0", python = "~3.8", extras = ["b", "a"]},
]
either = "^1.2 || ^3.0"
odd = "newest"
number = 3
[tool.poetry.extras]
gui = ["PyQt5"]
full = ["pyqt5", "other"]
[tool.poetry.dev-dependencies]
pytest = "^5.0.1"
[tool.poetry.group.docs]
optional = true
[tool.poetry.group.docs.dependencies]
sphinx = "*"
"""


def test_poetry():
    spec = pyproject.read(source(POETRY))
    assert said(spec) == [
        "2 python >=3.7,<4.0",
        "3 matplotlib >=3.1,<4.0",
        "4 numpy ==1.19.2",
        "5 exact-one ==0.12",
        "6 any",
        "7 pyqt5 >=5.14,<6.0 [extra:gui,extra:full]",
        "8 alone >=1.2,<1.3 [optional]",
        "9 forked  @ git+https://example.org/f.git@main#subdirectory=py",
        "10 local  @ ../local",
        "11 wheel  @ https://example.org/w-1.0-py3-none-any.whl",
        '12 win >=1 ; os_name == \'nt\' and python_version >= "3.8" and python_version < "3.10"'
        ' and sys_platform == "win32"',
        '14 several ==1.0 ; python_version < "3.8"',
        '15 several ==2.0 ; python_version >= "3.8" and python_version < "3.9" {a,b}',
        "17 either >=1.2,<4.0",
        "24 pytest >=5.0.1,<6.0.0 [group:dev]",
        "28 sphinx [group:docs]",
    ]
    assert unread(spec) == [(18, "newest"), (19, "3")]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("^1.2.3", ">=1.2.3,<2.0.0"),
        ("^0.2.3", ">=0.2.3,<0.3.0"),
        ("^0.0.3", ">=0.0.3,<0.0.4"),
        ("^0.0", ">=0.0,<0.1"),
        ("^0", ">=0,<1"),
        ("^1!2.3", ">=1!2.3,<1!3.0"),
        ("~1.2.3", ">=1.2.3,<1.3.0"),
        ("~1", ">=1,<2"),
        ("~=1.4.2", "~=1.4.2"),
        ("1.2.3", "==1.2.3"),
        ("= 1.2", "==1.2"),
        ("1.2.*", "==1.2.*"),
        ("!=1.3.*,>=1", "!=1.3.*,>=1"),
        (">=1 <2", ">=1,<2"),
        ("*", ""),
        ("2.7.* || >=3.5,<3.9", ">=2.7,<3.9"),
        ("1.0 | 2.0", ">=1.0,<=2.0"),
        (">=3 || <1", ""),
        ("~=1.4 || 1.0", ">=1.0,<2"),
    ],
)
def test_ranges_of_poetry(text, expected):
    assert to_pep440(text) == expected


@pytest.mark.parametrize("text", ["", "newest", "^", ">=1 and <2", "1" * 600, "^x.y", "1.0;2"])
def test_no_ranges_of_poetry(text):
    with pytest.raises(ValueError, match="is"):
        to_pep440(text)


def test_poetry_beside_the_standard_table():
    text = """\
[project]
dependencies = ["torch>=2", "numpy"]
[tool.poetry.dependencies]
torch = {source = "other"}
numpy = {path = "../numpy"}
"""
    assert said(pyproject.read(source(text))) == ["2 torch >=2", "2 numpy", "5 numpy  @ ../numpy"]


def test_conda_tables():
    text = """\
[tool.poetry.dependencies]
pytorch-cuda = "11.8"
flash-attn = {version = "2.3.6", source = "pypi"}
[tool.conda-lock.dependencies]
pip = ">=23.3"
[tool.pixi.dependencies]
python = "3.11.*"
blas = {version = "==1.0", build = "mkl", channel = "main"}
[tool.pixi.pypi-dependencies]
rich = "*"
[tool.pixi.feature.cuda.dependencies]
cudnn = "*"
"""
    spec = pyproject.read(source(text))
    assert [(fact.name, fact.ecosystem, fact.specifier) for fact in spec.facts] == [
        ("pytorch-cuda", CONDA, "==11.8"),
        ("flash-attn", "pypi", "==2.3.6"),
        ("pip", CONDA, ">=23.3"),
        ("python", CONDA, "3.11.*"),
        ("blas", CONDA, "==1.0"),
        ("rich", "pypi", ""),
        ("cudnn", CONDA, ""),
    ]
    assert spec.facts[3].kind == PYTHON
    assert (spec.facts[4].build, spec.facts[4].channel) == ("mkl", "main")
    assert spec.facts[6].group == "group:cuda"


DYNAMIC = """\
[project]
name = "x"
dynamic = ["dependencies", "optional-dependencies", "requires-python"]
[tool.setuptools.dynamic]
dependencies = {file = ["requirements.txt", "gone.txt"]}
optional-dependencies.dev = {file = "dev.txt"}
"""


def test_dynamic_dependencies_from_files():
    files = {"requirements__txt": "# c\nnumpy==1.0 # why\n\n-r x.txt\n", "dev__txt": "pytest"}
    spec = pyproject.read(source(DYNAMIC, "sub/pyproject.toml", **files))
    assert said(spec) == [
        "sub/requirements.txt:2 numpy ==1.0",
        "sub/dev.txt:1 pytest [extra:dev]",
    ]
    assert spec.included == ("sub/requirements.txt", "sub/dev.txt")
    assert [(one.where, one.text) for one in spec.unread] == [
        ("sub/requirements.txt:4", "-r x.txt"),
        ("sub/pyproject.toml:3", "gone.txt"),
        ("sub/pyproject.toml:3", "requires-python"),
    ]


def test_dynamic_dependencies_that_are_computed():
    spec = pyproject.read(source('[project]\ndynamic = ["dependencies"]\n'))
    assert unread(spec) == [(2, "dependencies")]
    assert "setup.py" in spec.unread[0].why


def test_settings_of_tools_only():
    spec = pyproject.read(source("[tool.black]\nline-length = 100\n"))
    assert spec.notes == (
        "f:1 states no dependencies and no Python: it holds only settings of tools ([tool.black]).",
    )
    assert pyproject.read(source("")).notes


@pytest.mark.parametrize(
    "text",
    [
        "project = 1",
        '[project]\ndependencies = "numpy"',
        "[project]\ndependencies = [[['x']]]",
        "[project]\noptional-dependencies = {a = 1}",
        "[dependency-groups]\na = 1",
        "[tool.poetry]\ndependencies = []",
        "[tool.poetry.dependencies]\nx = [[1]]",
        "[tool.poetry.dependencies]\nx = {version = 1.0}",
        "[tool.poetry.group]\nx = 1",
        "[tool.uv]\nsources = 1\ndev-dependencies = {}",
        "[tool.uv.sources]\nx = []\ny = [1]",
        "[tool.pixi]\nfeature = 1\ndependencies = {x = 1, y = {version = 1}}",
    ],
)
def test_tables_of_the_wrong_kind(text):
    spec = pyproject.read(source(text))
    assert spec.facts == ()
    assert spec.unread or spec.notes


def test_long_and_deep_requirements():
    text = '[project]\ndependencies = ["x; %s os_name == \'a\'", "%s"]' % ("(" * 3000, "y" * 9000)
    spec = pyproject.read(source(text))
    assert [one.where for one in spec.unread] == ["f:2", "f:2"]
    with pytest.raises(Unreadable):
        pyproject.read(source("x = " + "[" * 900_000))


def test_pixi_in_a_pyproject_is_read_as_in_its_own_file() -> None:
    text = """\
[tool.pixi.project]
channels = ["conda-forge"]
platforms = ["linux-64", "osx-arm64"]

[tool.pixi.dependencies]
numpy = "1.26.4"

[tool.pixi.target.linux-64.dependencies]
cudatoolkit = "11.8.*"

[tool.pixi.system-requirements]
cuda = "11"
"""
    spec = pyproject.read(source(text, "pyproject.toml"))
    assert [(one.kind, one.name, one.where.rpartition(":")[2]) for one in spec.facts] == [
        ("platform", "linux-64", "3"),
        ("platform", "osx-arm64", "3"),
        ("package", "numpy", "6"),
        ("cuda", "cuda", "12"),
        ("cuda", "cudatoolkit", "9"),
    ]
    assert spec.facts[-1].marker.startswith('sys_platform == "linux"')
    assert spec.notes == ("Channels, the first one first: conda-forge.",)
