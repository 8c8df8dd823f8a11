"""What setup.cfg files state."""

from provenance.specs import setup_cfg

from ._said import said, source, unread

TEXT = """\
# comment
[metadata]
name = x
version = attr: x.__version__
long_description = file: README.md
    %(not interpolated)s

[options]
python_requires = >=3.6, <4
install-requires =
    torch == 1.4.0  # pinned
    # left out
    numpy>=1.18; python_version < "3.9"

    importlib-metadata;python_version<"3.8"
  ; also left out
    not a requirement
tests_require = pytest; mock>=1
packages = find:

[options.extras_require]
dev =
  black
  x @ git+https://example.org/x.git
docs: sphinx ; python_version > "3"

[flake8]
ignore = E203
    install_requires = no
"""


def test_lists():
    spec = setup_cfg.read(source(TEXT))
    assert said(spec) == [
        "9 python >=3.6, <4",
        "11 torch == 1.4.0",
        '13 numpy >=1.18 ; python_version < "3.9"',
        '15 importlib-metadata ; python_version < "3.8"',
        "18 pytest [group:tests]",
        "18 mock >=1 [group:tests]",
        "23 black [extra:dev]",
        "24 x  @ git+https://example.org/x.git [extra:dev]",
        '25 sphinx ; python_version > "3" [extra:docs]',
    ]
    assert unread(spec) == [(17, "not a requirement")]


def test_files():
    text = "[options]\ninstall_requires = file: requirements.txt, gone.txt\n"
    spec = setup_cfg.read(source(text, "a/setup.cfg", requirements__txt="\nnumpy"))
    assert said(spec) == ["a/requirements.txt:2 numpy"]
    assert spec.included == ("a/requirements.txt",)
    assert unread(spec) == [(2, "gone.txt")]


def test_settings_of_tools_only():
    spec = setup_cfg.read(source("[isort]\nknown_third_party =\n    torch\n\n[flake8]\nx = 1\n"))
    assert spec.notes == ("f:1 states no dependencies: it holds [isort], [flake8].",)
    assert setup_cfg.read(source("")).notes == ("f:1 states no dependencies: it holds nothing.",)


def test_what_is_no_ini():
    text = "  indented\n[x\n= 3\n]\n\tinstall_requires = x\n[options]\ninstall_requires\n  numpy\n"
    assert said(setup_cfg.read(source(text))) == []
    broken = "[options]\r\ninstall_requires =\r\n  numpy\r\n".encode("utf-16")
    assert said(setup_cfg.read(source(broken))) == ["3 numpy"]
