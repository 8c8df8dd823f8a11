"""Packing portable modules into one file."""

from __future__ import annotations

import ast
import hashlib
import os
import subprocess
import sys
from pathlib import Path

import pytest

import provenance
from provenance import pack
from provenance.pack import PackError

ROOT = Path(__file__).resolve().parent.parent
TEMPLATE = ROOT / "templates" / "test_provenance.py"


def test_the_template_is_fresh() -> None:
    fresh = pack.drop_in()
    assert TEMPLATE.read_text(encoding="utf-8") == fresh, (
        "renew it: python -c 'from provenance.pack import drop_in; print(drop_in(), end=\"\")' > %s"
        % TEMPLATE.relative_to(ROOT)
    )


def test_the_sdk_in_one_file_is_fresh() -> None:
    path = ROOT / "src" / "provenance" / "agent" / "site" / "_prov_sdk.py"
    assert path.read_text(encoding="utf-8") == pack.pack(pack.SDK), (
        "renew it: python -c 'from provenance import pack; print(pack.pack(pack.SDK), end=\"\")' > "
        + str(path.relative_to(ROOT))
    )


def test_packing_twice_gives_the_same() -> None:
    assert pack.pack(pack.SDK) == pack.pack(pack.SDK)


def test_the_drop_in_names_its_version_and_the_digest_of_the_rest() -> None:
    text = pack.drop_in()
    shebang, version, stamp, body = text.split("\n", 3)
    assert shebang == "#!/usr/bin/env python3"
    assert version.startswith("# Drop-in test of prov %s. " % provenance.__version__)
    assert stamp == "# " + hashlib.sha256(body.encode()).hexdigest()
    assert body.startswith('"""')


def test_what_a_drop_in_is() -> None:
    text = pack.drop_in()
    version = provenance.__version__
    assert pack.state_of(text) == (pack.SHIPPED, version)
    assert pack.state_of(text + "# mine\n") == (pack.CHANGED, version)
    assert pack.state_of(text.replace("\n", "\r\n")) == (pack.CHANGED, "")
    assert pack.state_of("print('mine')\n") == (pack.CHANGED, "")
    assert pack.state_of("") == (pack.CHANGED, "")
    older = text.replace("of prov %s." % version, "of prov 0.0.7.", 1)
    assert pack.state_of(older) == (pack.OTHER, "0.0.7")


def test_the_drop_in_stays_small_enough_to_be_read() -> None:
    lines = pack.drop_in().split("\n")
    assert len(lines) <= 405
    assert max(map(len, lines)) <= 100


def test_the_drop_in_can_neither_write_nor_start_nor_import_nor_reach_anything() -> None:
    """What its docstring promises, by the names that stand in it."""
    tree = ast.parse(pack.drop_in())
    names = {node.id for node in ast.walk(tree) if isinstance(node, ast.Name)}
    names |= {node.attr for node in ast.walk(tree) if isinstance(node, ast.Attribute)}
    never = "exec eval __import__ import_module popen Popen run fork spawn socket "
    never += "urlopen write writelines remove unlink rmdir mkdir makedirs rename chmod "
    never += "load_module exec_module subprocess pickle"
    assert not names & set(never.split())
    for node in ast.walk(tree):
        assert not isinstance(node, ast.Call) or getattr(node.func, "id", "") != "compile"
        assert not isinstance(node, ast.Attribute) or ast.unparse(node) != "os.system"
        if isinstance(node, ast.Call) and getattr(node.func, "id", "") == "open":
            mode = node.args[1] if len(node.args) > 1 else None
            assert mode is None or ast.literal_eval(mode) == "rb"
            assert {word.arg for word in node.keywords} <= {"encoding", "errors"}


def test_imports_nothing_but_the_standard_library() -> None:
    tree = ast.parse(pack.drop_in())
    tops = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            tops.update(alias.name.partition(".")[0] for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            tops.add((node.module or "").partition(".")[0])
    assert "provenance" not in tops
    assert tops <= set(sys.stdlib_module_names) | {"__future__"}


def test_carries_the_comments_and_says_where_each_part_is_from() -> None:
    text = pack.pack(pack.SDK)
    assert "# ---- provenance.agent.sdk ---" in text
    assert "prov init --sdk" in text.split('"""')[1]
    assert "/home/" not in text


def test_the_file_stands_alone(tmp_path: Path) -> None:
    copy = tmp_path / "test_provenance.py"
    copy.write_text(pack.drop_in())
    done = subprocess.run(
        [sys.executable, "-I", "-S", str(copy)], capture_output=True, text=True, check=False
    )
    assert done.returncode == 1
    assert "No such file or directory" in done.stderr
    assert "Traceback" not in done.stderr


@pytest.fixture
def modules(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Modules of a made-up package, found in the place of the real ones."""

    def path_of(name: str) -> str:
        path = tmp_path / (name.rsplit(".", maxsplit=1)[-1] + ".py")
        if not path.is_file():
            raise PackError("%s is not a module with code of its own" % name)
        return str(path)

    monkeypatch.setattr(pack, "path_of", path_of)
    return tmp_path


def write(folder: Path, **sources: str) -> None:
    for name, source in sources.items():
        (folder / (name + ".py")).write_text('"""About %s."""\n\n%s' % (name, source))


def run(text: str) -> dict[str, object]:
    names: dict[str, object] = {}
    exec(compile(text, "packed", "exec"), names)
    return names


def test_modules_aliases_and_members_keep_their_meaning(modules: Path) -> None:
    write(
        modules,
        low="import os\n\nSIZE = 2 + len(os.sep)\n\n\ndef double(x):\n    return 2 * x\n",
        mid="from provenance import low\n\n\ndef four(x):\n    return low.double(low.double(x))\n",
        top="import os\n\nfrom provenance.low import SIZE\n"
        "from provenance.mid import four as fourth\n\n# kept\n"
        "ANSWER = fourth(SIZE) * len(os.sep)\n",
    )
    text = pack.pack(("provenance.top",))
    assert run(text)["ANSWER"] == 12
    assert text.count("import os") == 1
    assert "# kept" in text
    assert "# About low." in text


def test_what_nothing_uses_is_left_out_with_its_comments_and_imports(modules: Path) -> None:
    write(
        modules,
        far="ONE = 1\n",
        low="import json\nimport os\n\nfrom provenance.far import ONE\n\n"
        'SIZE = 3\n"""Of it."""\n# unused\nOTHER = ONE\n"""Of the other."""\n\n\n'
        "def double(x):\n    return times(x, 2)\n\n\n"
        "def times(x, y):\n    return os.path.sep and x * y\n\n\n"
        "def triple(x):\n    return json.loads(str(3 * x))\n",
        top="from provenance.low import SIZE, double\n\nANSWER = double(SIZE)\n",
    )
    text = pack.pack(("provenance.top",))
    assert run(text)["ANSWER"] == 6
    assert '"""Of it."""' in text
    for gone in ("triple", "json", "unused", "OTHER", "Of the other", "About far"):
        assert gone not in text


@pytest.mark.parametrize(
    ("sources", "reason"),
    [
        ({"low": "A = 1\n", "top": "from provenance.low import A\nA = 2\n"}, "'A' is both"),
        ({"low": "A = 1\n", "top": "from provenance import low\nlow.B\n"}, "has no B"),
        ({"top": "def f():\n    from provenance.low import A\n"}, "inside cannot be packed"),
        ({"top": "import provenance.low\n"}, "cannot be packed"),
        ({"top": "from provenance.nowhere import x\n"}, "not a module"),
        (
            {
                "low": "import json\n\n\ndef read():\n    return json.loads('1')\n",
                "top": "from provenance import low\njson = low.read()\n",
            },
            "'json'",
        ),
        (
            {"low": "from provenance import top\n", "top": "from provenance import low\n"},
            "import cycle",
        ),
    ],
)
def test_what_cannot_stand_in_one_file_is_an_error(
    modules: Path, sources: dict[str, str], reason: str
) -> None:
    write(modules, **sources)
    with pytest.raises(PackError, match=reason):
        pack.pack(("provenance.top",))


def test_the_oldest_python_can_compile_it() -> None:
    old = Path(os.path.expanduser("~/.pyenv/versions/3.7.16/bin/python"))
    if not old.exists():
        pytest.skip("no Python 3.7 here")
    done = subprocess.run(
        [str(old), "-c", "import sys; compile(sys.stdin.buffer.read(), 'x', 'exec')"],
        input=pack.drop_in().encode(),
        capture_output=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr.decode()
