"""What a run read: classification, digests, states, and comparing with the present."""

from __future__ import annotations

import os
import time
from pathlib import Path

import blake3
import pytest

from provenance.core import digest
from provenance.core.context import Command, FolderUse, Parsed
from provenance.core.difference import Comparison
from provenance.core.digest import file_digests, tree_digest
from provenance.core.paths import Roots
from provenance.core.redact import MASK, Redactor
from provenance.facets import data
from tests.facets._runs import files, ran, read, read_then_wrote, today, wrote, wrote_then_read


@pytest.fixture
def project(tmp_path: Path) -> Path:
    folder = tmp_path / "project"
    (folder / "data").mkdir(parents=True)
    (folder / "data" / "train.csv").write_text("1\n2\n")
    (folder / "train.py").write_text("pass\n")
    (folder / "conf.yaml").write_text("lr: 0.1\n")
    return folder


def test_files_that_were_read_are_data_and_config_and_code_is_left_out(project: Path) -> None:
    (project / ".git").mkdir()
    (project / ".git" / "config").write_text("")
    names = ("data/train.csv", "train.py", "conf.yaml", ".git/config", "never-there.csv")
    uses = [read(project / name) for name in names]
    answer = data.capture(ran(project, "", *uses, read("/etc/hostname"), read("/proc/cpuinfo")))
    found = files(answer)
    assert set(found) == {"data/train.csv", "conf.yaml"}
    assert found["conf.yaml"]["kind"] == "config"
    assert found["data/train.csv"] == {
        "path": {"root": "repo", "path": "data/train.csv"},
        "kind": "data",
        "size": 4,
        "digests": {"blake3": blake3.blake3(b"1\n2\n").hexdigest()},
        "how": ["observed"],
        "state": "digested",
    }
    assert answer.notes == ()


def test_what_the_run_wrote_itself_is_no_input(project: Path) -> None:
    program = "open('made.csv', 'w').write('x'); open('out.csv', 'w').write('y')"
    uses = (wrote_then_read(project / "made.csv"), wrote(project / "out.csv"))
    assert files(data.capture(ran(project, program, *uses))) == {}


def test_a_file_read_and_then_overwritten_has_lost_its_digest_and_says_so(project: Path) -> None:
    (project / "last.pt").write_bytes(b"old")
    time.sleep(0.02)
    use = read_then_wrote(project / "last.pt")
    answer = data.capture(ran(project, "open('last.pt', 'w').write('new')", use))
    entry = files(answer)["last.pt"]
    assert (entry["kind"], entry["state"], entry["digests"]) == ("updated", "overwritten", {})
    assert "the digest of what was read is lost" in answer.notes[0]


def test_a_file_opened_for_writing_but_left_alone_is_data(project: Path) -> None:
    time.sleep(0.02)
    answer = data.capture(ran(project, "", read_then_wrote(project / "data" / "train.csv")))
    assert files(answer)["data/train.csv"]["state"] == "digested"


def test_a_file_that_somebody_else_changed_meanwhile_is_flagged(project: Path) -> None:
    time.sleep(0.02)
    program = "open('data/train.csv', 'a').write('3')"
    answer = data.capture(ran(project, program, read(project / "data" / "train.csv")))
    assert files(answer)["data/train.csv"]["state"] == "changed"
    assert "not certain" in answer.notes[0]


def test_words_of_the_command_line_that_name_files(project: Path) -> None:
    for name in ("a.parquet", "b.h5", "c.bin", "d.txt", "seen.csv"):
        (project / name).write_text(name)
    (project / "images").mkdir()
    (project / "images" / "1.png").write_text("1")
    (project / "train").mkdir()
    (project / "train" / "x").write_text("x")
    script = project / "tool"
    script.write_text("#!/bin/sh\n")
    script.chmod(0o755)
    command = (
        str(script), "train", "--data=a.parquet", "--weights", "b.h5", "--mode", "train",
        "--input-dir", "images", "seen.csv", "nothing.csv", "x" * 5000, "a\0b", "--out", ".",
    )  # fmt: skip
    answer = data.capture(
        ran(
            project,
            "",
            read(project / "seen.csv"),
            command=command,
            commands=(Command(("cat", "c.bin")),),
            parsed=(Parsed("argparse", {"extra": {"value": "d.txt"}, "n": {"value": 3}}),),
        )
    )
    found = files(answer)
    assert {name: one["how"] for name, one in found.items()} == {
        "a.parquet": ["named"],
        "b.h5": ["named"],
        "c.bin": ["named"],
        "d.txt": ["named"],
        "images": ["named"],
        "seen.csv": ["observed", "named"],
    }
    assert (found["images"]["kind"], found["images"]["files"]) == ("folder", 1)


def test_a_named_output_folder_is_no_input(project: Path) -> None:
    (project / "results").mkdir()
    program = "open('results/x.csv', 'w').write('1')"
    command = ("python", "train.py", "--out-dir", "results")
    assert files(data.capture(ran(project, program, command=command))) == {}


def test_declared_data_counts_whether_seen_or_not_also_when_missing(project: Path) -> None:
    declared = tuple(str(project / n) for n in ("data", "conf.yaml", "gone.csv"))
    answer = data.capture(ran(project, "", read(project / "conf.yaml"), declared_data=declared))
    found = files(answer)
    assert found["data"]["how"] == ["declared"]
    assert found["conf.yaml"]["how"] == ["observed", "declared"]
    assert found["gone.csv"]["state"] == "missing"


def test_five_thousand_files_are_one_entry_however_they_were_seen(project: Path) -> None:
    folder = project / "images"
    paths = [folder / ("c%02d" % (i % 50)) / ("%d.png" % i) for i in range(5000)]
    for path in paths:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(b"%d" % (len(str(path)) % 7))
    one_by_one = files(data.capture(ran(project, "", *map(read, paths))))
    assert list(one_by_one) == ["images"]
    assert one_by_one["images"]["files"] == 5000
    expected = tree_digest(str(folder), "blake3")
    assert one_by_one["images"]["digests"] == expected.digests
    assert one_by_one["images"]["size"] == expected.size
    folders = tuple(FolderUse(str(folder / ("c%02d" % i)), 100) for i in range(50))
    assert len(files(data.capture(ran(project, "", folders=folders)))) == 50
    many = (*folders, *(FolderUse(str(folder / ("d%02d" % i)), 100) for i in range(50)))
    assert list(files(data.capture(ran(project, "", folders=many)))) == ["images"]


def test_files_that_the_run_puts_into_a_data_folder_do_not_count(project: Path) -> None:
    expected = tree_digest(str(project / "data"), "blake3").digests
    program = "open('data/.cache.npy', 'w').write('x')"
    use = FolderUse(str(project / "data"), 12)
    answer = data.capture(ran(project, program, folders=(use,)))
    entry = files(answer)["data"]
    assert entry["left_out"] == [".cache.npy"]
    assert entry["digests"] == expected
    os.unlink(project / "data" / ".cache.npy")
    now = data.capture(today(project, "data", answer))
    assert data.compare(answer, now).differences == ()


def test_past_the_deadline_digests_are_pending_and_counted(project: Path) -> None:
    uses = (read(project / "data" / "train.csv"), read(project / "conf.yaml"))
    answer = data.capture(ran(project, "", *uses, deadline=time.monotonic() - 1))
    assert {one["state"] for one in files(answer).values()} == {"pending"}
    assert all(one["size"] > 0 for one in files(answer).values())
    assert answer.notes == (
        "2 of the files have no digest yet: the time for digesting was over; run `prov close`",
    )
    now = data.capture(today(project, "data", answer))
    compared = data.compare(answer, now)
    assert compared.differences == ()
    assert [one.reason for one in compared.not_compared] == ["its digest is pending"] * 2
    (project / "conf.yaml").write_text("lr: 0.25\n")
    compared = data.compare(answer, data.capture(today(project, "data", answer)))
    assert [(d.kind, d.effect) for d in compared.differences] == [("digest", "broken")]


def test_a_deadline_in_the_middle_of_a_folder(project: Path) -> None:
    for i in range(20):
        (project / "data" / str(i)).write_text("x")

    def slow(path: str, algorithms: tuple[str, ...]) -> dict[str, str]:
        time.sleep(0.02)
        return file_digests(path, algorithms)

    use = FolderUse(str(project / "data"), 20)
    context = ran(project, "", folders=(use,), digest=slow)._replace(
        deadline=time.monotonic() + 0.1
    )
    assert files(data.capture(context))["data"]["state"] == "pending"


def test_symbolic_links_keep_their_target(project: Path) -> None:
    (project.parent / "store").mkdir()
    (project.parent / "store" / "big.csv").write_text("big")
    os.symlink(project.parent / "store", project / "linked")
    os.symlink("train.csv", project / "data" / "latest.csv")
    uses = (read(project / "linked" / "big.csv"), read(project / "data" / "latest.csv"))
    found = files(data.capture(ran(project, "", *uses)))
    assert found["linked/big.csv"]["target"]["path"].endswith("store/big.csv")
    assert found["data/latest.csv"]["target"] == {"root": "repo", "path": "data/train.csv"}
    assert found["data/latest.csv"]["digests"]["blake3"] == blake3.blake3(b"1\n2\n").hexdigest()


def test_a_project_reached_through_a_link_is_still_the_project(project: Path) -> None:
    alias = project.parent / "alias"
    os.symlink(project, alias)
    roots = Roots(str(alias), str(alias), "/nowhere")
    uses = (read(project / "data" / "train.csv"), read(alias / "data" / "train.csv"))
    found = data.capture(ran(project, "", *uses, roots=roots)).subjects[0].payload["files"]
    assert [one["path"] for one in found] == [{"root": "repo", "path": "data/train.csv"}]


def test_names_that_are_not_utf_8_and_secrets_in_names(project: Path) -> None:
    odd = os.fsdecode(b"\xff.csv")
    (project / odd).write_text("x")
    (project / "tok-abcdef123.csv").write_text("x")
    uses = (read(str(project / odd)), read(project / "tok-abcdef123.csv"))
    found = data.capture(ran(project, "", *uses, redact=Redactor(["abcdef123"])))
    paths = [one["path"] for one in found.subjects[0].payload["files"]]
    assert {"root": "repo", "path": "tok-%s.csv" % MASK} in paths
    assert any("path_base64" in one for one in paths)


def test_the_present_with_the_same_data_is_equal_and_counted(project: Path) -> None:
    uses = (read(project / "data" / "train.csv"), read(project / "conf.yaml"))
    answer = data.capture(ran(project, "", *uses))
    now = data.capture(today(project, "data", answer))
    compared = data.compare(answer, now)
    assert (compared.differences, compared.equal, compared.total) == ((), 2, 2)
    assert compared.unit == "data files"


def test_changed_data_breaks_and_absent_data_is_only_not_compared(project: Path) -> None:
    uses = (read(project / "data" / "train.csv"), read(project / "conf.yaml"))
    answer = data.capture(ran(project, "", *uses))
    (project / "data" / "train.csv").write_text("1\n3\n")
    (project / "conf.yaml").unlink()
    compared = data.compare(answer, data.capture(today(project, "data", answer)))
    assert [(d.kind, d.name, d.effect) for d in compared.differences] == [
        ("digest", "data/train.csv", "broken")
    ]
    assert [(n.what, n.reason) for n in compared.not_compared] == [("conf.yaml", "not here")]
    assert (compared.equal, compared.total) == (0, 1)


def test_the_present_uses_an_algorithm_that_the_record_has(
    project: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = str(project / "data" / "train.csv")
    answer = data.capture(ran(project, "", read(path)))
    entry = answer.subjects[0].payload["files"][0]
    entry["digests"] = file_digests(path, ("sha256", "blake3"))
    asked = []

    def noting(path: str, algorithms: tuple[str, ...]) -> dict[str, str]:
        asked.append(algorithms)
        return file_digests(path, algorithms)

    data.capture(today(project, "data", answer, digest=noting))
    monkeypatch.setattr(digest, "available", lambda names: tuple(n for n in names if n != "blake3"))
    now = data.capture(today(project, "data", answer, digest=noting))
    assert asked == [("blake3",), ("sha256",)]
    assert data.compare(answer, now).equal == 1
    entry["digests"] = {"blake3": "00"}
    compared = data.compare(answer, data.capture(today(project, "data", answer, digest=noting)))
    assert compared.differences == ()
    assert len(compared.not_compared) == 1


def test_two_runs_with_moved_added_and_dropped_data(project: Path) -> None:
    first = data.capture(ran(project, "", read(project / "data" / "train.csv")))
    os.rename(project / "data" / "train.csv", project / "train-v1.csv")
    moved = data.capture(ran(project, "", read(project / "train-v1.csv")))
    compared = data.compare(first, moved)
    assert [(d.kind, d.effect) for d in compared.differences] == [("origin", "none")]
    assert (compared.equal, compared.total) == (1, 1)
    other = data.capture(ran(project, "", read(project / "conf.yaml")))
    kinds = [(d.kind, d.effect) for d in data.compare(first, other).differences]
    assert kinds == [("removed", "unknown"), ("added", "unknown")]


def test_unreadable_and_vanished_files_are_said(project: Path) -> None:
    def refusing(path: str, algorithms: tuple[str, ...]) -> dict[str, str]:
        raise PermissionError(13, "no", path)

    use = read(project / "data" / "train.csv")
    answer = data.capture(ran(project, "", use, digest=refusing))
    assert files(answer)["data/train.csv"]["state"] == "unreadable"
    assert "could not be read" in answer.notes[0]


def test_a_reference_that_names_no_data_leaves_nothing_uncompared(project: Path) -> None:
    recorded = data.capture(ran(project))
    now = data.capture(today(project, "data", recorded))
    assert data.compare(recorded, now) == Comparison(unit="data files")


def test_a_folder_of_files_that_the_run_made_and_read_back_is_no_input(project: Path) -> None:
    program = (
        "import os; os.mkdir('shards'); [open('shards/%d' % i, 'w').close() for i in range(150)]"
    )
    use = FolderUse(str(project / "shards"), 150)
    assert files(data.capture(ran(project, program, folders=(use,)))) == {}


def test_data_that_changed_during_the_run_proves_nothing_when_it_differs(project: Path) -> None:
    time.sleep(0.02)
    program = "open('data/train.csv', 'a').write('3')"
    answer = data.capture(ran(project, program, read(project / "data" / "train.csv")))
    assert data.compare(answer, data.capture(today(project, "data", answer))).equal == 1
    (project / "data" / "train.csv").write_text("4")
    compared = data.compare(answer, data.capture(today(project, "data", answer)))
    assert compared.differences == ()
    assert compared.not_compared[0].reason == "it changed while the run went on"
