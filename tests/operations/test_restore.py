"""`operations.restore`: captured and restored trees are equal, the user's repository untouched."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

import pytest

from provenance.facets import code
from provenance.operations import restore
from tests.operations.restore_helpers import (
    blobs_of,
    capture,
    git,
    repository,
    there_and_back,
    tree,
    write,
)

FILES: dict[str, str | bytes] = {
    "train.py": "import os\nx = 1\ny = 2\n",
    "lib/util.py": "def f():\n    return 1\n",
    "run.sh!": "#!/bin/sh\necho hi\n",
    "data.bin": bytes(range(256)) * 8,
    "crlf.txt": "a\r\nb\r\nc\r\n",
    "empty.py": "",
    "old.py": "gone\n",
    "no_newline.py": "x = 1",
}


def _unstaged(repo: Path) -> None:
    write(repo, {"train.py": "import os\nx = 3\ny = 2\n"})


def _staged(repo: Path) -> None:
    write(repo, {"train.py": "import sys\n", "added.dat": b"\x00\x01added"})
    git(repo, "add", "-A")


def _staged_then_edited(repo: Path) -> None:
    _staged(repo)
    write(repo, {"train.py": "import re\n", "lib/util.py": "other\n"})


def _untracked(repo: Path) -> None:
    write(repo, {"new.py": "x\n", "conf/a.yaml": "lr: 1\n", "go.sh!": "#!/bin/sh\n",
                 "requirements-dev.txt": "numpy\n", "deep/er/b.ipynb": "{}"})  # fmt: skip
    (repo / "link.py").symlink_to("lib/util.py")


def _deleted(repo: Path) -> None:
    (repo / "old.py").unlink()
    git(repo, "rm", "-q", "lib/util.py")


def _renamed(repo: Path) -> None:
    git(repo, "mv", "train.py", "lib/main.py")
    write(repo, {"lib/main.py": "import os\nx = 1\ny = 5\n"})


def _modes(repo: Path) -> None:
    (repo / "run.sh").chmod(0o644)
    (repo / "train.py").chmod(0o755)


def _links(repo: Path) -> None:
    (repo / "to").symlink_to("train.py")
    git(repo, "add", "to")
    git(repo, "commit", "-q", "-m", "link")
    (repo / "to").unlink()
    (repo / "to").symlink_to("lib/../old.py")
    (repo / "empty.py").unlink()
    (repo / "empty.py").symlink_to("no_newline.py")


def _binary(repo: Path) -> None:
    write(repo, {"data.bin": bytes(range(255, -1, -1)) * 9, "new.npy": os.urandom(5000)})
    git(repo, "add", "new.npy")


def _crlf(repo: Path) -> None:
    write(repo, {"crlf.txt": "a\r\nB\r\nc\nd\r\r\n", "mac.py": "a\rb\rc"})


def _names(repo: Path) -> None:
    names = ["sp ace.py", 'qu"ote.py', "new\nline.py", "tab\t.py", "é/ü.py", "-dash.py", "a\\b.py"]
    write(repo, dict.fromkeys(names, "x = 1\n"))
    write(repo, {os.fsdecode(b"latin-\xe9.py"): "x = 2\n"})
    git(repo, "add", "-A")
    git(repo, "commit", "-q", "-m", "names")
    write(repo, dict.fromkeys(names, "x = 2\n"))
    write(repo, {os.fsdecode(b"latin-\xe9.py"): "x = 3\n"})
    write(repo, {"new " + name.replace("/", " "): "x = 3\n" for name in names})
    write(repo, {os.fsdecode(b"untracked-\xe9.py"): "x = 4\n"})


def _intent_to_add(repo: Path) -> None:
    write(repo, {"later.py": "x = 1\n", "later.dat": b"\x00"})
    git(repo, "add", "-N", "later.py", "later.dat")


def _rm_cached(repo: Path) -> None:
    git(repo, "rm", "-q", "--cached", "old.py")


def _added_and_gone(repo: Path) -> None:
    write(repo, {"x.py": "x\n"})
    git(repo, "add", "x.py")
    (repo / "x.py").unlink()


def _emptied(repo: Path) -> None:
    write(repo, {"train.py": "", "empty.py": "now full\n", "new_empty.py": "", "__init__.py": ""})
    git(repo, "add", "new_empty.py")


def _no_newline(repo: Path) -> None:
    write(repo, {"no_newline.py": "x = 2", "train.py": "import os\nx = 1\ny = 2"})


def _detached(repo: Path) -> None:
    git(repo, "checkout", "-q", "--detach")
    write(repo, {"train.py": "later\n"})
    git(repo, "commit", "-q", "-am", "nobody refers to it")
    write(repo, {"train.py": "dirty\n"})


def _conflict(repo: Path) -> None:
    git(repo, "checkout", "-q", "-b", "other")
    write(repo, {"train.py": "theirs\n"})
    git(repo, "commit", "-q", "-am", "theirs")
    git(repo, "checkout", "-q", "main")
    write(repo, {"train.py": "ours\n"})
    git(repo, "commit", "-q", "-am", "ours")
    with pytest.raises(Exception):  # noqa: B017, PT011  # the merge stops, as it should
        git(repo, "merge", "-q", "other")


def _file_becomes_folder(repo: Path) -> None:
    (repo / "old.py").unlink()
    write(repo, {"old.py/inner.py": "x\n"})
    (repo / "lib" / "util.py").unlink()
    (repo / "lib").rmdir()
    write(repo, {"lib": "now a file\n"})
    git(repo, "add", "-A")


def _odd_settings(repo: Path) -> None:
    for name, value in (("diff.noprefix", "true"), ("diff.external", "false"),
                        ("diff.context", "0"),
                        ("diff.renames", "copies"), ("color.ui", "always"),
                        ("diff.suppressBlankEmpty", "true"), ("diff.submodule", "log"),
                        ("core.quotePath", "true"), ("diff.wsErrorHighlight", "all"),
                        ("diff.interHunkContext", "50"), ("status.relativePaths", "true"),
                        ("apply.whitespace", "fix"), ("core.whitespace", "tab-in-indent"),
                        ("status.showUntrackedFiles", "no"), ("core.pager", "false")):  # fmt: skip
        git(repo, "config", name, value)
    write(repo, {"train.py": "import os  \n\n \tx = 3\ny = 2\n\n", "new.py": "x\n", "é.py": "x"})


def _nothing(repo: Path) -> None:
    os.utime(repo / "train.py", (1, 1))


CASES = [
    v for n, v in list(globals().items()) if n.startswith("_") and getattr(v, "__code__", None)
]


@pytest.mark.parametrize("change", CASES, ids=lambda f: f.__name__.strip("_"))
def test_the_tree_comes_back(change: Callable[[Path], None], tmp_path: Path) -> None:
    repo = repository(tmp_path / "repo", FILES)
    change(repo)
    done = there_and_back(repo, tmp_path)
    assert tree(done.path) == tree(repo)
    assert done.notes == ()
    assert git(done.path, "rev-parse", "HEAD") == git(repo, "rev-parse", "HEAD")
    branches = [git(r, "rev-parse", "--abbrev-ref", "HEAD") for r in (done.path, repo)]
    assert branches[0] == branches[1]


@pytest.mark.parametrize("change", [_staged_then_edited, _untracked, _binary, _deleted, _names])
def test_a_restored_tree_is_captured_as_the_same_again(
    change: Callable[[Path], None], tmp_path: Path
) -> None:
    repo = repository(tmp_path / "repo", FILES)
    change(repo)
    done = there_and_back(repo, tmp_path)
    again = there_and_back(Path(done.path), tmp_path / "second")
    assert tree(again.path) == tree(repo)
    for name in ("code.patch", "untracked.tar.gz"):
        old, new = (blobs_of(tmp_path / d)(name) for d in ("run", "second/run"))
        assert old == new


def test_without_a_commit(tmp_path: Path) -> None:
    repo = tmp_path / "repo"
    repo.mkdir()
    git(repo, "init", "-q", "-b", "trunk")
    write(repo, {"a.py": "x\n", "b.dat": b"\x00\xff", "c.py": "y\n"})
    git(repo, "add", "a.py", "b.dat")
    write(repo, {"a.py": "z\n"})
    done = there_and_back(repo, tmp_path)
    assert tree(done.path) == tree(repo)
    assert git(done.path, "symbolic-ref", "HEAD") == "refs/heads/trunk\n"


def test_without_a_commit_with_long_ids(tmp_path: Path) -> None:
    repo = tmp_path / "repo"
    repo.mkdir()
    git(repo, "init", "-q", "--object-format=sha256")
    write(repo, {"a.py": "x\n"})
    git(repo, "add", "-A")
    assert tree(there_and_back(repo, tmp_path).path) == tree(repo)
    git(repo, "commit", "-qm", "x")
    write(repo, {"a.py": "y\n"})
    assert tree(there_and_back(repo, tmp_path / "2").path) == tree(repo)


def test_in_a_subfolder(tmp_path: Path) -> None:
    repo = repository(tmp_path / "repo", FILES)
    write(repo, {"lib/util.py": "changed\n", "top_new.py": "x\n", "lib/new.py": "x\n"})
    done = there_and_back(repo, tmp_path, cwd=repo / "lib")
    assert done.cwd == os.path.join(done.path, "lib")
    assert tree(done.path) == tree(repo)


def test_in_a_worktree_of_git(tmp_path: Path) -> None:
    main = repository(tmp_path / "main", FILES)
    git(main, "worktree", "add", "-q", "-b", "side", str(tmp_path / "repo"))
    repo = tmp_path / "repo"
    assert (repo / ".git").is_file()
    write(repo, {"train.py": "side\n", "new.py": "x\n"})
    done = there_and_back(repo, tmp_path)
    assert tree(done.path) == tree(repo)
    assert git(main, "worktree", "list").count("\n") == 2


def test_a_shallow_clone(tmp_path: Path) -> None:
    origin = repository(tmp_path / "origin", FILES)
    write(origin, {"train.py": "two\n"})
    git(origin, "commit", "-qam", "two")
    git(tmp_path, "clone", "-q", "--depth=1", origin.as_uri(), "repo")
    repo = tmp_path / "repo"
    write(repo, {"train.py": "three\n"})
    assert tree(there_and_back(repo, tmp_path).path) == tree(repo)


def test_line_ends_are_written_as_the_user_has_them(tmp_path: Path) -> None:
    repo = repository(tmp_path / "repo", {"a.py": "x\ny\n"})
    git(repo, "config", "core.autocrlf", "true")
    (repo / "a.py").unlink()
    git(repo, "checkout", "-q", "a.py")
    assert (repo / "a.py").read_bytes() == b"x\r\ny\r\n"
    write(repo, {"a.py": "x\r\nz\r\n"})
    assert tree(there_and_back(repo, tmp_path).path) == tree(repo)


def test_submodules_come_from_the_local_ones(tmp_path: Path) -> None:
    inner = repository(tmp_path / "inner", {"lib.py": "x = 1\n", "other.py": "y\n"})
    repo = repository(tmp_path / "repo", FILES)
    git(repo, "submodule", "add", "-q", str(inner), "ext/inner")
    git(repo, "commit", "-qm", "with submodule")
    clean = there_and_back(repo, tmp_path / "clean")
    assert tree(clean.path) == tree(repo)
    sub = repo / "ext" / "inner"
    write(sub, {"lib.py": "x = 2\n"})
    git(sub, "commit", "-qam", "moved on")
    write(sub, {"other.py": "dirty\n", "new.py": "untracked\n"})
    done = there_and_back(repo, tmp_path / "dirty")
    assert tree(done.path) == tree(repo)
    assert git(Path(done.path) / "ext" / "inner", "rev-parse", "HEAD") == git(
        sub, "rev-parse", "HEAD"
    )


def test_a_submodule_that_cannot_be_had_is_a_note(tmp_path: Path) -> None:
    inner = repository(tmp_path / "inner", {"lib.py": "x = 1\n"})
    repo = repository(tmp_path / "repo", FILES)
    git(repo, "submodule", "add", "-q", str(inner), "inner")
    git(repo, "commit", "-qm", "with submodule")
    kept = capture(repo, tmp_path / "run")
    git(repo, "submodule", "deinit", "-q", "-f", "inner")
    inner.rename(tmp_path / "moved")
    done = restore.restore_code(kept, blobs_of(tmp_path / "run"), str(repo), str(tmp_path / "tree"))
    assert any("inner" in note for note in done.notes)
    assert (tmp_path / "tree" / "train.py").exists()


def test_the_commit_is_fetched_from_the_recorded_remote(tmp_path: Path) -> None:
    origin = repository(tmp_path / "origin", FILES)
    git(tmp_path, "clone", "-q", origin.as_uri(), "repo")
    repo = tmp_path / "repo"
    write(repo, {"train.py": "dirty\n"})
    kept = capture(repo, tmp_path / "run")
    view = code.of(kept)
    assert view is not None
    assert view.pushed is True
    blobs = blobs_of(tmp_path / "run")
    done = restore.restore_code(kept, blobs, None, str(tmp_path / "tree"))
    assert tree(done.path) == tree(repo)
    elsewhere = repository(tmp_path / "elsewhere", {"z.py": "unrelated\n"})
    again = restore.restore_code(kept, blobs, str(elsewhere), str(tmp_path / "tree2"))
    assert tree(again.path) == tree(repo)
    assert git(again.path, "remote", "get-url", "origin").strip() == origin.as_uri()


def test_a_commit_that_nobody_has_is_one_sentence_and_leaves_nothing(tmp_path: Path) -> None:
    repo = repository(tmp_path / "repo", FILES)
    kept = capture(repo, tmp_path / "run")
    other = repository(tmp_path / "other", {"z.py": "unrelated\n"})
    with pytest.raises(restore.NoSuchCommit) as failed:
        restore.restore_code(kept, blobs_of(tmp_path / "run"), str(other), str(tmp_path / "tree"))
    assert "commit" in failed.value.message
    assert "git fetch" in failed.value.hint
    assert not (tmp_path / "tree").exists()


def test_a_history_that_was_squashed_has_the_same_code(tmp_path: Path) -> None:
    repo = repository(tmp_path / "repo", FILES)
    kept = capture(repo, tmp_path / "run", command=("python", "train.py"))
    published = repository(tmp_path / "published", {**FILES, "prov.lock": "{}\n"})
    blobs = blobs_of(tmp_path / "run")
    done = restore.restore_code(kept, blobs, str(published), str(tmp_path / "tree"))
    assert tree(done.path) == tree(published)
    assert any("the code that the run used is the same" in note for note in done.notes)
    write(published, {"train.py": "print('other')\n"})
    again = restore.restore_code(kept, blobs, str(published), str(tmp_path / "tree2"))
    assert tree(again.path)[b"train.py"] == tree(done.path)[b"train.py"]
    git(published, "commit", "-qam", "other code")
    with pytest.raises(restore.NoSuchCommit):
        restore.restore_code(kept, blobs, str(published), str(tmp_path / "tree3"))
    assert not (tmp_path / "tree3").exists()


def test_files_that_were_handed_in_without_their_history_have_the_same_code(
    tmp_path: Path,
) -> None:
    repo = repository(tmp_path / "repo", FILES)
    kept = capture(repo, tmp_path / "run", command=("python", "train.py"))
    blobs = blobs_of(tmp_path / "run")
    files = tmp_path / "files"
    write(
        files, {**FILES, "prov.lock": "{}\n", ".env": "TOKEN=1\n", "v/pyvenv.cfg": "", "v/a.py": ""}
    )
    done = restore.restore_code(kept, blobs, str(files), str(tmp_path / "tree"))
    assert set(tree(done.path)) >= {b"train.py", b"lib/util.py", b"run.sh", b"prov.lock"}
    assert not {b".env", b"v/a.py"} & set(tree(done.path))
    assert any("the files of the folder are restored" in note for note in done.notes)
    write(files, {"train.py": "print('other')\n"})
    with pytest.raises(restore.NoSuchCommit):
        restore.restore_code(kept, blobs, str(files), str(tmp_path / "tree2"))
    assert not (tmp_path / "tree2").exists()


def test_without_git(tmp_path: Path) -> None:
    folder = tmp_path / "folder"
    write(folder, {"a.py": "x\n", "sub/b.sh!": "y\n", "big.csv": "1,2\n", ".env": "A=1\n",
                   "venv/pyvenv.cfg": "", "venv/lib/c.py": "no\n"})  # fmt: skip
    kept = capture(folder, tmp_path / "run", cwd=folder / "sub")
    blobs = blobs_of(tmp_path / "run")
    done = restore.restore_code(kept, blobs, str(folder), str(tmp_path / "tree"))
    assert set(tree(done.path)) == {b"a.py", b"sub/b.sh"}
    assert done.cwd.endswith("/tree/sub")
    assert any("not in a git repository" in note for note in done.notes)
