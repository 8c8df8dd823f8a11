"""What setup.py files state; none is ever run."""

import contextlib

import pytest

from provenance.specs import setup_py
from provenance.specs.model import Unreadable

from ._said import said, source, unread

LITERAL = """\
from setuptools import find_packages, setup
import sys
sys.exit("never run")
VERSION = "2.0"
NAME = "x"
requires = [
    "torch==1.4.0",
    "numpy>=1.18",  # why
]
requires += ["scipy"]
requires.append("Pillow_Simd==%s" % VERSION)
requires.extend(["a" "b", f"cc=={VERSION}"])
if sys.platform == "linux":
    requires.append("triton")
extras = {"dev": ["pytest"], ":python_version<'3.8'": ["dataclasses"]}
extras["docs"] = ["sphinx"] + ["furo"]
extras["all"] = extras["dev"] + extras["docs"]
extras[NAME.lower()] = []
setup(
    name=NAME,
    packages=find_packages(),
    python_requires=">=3.6",
    setup_requires=["cython"],
    install_requires=requires + ["last", 3],
    extras_require=extras,
    tests_require=["mock"],
)
"""


def test_lists_and_names():
    spec = setup_py.read(source(LITERAL))
    assert said(spec) == [
        "22 python >=3.6",
        "7 torch ==1.4.0",
        "8 numpy >=1.18",
        "10 scipy",
        "11 pillow-simd ==2.0",
        "12 ab",
        "12 cc ==2.0",
        "24 last",
        "26 mock [group:tests]",
        "15 pytest [extra:dev]",
        "15 dataclasses ; python_version<'3.8'",
        "16 sphinx [extra:docs]",
        "16 furo [extra:docs]",
        "15 pytest [extra:all]",
        "16 sphinx [extra:all]",
        "16 furo [extra:all]",
    ]
    assert unread(spec) == [(14, "triton"), (24, "3"), (18, "")]
    assert "condition (line 13)" in spec.unread[0].why


FILES = """\
numpy==1.19.2
# comment

torch>=1.6  # note
-r other.txt
"""

READ = [
    'reqs = open("requirements.txt").read().splitlines()',
    'reqs = open("requirements.txt").readlines()',
    'reqs = io.open("./requirements.txt", encoding="utf-8").read().split("\\n")',
    'reqs = [l.strip() for l in open("requirements.txt") if l.strip() and l[0] != "#"]',
    'with open("requirements.txt") as f:\n    reqs = f.read().splitlines()',
    'with open(os.path.join(here, "requirements.txt")) as f:\n    reqs = f.readlines()',
    'with open(here + "/requirements.txt") as f:\n    reqs = list(f)',
    'with open(f"{here}/requirements.txt") as f:\n    reqs = list(map(lambda x: x[:-1], f))',
    'reqs = (Path(__file__).parent / "requirements.txt").read_text().split()',
    'reqs = Path("requirements.txt").read_text().strip().split("\\n")',
    'with pathlib.Path("requirements.txt").open() as f:\n'
    "    reqs = [str(r) for r in pkg_resources.parse_requirements(f)]",
    'reqs = [str(r.req) for r in parse_requirements("requirements.txt", session=False)]',
    "def read():\n    with open('requirements.txt') as f:\n        return f.read().splitlines()\n"
    "reqs = read()",
    "def read(name, *more, mode='r'):\n    path = os.path.join(os.path.dirname(__file__), name)\n"
    "    return open(path, mode=mode).read()\nreqs = read('requirements.txt').split('\\n')",
    "def load(path='requirements.txt', mark='#'):\n    reqs = []\n    for line in open(path):\n"
    "        if mark in line:\n            line = line[:line.index(mark)]\n"
    "        if line:\n            reqs.append(line.strip())\n    return reqs\nreqs = load()",
    "reqs = []\nfor line in open('requirements.txt').readlines():\n    reqs.append(line.rstrip())",
    "try:\n    reqs = open('requirements.txt').read().split()\nexcept IOError:\n    reqs = []",
]


@pytest.mark.parametrize("code", READ)
def test_files_of_requirements(code):
    text = code + "\nsetuptools.setup(name='x', install_requires=reqs)\n"
    spec = setup_py.read(source(text, "a/setup.py", requirements__txt=FILES))
    assert said(spec) == ["a/requirements.txt:1 numpy ==1.19.2", "a/requirements.txt:4 torch >=1.6"]
    assert spec.included == ("a/requirements.txt",)
    assert [(one.where, one.text) for one in spec.unread] == [
        ("a/requirements.txt:5", "-r other.txt")
    ]


@pytest.mark.parametrize(
    "code",
    [
        "if __name__ == '__main__':\n    setup(install_requires=['numpy'])",
        "def main():\n    reqs = ['numpy']\n    setup(install_requires=reqs)\nmain()",
        "def main():\n    setup(install_requires=['numpy'])\nif 1:\n    main()",
        "def main():\n    setup(install_requires=['numpy'])\nx(main)",
        "kwargs = dict(install_requires=('numpy',))\nsetup(**kwargs)",
        "kwargs = {'name': 'x'}\nkwargs['install_requires'] = ['numpy']\nsetup(**kwargs)",
        "kwargs = {}\nkwargs.update(dict(install_requires=['numpy']))\nsetup(**kwargs)",
        "setup(install_requires='''numpy''')",
        "r = 'numpy'.split()\nsetup(install_requires=r)",
        "r: list = ['numpy']\ndistutils.core.setup(install_requires=sorted(set(r)))",
        "a = b = ['numpy']\nsetup(install_requires=[*a])",
        "setup(install_requires=[x for x in ['numpy'] if x])",
    ],
)
def test_ways_to_call_setup(code):
    spec = setup_py.read(source(code))
    assert [fact.name for fact in spec.facts] == ["numpy"]
    assert spec.unread == ()


@pytest.mark.parametrize(
    ("code", "line", "said_so"),
    [
        ("setup(install_requires=make())", 1, "not followed"),
        ("\nsetup(install_requires=names)", 2, "cannot be told"),
        ("setup(install_requires=a if b else c)", 1, "known only when it runs"),
        ("setup(install_requires=open(sys.argv[1]).readlines())", 1, "cannot be told"),
        ("setup(install_requires=open('gone.txt').readlines())", 1, "not there"),
        ("setup(install_requires=open('../../x.txt').readlines())", 1, "not there"),
        ("setup(\n  **settings())", 1, "may be more"),
        ("setup(extras_require=[1])", 1, "expects"),
        ("setup(python_requires=x)", 1, "cannot be told"),
        ("r = ['a']\nr.remove('a')\nsetup(install_requires=r)", 2, "takes away"),
        ("setup(install_requires=[deps['numpy']])", 1, "computed"),
        ("setup(install_requires=['x'] * 2)", 1, "computed"),
    ],
)
def test_what_is_computed_is_said(code, line, said_so):
    spec = setup_py.read(source(code))
    assert [int(one.where.rpartition(":")[2]) for one in spec.unread] == [line]
    assert said_so in spec.unread[0].why


def test_texts_of_several_lines():
    spec = setup_py.read(source("setup(install_requires='''\nnumpy\n  scipy>1 # x\n''')"))
    assert said(spec) == ["2 numpy", "3 scipy >1"]
    spec = setup_py.read(source("r = '''\nnumpy\nscipy'''.splitlines()\nsetup(install_requires=r)"))
    assert said(spec) == ["2 numpy", "3 scipy"]


def test_files_that_state_nothing():
    assert setup_py.read(source("x = 1")).notes == ("f:1 calls no setup(): it states nothing.",)
    spec = setup_py.read(source("import setuptools\nsetuptools.setup()"))
    assert spec.notes == ("f:2 calls setup() without requirements; setup.cfg may have them.",)


@pytest.mark.parametrize(
    "text",
    [
        "print 'python 2'",
        "\0",
        "x = " + "(" * 500,
        "x = " + "-" * 100_000 + "1",
        "x = " + "a." * 60_000 + "a",
        "x = " + "1+" * 60_000 + "1",
        "#" * (setup_py.MOST_BYTES + 1),
        "def f():\nreturn",
        "x = " + "9" * 5000,
    ],
)
def test_what_cannot_be_read(text):
    with contextlib.suppress(Unreadable):
        assert setup_py.read(source(text)).facts == ()


@pytest.mark.parametrize(
    "code",
    [
        "a = ['x']\n" + "a = a + a\n" * 60,
        "a = ['x']\n" + "a += a\n" * 60,
        "a = 'x'\n" + "a = a + a\n" * 60,
        "a = 'x'\n" + "a = f'{a}{a}{a}'\n" * 60,
        "a = 'x'\n" + "a = '%s%s' % (a, a)\n" * 60,
        "def a():\n    return a() + a()\na = a()\n",
        "def a():\n    return b() + b()\ndef b():\n    return a() + a()\na = a()\n",
        "a = {}\na['a'] = a\n",
        "a = []\na.append(a)\n",
        "def setup(): return setup()\n",
    ],
)
def test_what_grows_without_end(code):
    spec = setup_py.read(source(code + "setup(install_requires=a, extras_require={'x': a})"))
    assert len(spec.facts) <= 2 * 5000
