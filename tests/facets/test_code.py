"""The ``code`` facet: what is kept before a run, what is added after it, what is left out."""

from __future__ import annotations

import gzip
import io
import json
import os
import subprocess
import sys
import tarfile
import time
from pathlib import Path
from typing import Any

import pytest

from provenance.core import context
from provenance.core.context import Command, FileUse, Interpreter, Observations
from provenance.core.paths import PathRef
from provenance.core.redact import Redactor
from provenance.facets import _git, code
from provenance.facets.code import Code
from tests.operations.restore_helpers import (
    ENV,
    a_context,
    a_record,
    capture,
    git,
    repository,
    state,
    write,
)

FILES: dict[str, str | bytes] = {"train.py": "import helper\n", "helper.py": "x = 1\n"}


@pytest.fixture
def repo(tmp_path: Path) -> Path:
    return repository(tmp_path / "repo", FILES)


def view(repo: Path, run_dir: Path, **more: Any) -> Code:
    found = code.of(capture(repo, run_dir, **more))
    assert found is not None
    return found


def notes(repo: Path, run_dir: Path, **more: Any) -> str:
    return " | ".join(capture(repo, run_dir, **more).facets["code"].notes)


def test_a_clean_repository_is_one_call_and_no_files(repo, tmp_path, monkeypatch):
    asked = []
    monkeypatch.setattr(
        _git, "_spawned", lambda *a, call=_git._spawned: asked.append(a[1]) or call(*a)
    )
    (tmp_path / "run").mkdir()
    answer = code.capture(a_context(repo, tmp_path / "run"))
    assert len(asked) == 1
    assert os.listdir(tmp_path / "run") == []
    found = code.of(a_record(a_context(repo, None).roots, answer))
    assert found.commit == git(repo, "rev-parse", "HEAD").strip()
    assert (found.branch, found.dirty, found.patch, found.untracked) == ("main", False, None, None)
    assert answer.notes == ()


def test_nothing_is_touched(repo, tmp_path):
    write(repo, {"train.py": "changed\n", "new.py": "x\n"})
    os.utime(repo / "helper.py", (1, 1))
    before = state(repo)
    view(repo, tmp_path / "run")
    assert state(repo) == before


def test_what_is_untracked_is_kept_by_rule(repo, tmp_path):
    kept = {"a.py": "x\n", "b/conf.yaml": "x: 1\n", "requirements-gpu.txt": "x\n",
            "t.sbatch": "x\n", "nb.ipynb": "{}", "Makefile": "x\n",
            "in/uv.lock": "x\n"}  # fmt: skip
    secret = [".env", ".env.local", "prod.env", "k.pem", "id_rsa", "id_rsa.pub", "a.key",
              "credentials.json", "credentials.py", ".netrc", ".npmrc", ".pypirc",
              ".aws/config.ini", "kaggle.json", "secrets.toml"]  # fmt: skip
    other = ["data.csv", "LICENSE", "README.md", "notes.txt", "w.pt"]
    nowhere = ["venv/pyvenv.cfg", "venv/lib/x.py", "conda/conda-meta/history", "conda/y.py",
               "__pycache__/z.py", "node_modules/m.js", "ignored.py"]  # fmt: skip
    write(repo, {**kept, **dict.fromkeys(secret + other + nowhere, "x\n")})
    write(repo, {".git/info/exclude": "ignored.py\n", "big.py": b"#" * (1 << 20) + b"\n"})
    repository(repo / "nested", {"n.py": "x\n"})
    found = view(repo, tmp_path / "run")
    assert {p.path for p in found.untracked.files} == set(kept)
    reasons = {o.path.path: o.reason for o in found.left_out}
    assert set(reasons) == {*(s for s in secret if s not in nowhere), "big.py", "nested"}
    assert "larger" in reasons["big.py"]
    assert "repository" in reasons["nested"]
    assert found.untracked_others == len(other)
    assert "not kept:" in notes(repo, tmp_path / "run")


def test_the_archive_is_the_same_bytes_for_the_same_files(repo, tmp_path):
    write(repo, {"b.py": "x\n", "a.sh!": "y\n"})
    first = view(repo, tmp_path / "run").untracked
    os.utime(repo / "b.py", (5, 5))
    assert view(repo, tmp_path / "run2").untracked == first
    data = gzip.decompress((tmp_path / "run" / "untracked.tar.gz").read_bytes())
    with tarfile.open(fileobj=io.BytesIO(data)) as archive:
        members = [(m.name, m.mode, m.mtime, m.uid, m.uname) for m in archive.getmembers()]
    assert members == [("a.sh", 0o755, 0, 0, ""), ("b.py", 0o644, 0, 0, "")]


def test_all_together_is_capped_and_source_goes_first(repo, tmp_path):
    write(repo, {"conf%02d.json" % n: b"x" * 1_000_000 for n in range(11)})
    write(repo, {"zz.py": "x\n"})
    found = view(repo, tmp_path / "run")
    assert PathRef("repo", "zz.py") in found.untracked.files
    assert any("in all" in o.reason for o in found.left_out)


def test_links_that_lead_out_are_left_out(repo, tmp_path):
    (repo / "in.py").symlink_to("helper.py")
    (repo / "out.py").symlink_to("../secret.py")
    (repo / "abs").symlink_to("/etc")
    found = view(repo, tmp_path / "run")
    assert [p.path for p in found.untracked.files] == ["in.py"]
    assert {o.path.path for o in found.left_out} == {"out.py", "abs"}


def test_secrets_are_masked_in_patch_and_archive(repo, tmp_path):
    key = "ghp_" + "a1B2" * 9
    write(repo, {"train.py": "password = 'hunter22'\n", "conf.yaml": "token: abcdefgh1\n",
                 "new.py": "k = '%s'\n" % key, "blob.bin": b"\0" + key.encode()})  # fmt: skip
    git(repo, "add", "blob.bin")
    found = view(repo, tmp_path / "run", redact=Redactor())
    patch = (tmp_path / "run" / "code.patch").read_bytes()
    packed = gzip.decompress((tmp_path / "run" / "untracked.tar.gz").read_bytes())
    for secret in (b"hunter22", key.encode(), b"abcdefgh1"):
        assert secret not in patch + packed
    assert found.patch.applies
    assert found.patch.redacted == 1
    assert {o.path.path for o in found.left_out} == {"blob.bin"}
    assert {p.path for p in found.untracked.redacted} == {"conf.yaml", "new.py"}
    assert "masked" in notes(repo, tmp_path / "run")


def test_changes_of_secret_and_of_large_files_stay_out_of_the_patch(repo, tmp_path):
    write(
        repo, {".env": "A=1\n", "big.bin": os.urandom(11 << 20), "gone.bin": os.urandom(11 << 20)}
    )
    git(repo, "add", "-f", "-A")
    git(repo, "commit", "-qm", "data")
    write(repo, {".env": "A=sesame-open\n", "big.bin": b"small now", "train.py": "y\n"})
    (repo / "gone.bin").unlink()
    found = view(repo, tmp_path / "run")
    assert (tmp_path / "run" / "code.patch").stat().st_size < 1000
    assert {o.path.path for o in found.left_out} == {".env", "big.bin", "gone.bin"}
    assert found.patch.files == 1
    assert found.changed_count == 4


def test_remotes_have_no_credentials_and_pushed_is_told(repo, tmp_path):
    assert view(repo, tmp_path / "run").pushed is None
    git(repo, "remote", "add", "origin", "https://me:s3cret@host.example/x.git")
    git(repo, "remote", "add", "ssh", "ssh://git@host.example/x.git")
    found = view(repo, tmp_path / "run")
    assert {r.name: r.url for r in found.remotes} == {
        "origin": "https://host.example/x.git", "ssh": "ssh://git@host.example/x.git"
    }  # fmt: skip
    assert found.pushed is False
    git(repo, "update-ref", "refs/remotes/origin/main", "HEAD")
    assert view(repo, tmp_path / "run").pushed is True


@pytest.mark.parametrize("break_it", ["no git", "corrupt", "bare"])
def test_without_a_usable_git_the_sources_are_kept(break_it, repo, tmp_path):
    environ = dict(ENV)
    if break_it == "no git":
        environ["PATH"] = str(tmp_path)
    elif break_it == "corrupt":
        (repo / ".git" / "HEAD").write_text("junk")
    else:
        git(repo, "config", "core.bare", "true")
    found = view(repo, tmp_path / "run", environ=environ)
    assert found.vcs == "none"
    assert {p.path for p in found.untracked.files} == {"train.py", "helper.py"}
    assert "git" in notes(repo, tmp_path / "run", environ=environ)


@pytest.mark.skipif(os.getuid() != 0, reason="only root can give a file away")
def test_a_repository_of_somebody_else_says_what_to_do(repo, tmp_path):
    os.chown(repo, 12345, 12345)
    said = notes(repo, tmp_path / "run")
    assert "safe.directory" in said
    assert str(repo) in said


def test_the_home_folder_is_no_project(tmp_path):
    write(tmp_path, {"a.py": "x\n"})
    base = a_context(tmp_path, tmp_path)
    answer = code.capture(base._replace(roots=base.roots._replace(home=str(tmp_path / "sub"))))
    assert code.of(a_record(base.roots, answer)).untracked is None
    assert "no project folder" in answer.notes[0]


def test_git_dir_of_the_environment_selects_the_repository(repo, tmp_path):
    (tmp_path / "work").mkdir()
    write(tmp_path / "work", FILES)
    environ = dict(ENV, GIT_DIR="../repo/.git", GIT_WORK_TREE=".")
    found = view(tmp_path / "work", tmp_path / "run", environ=environ)
    assert found.commit == git(repo, "rev-parse", "HEAD").strip()
    assert not found.dirty


def _run(repo: Path, tmp_path: Path, edit: Any = None, **more: Any) -> Code:
    """Capture as around a run that used train.py and helper.py; ``edit`` happens during it."""
    run_dir = tmp_path / "run"
    run_dir.mkdir(exist_ok=True)
    before = a_context(repo, run_dir, **more)
    first = code.capture(before)
    time.sleep(0.02)
    (run_dir / "marker").write_text("")
    marker = (run_dir / "marker").stat().st_ctime_ns
    time.sleep(0.02)
    during = code.capture(before._replace(phase=context.DURING, earlier=first))
    if edit:
        edit()
    uses = tuple(FileUse(str(repo / name), "r", True, False) for name in FILES)
    observed = more.get("observed", Observations(files=uses))
    after = before._replace(
        phase=context.AFTER, earlier=during, observed=observed, marker_ns=marker
    )
    found = code.of(a_record(before.roots, code.capture(after)))
    assert found is not None
    return found


def test_the_source_files_used_are_digested(repo, tmp_path):
    found = _run(repo, tmp_path)
    assert [one.path.path for one in found.used] == ["helper.py", "train.py"]
    assert all(set(one.digests) == {"sha256", "python-tokens-1"} for one in found.used)
    assert not any(one.changed_during for one in found.used)


def test_a_file_edited_during_the_run_counts_as_it_was_at_the_start(repo, tmp_path):
    clean = _run(repo, tmp_path)
    edited = _run(repo, tmp_path, lambda: write(repo, {"helper.py": "x = 2\n"}))
    before, after = (next(u for u in f.used if u.path.path == "helper.py") for f in (clean, edited))
    assert after.changed_during
    assert after.digests == before.digests


def test_sources_are_known_from_bytecode_command_lines_and_drivers(repo, tmp_path):
    write(repo, {"run.sh": "x\n", "Makefile": "x\n", "pkg/__init__.py": "", "pkg/__main__.py": "",
                 "cfg.py": "x\n", "never.py": "x\n", "lib/deep.py": "x\n"})  # fmt: skip
    cached = FileUse(str(repo / "lib/__pycache__/deep.cpython-311.opt-1.pyc"), "r", True, False)
    written = FileUse(str(repo / "never.py"), "w", True, True)
    observed = Observations(
        files=(cached, written),
        commands=(
            Command(("make", "-j")),
            Command(("python", "-m", "pkg")),
            Command(("sh", "run.sh")),
        ),
    )
    found = _run(repo, tmp_path, observed=observed, command=("python", "train.py", "--cfg=cfg.py"))
    names = {one.path.path for one in found.used}
    assert names == {"lib/deep.py", "Makefile", "pkg/__main__.py", "run.sh", "train.py", "cfg.py"}


def test_libraries_are_not_used_source_but_editable_installs_are(repo, tmp_path):
    other = repository(tmp_path / "other", {"src/mylib/__init__.py": "x = 1\n"})
    git(other, "remote", "add", "origin", "https://tok:en@host.example/mylib.git")
    write(other, {"src/mylib/__init__.py": "x = 2\n"})
    site = tmp_path / "venv" / "lib" / "python3.11" / "site-packages"
    write(site, {"numpy/__init__.py": "x\n"})
    python = Interpreter(
        "python", sys.executable, "3.11", prefix=str(tmp_path / "venv"),
        sys_path=(str(repo), str(site), str(other / "src")),
        modules={"numpy": str(site / "numpy/__init__.py"), "sys": "", "os": os.__file__,
                 "mylib": str(other / "src/mylib/__init__.py"), "helper": str(repo / "helper.py")},
        base_prefix=sys.base_prefix,
    )  # fmt: skip
    found = _run(repo, tmp_path, interpreters=(python,), observed=Observations())
    assert [(one.path.root, one.how) for one in found.used] == [
        ("abs", "imported"),
        ("repo", "imported"),
    ]
    assert found.used[0].module == "mylib/__init__.py"
    (one,) = found.repositories
    assert (one.path.path, one.dirty) == (str(other), True)
    assert one.url == "https://host.example/mylib.git"


def test_changes_of_another_repository_are_kept_where_it_was_used(repo, tmp_path):
    other = repository(tmp_path / "other", {"lib.py": "x = 1\n", "cfg.ini": "a\n"})
    unused = repository(tmp_path / "unused", {"lib2.py": "x = 1\n"})
    for one in (other, unused):
        write(one, {"new.py": "KEY = 'AKIA' + 'x'\n", "lib.py": "x = 2\n", "big.bin": b"\0" * 9})
    observed = Observations(files=(FileUse(str(other / "lib.py"), "r", True, False),))
    python = Interpreter("python", sys.executable, "3.11", sys_path=(str(unused),))
    found = _run(repo, tmp_path, interpreters=(python,), observed=observed)
    by_path = {one.path.path: one for one in found.repositories}
    kept = by_path[str(other)]
    assert kept.dirty
    assert kept.commit == git(other, "rev-parse", "HEAD").strip()
    assert [one.path for one in kept.untracked.files] == [str(other / "new.py")]
    assert (by_path[str(unused)].patch, by_path[str(unused)].untracked) == (None, None)
    fresh = tmp_path / "fresh"
    git(tmp_path, "clone", "-q", str(other), str(fresh))
    patches = list(tmp_path.rglob(kept.patch.file))
    git(fresh, "apply", str(patches[0]))
    assert (fresh / "lib.py").read_text() == "x = 2\n"
    (archive,) = tmp_path.rglob(kept.untracked.file)
    with tarfile.open(archive) as packed:
        assert packed.getnames() == ["new.py"]


def test_submodules_are_told(repo, tmp_path):
    inner = repository(tmp_path / "inner", {"lib.py": "x = 1\n"})
    git(repo, "submodule", "add", "-q", str(inner), "ext")
    git(repo, "commit", "-qm", "ext")
    (one,) = view(repo, tmp_path / "run").submodules
    head = git(inner, "rev-parse", "HEAD").strip()
    assert (one.path.path, one.commit, one.recorded, one.dirty) == ("ext", head, head, False)
    write(repo, {"ext/lib.py": "x = 2\n"})
    (one,) = view(repo, tmp_path / "run2").submodules
    assert one.dirty
    assert (tmp_path / "run2" / one.patch.file).exists()
    git(repo, "submodule", "deinit", "-q", "-f", "ext")
    (one,) = view(repo, tmp_path / "run3").submodules
    assert one.commit is None
    assert "not checked out" in notes(repo, tmp_path / "run3")


def test_files_that_git_was_told_to_overlook_are_said(repo, tmp_path):
    git(repo, "update-index", "--assume-unchanged", "helper.py")
    write(repo, {"helper.py": "hidden change\n"})
    assert "assume-unchanged" in notes(repo, tmp_path / "run")


def test_the_payload_is_small_plain_json(repo, tmp_path):
    write(repo, {"train.py": "y\n", "new.py": "x\n"})
    payload = capture(repo, tmp_path / "run").payloads("code")[0].payload
    assert len(json.dumps(payload)) < 3000
    assert payload["changed"] == [{"path": {"root": "repo", "path": "train.py"}, "status": ".M"}]


def test_the_before_phase_imports_nothing_heavy(repo, tmp_path):
    write(repo, {"train.py": "y\n"})
    program = (
        "import sys; sys.path.insert(0, %r)\n"
        "from tests.operations.restore_helpers import *\n"
        "before = set(sys.modules); import provenance.facets.code as c\n"
        "for n in ('subprocess', 'tarfile', 'hashlib'): sys.modules.pop(n, None)\n"
        "c.capture(a_context(Path(%r), Path(%r)))\n"
        "print([n for n in ('subprocess', 'tarfile', 'tempfile', 'git') if n in sys.modules])\n"
        % (str(Path(__file__).parents[2]), str(repo), str(tmp_path))
    )
    done = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=True
    )
    assert done.stdout.strip() in ("[]", "['tempfile']")
