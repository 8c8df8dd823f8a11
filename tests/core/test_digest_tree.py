"""The folder digest: one definition, whatever the names and however it is computed."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from provenance.core import canonical, digest

NAMES = st.text(
    st.characters(blacklist_characters="/\0", blacklist_categories=()), min_size=1, max_size=8
).filter(lambda n: n not in (".", "..") and _possible(n))


def _possible(name: str) -> bool:
    try:
        return 0 < len(os.fsencode(name)) < 200
    except UnicodeEncodeError:
        return False


@settings(max_examples=60, deadline=None)
@given(st.dictionaries(st.lists(NAMES, min_size=1, max_size=3).map(tuple), st.binary(max_size=9)))
def test_it_is_what_the_definition_says(
    tmp_path_factory: pytest.TempPathFactory, tree: dict[tuple[str, ...], bytes]
) -> None:
    folder = tmp_path_factory.mktemp("t")
    rows = []
    for parts, data in tree.items():
        path = folder.joinpath(*parts)
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            with path.open("xb") as stream:
                stream.write(data)
        except OSError:
            continue
        rows.append(["/".join(parts), len(data), digest.bytes_digest(data)])
    rows.sort(key=lambda row: os.fsencode(str(row[0])))
    found = digest.tree_digest(str(folder), "sha256")
    assert found.digests == {"sha256-tree-1": digest.bytes_digest(canonical.compact(rows))}
    assert (found.files, found.size) == (len(rows), sum(int(row[1]) for row in rows))
    assert digest.rows_digest(map(tuple, rows), "sha256") == found.digests["sha256-tree-1"]


def test_links_are_their_text_pipes_are_nothing_and_files_can_be_left_out(tmp_path: Path) -> None:
    (tmp_path / "a").write_text("x")
    os.symlink("nowhere", tmp_path / "link")
    os.mkfifo(tmp_path / "pipe")
    row = ["a", 1, digest.bytes_digest(b"x")]
    found = digest.tree_digest(str(tmp_path), "sha256")
    value = digest.bytes_digest(canonical.compact([row, ["link", -1, "nowhere"]]))
    assert found == digest.Tree({"sha256-tree-1": value}, 2, 1)
    found = digest.tree_digest(str(tmp_path), "sha256", leave_out=frozenset(["link"]))
    assert found.digests["sha256-tree-1"] == digest.bytes_digest(canonical.compact([row]))
    assert digest.rows_digest([], "sha256") == digest.bytes_digest(b"[]")


def test_a_folder_that_cannot_be_listed_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError):
        digest.tree_digest(str(tmp_path / "none"), "sha256")


def test_available_algorithms() -> None:
    assert digest.available(("nonsense", "sha256", "blake3")) == ("sha256", "blake3")
