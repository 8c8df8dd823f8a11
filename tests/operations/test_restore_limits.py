"""`operations.restore` at its limits: hooks, filters, secrets, bad input, odd environments."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from provenance.core.redact import Redactor
from provenance.errors import BadRecord, NothingToCompare, ProvError, SystemRefused
from provenance.facets import _patch, code
from provenance.operations import restore
from tests.operations.restore_helpers import (
    ENV,
    a_context,
    a_record,
    blobs_of,
    capture,
    git,
    repository,
    there_and_back,
    tree,
    write,
)

FILES: dict[str, str | bytes] = {"train.py": "import os\nx = 1\ny = 2\n", "lib/util.py": "x\n"}


def test_hooks_and_filters_never_run(tmp_path: Path) -> None:
    repo = repository(tmp_path / "repo", {"a.dat": "x\n", ".gitattributes": "*.dat filter=evil\n"})
    proof = tmp_path / "proof"
    for name in (
        "post-checkout",
        "post-index-change",
        "reference-transaction",
        "fsmonitor-watchman",
    ):
        hook = repo / ".git" / "hooks" / name
        hook.parent.mkdir(exist_ok=True)
        hook.write_text("#!/bin/sh\ntouch %s\n" % proof)
        hook.chmod(0o755)
    config = tmp_path / "config"
    config.write_text('[filter "evil"]\n smudge = touch %s\n required = true\n' % proof)
    kept = capture(repo, tmp_path / "run")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("GIT_CONFIG_GLOBAL", str(config))
        blobs = blobs_of(tmp_path / "run")
        done = restore.restore_code(kept, blobs, str(repo), str(tmp_path / "tree"))
    assert not proof.exists()
    assert (tmp_path / "tree" / "a.dat").read_text() == "x\n"
    assert any("evil" in note for note in done.notes)


def test_lfs_contents_come_from_the_local_store(tmp_path: Path) -> None:
    pointer = "version https://git-lfs.github.com/spec/v1\noid sha256:%s\nsize 5\n"
    files = {"a.bin": pointer % ("a" * 64), "b.bin": pointer % ("b" * 64),
             ".gitattributes": "*.bin filter=lfs diff=lfs merge=lfs -text\n"}  # fmt: skip
    repo = repository(tmp_path / "repo", dict(files))
    write(repo, {".git/lfs/objects/aa/aa/" + "a" * 64: b"hello"})
    done = there_and_back(repo, tmp_path)
    assert (Path(done.path) / "a.bin").read_bytes() == b"hello"
    assert (Path(done.path) / "b.bin").read_text() == files["b.bin"]
    assert len(done.notes) == 1
    assert "b.bin" in done.notes[0]


def test_the_environment_cannot_lead_git_into_another_repository(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    repo = repository(tmp_path / "repo", FILES)
    victim = repository(tmp_path / "victim", {"v.py": "v\n"})
    before = tree(victim), git(victim, "status", "--porcelain")
    kept = capture(repo, tmp_path / "run")
    monkeypatch.setenv("GIT_DIR", str(victim / ".git"))
    monkeypatch.setenv("GIT_WORK_TREE", str(victim))
    monkeypatch.setenv("GIT_INDEX_FILE", str(victim / ".git" / "index"))
    blobs = blobs_of(tmp_path / "run")
    done = restore.restore_code(kept, blobs, str(repo), str(tmp_path / "tree"))
    monkeypatch.undo()
    assert tree(done.path) == tree(repo)
    assert (tree(victim), git(victim, "status", "--porcelain")) == before


def test_bad_input_is_one_sentence(tmp_path: Path) -> None:
    repo = repository(tmp_path / "repo", FILES)
    write(repo, {"train.py": "changed\n", "new.py": "x\n"})
    kept = capture(repo, tmp_path / "run")
    blobs = blobs_of(tmp_path / "run")
    target = str(tmp_path / "tree")
    bad: list[tuple[type[ProvError], object]] = [
        (BadRecord, lambda name: None if name == "code.patch" else blobs(name)),
        (BadRecord, lambda name: b"other bytes"),
    ]
    for error, wrong in bad:
        with pytest.raises(error):
            restore.restore_code(kept, wrong, str(repo), target)  # type: ignore[arg-type]
        assert not os.path.exists(target)
    with pytest.raises(SystemRefused):
        restore.restore_code(kept, blobs, str(repo), str(repo))
    with pytest.raises(NothingToCompare):
        restore.restore_code(kept._replace(facets={}), blobs, str(repo), target)


def test_a_used_file_with_other_content_is_said(tmp_path: Path) -> None:
    repo = repository(tmp_path / "repo", {**FILES, ".gitignore": "local_*.py\n"})
    write(repo, {"local_settings.py": "x = 1\n"})
    run_dir = tmp_path / "run"
    kept = capture(repo, run_dir, command=("python", "train.py", "local_settings.py"))
    blobs = blobs_of(run_dir)
    done = restore.restore_code(kept, blobs, str(repo), str(tmp_path / "tree"))
    assert (Path(done.path) / "local_settings.py").read_text() == "x = 1\n"
    assert done.notes == ()
    (run_dir / "ignored.tar.gz").unlink()
    done = restore.restore_code(kept, blobs, str(repo), str(tmp_path / "tree2"))
    assert sum("local_settings.py" in note for note in done.notes) == 2


def test_masked_lines_are_said_and_the_rest_applies(tmp_path: Path) -> None:
    lines = ["line %d\n" % n for n in range(20)]
    lines[8] = 'api_key = "abc123def456"\n'
    repo = repository(tmp_path / "repo", {"a.py": "".join(lines), "b.py": "".join(lines)})
    changed = list(lines)
    changed[6] = "changed\n"
    changed.append('password = "hunter22"\n')
    write(repo, {"a.py": "".join(changed), "b.py": "".join(lines[:8] + lines[9:])})
    done = there_and_back(repo, tmp_path)
    patch = (tmp_path / "run" / "code.patch").read_text()
    assert "abc123def456" not in patch
    assert "hunter22" not in patch
    expected = "".join(changed).replace("hunter22", "<redacted>")
    assert (Path(done.path) / "a.py").read_text() == expected
    assert (Path(done.path) / "b.py").read_text() == (repo / "b.py").read_text()
    assert any("masked" in note for note in done.notes)
    view = code.of(a_record(a_context(repo, None).roots, code.capture(a_context(repo, tmp_path))))
    assert view is not None
    assert view.patch is not None
    assert view.patch.applies is False


ODD = """a|b = 2||  |\r|\ttab|é|password = 'hunter22'|-|+ x|@@ -1 +1 @@|diff --git a/x b/x
\\ No newline at end of file|GIT binary patch|--- a/x"""
LINES = st.lists(st.sampled_from(ODD.replace("\n", "|").split("|")), max_size=14)


@settings(max_examples=40, deadline=None)
@given(LINES, LINES, st.booleans(), st.booleans())
def test_any_text_change_comes_back_but_for_the_masks(
    tmp_path_factory: pytest.TempPathFactory, old: list[str], new: list[str], end: bool, ends: bool
) -> None:
    tmp = tmp_path_factory.mktemp("text")
    before = ("\n".join(old) + "\n" * end).encode()
    after = ("\n".join(new) + "\n" * ends).encode()
    for name, data in (("old", before), ("new", after)):
        write(tmp, {name + "/x": data})
    words = ["git", "diff", "--no-index", "--binary", "--full-index", "old/x", "new/x"]
    done = subprocess.run(words, cwd=tmp, env=ENV, capture_output=True, check=False)
    raw = done.stdout.replace(b"a/old/x", b"a/x").replace(b"b/new/x", b"b/x")
    (section,) = _patch.sections(raw) or [None]
    if section is None:
        assert before == after
        return
    assert section.path == b"x"
    redact = Redactor()
    clean = _patch.clean(section, redact)
    assert b"hunter22" not in clean.text
    assert len(clean.text.split(b"\n")) == len(section.text.split(b"\n"))
    filled = _patch.filled(_patch.Section(b"x", clean.text), lambda _: before)
    assert filled is not None
    patch = clean.text if clean.kept == 0 else filled.text
    write(tmp, {"target/x": before})
    words = ["git", "apply", "--whitespace=nowarn", "-"]
    subprocess.run(words, cwd=tmp / "target", env=ENV, input=patch, check=True, capture_output=True)
    result = (tmp / "target" / "x").read_bytes()
    kept = before.count(b"hunter22")  # lines that stay are the commit's, whole
    assert result.replace(b"<redacted>", b"hunter22") == after
    assert clean.added == result.count(b"<redacted>") or kept
