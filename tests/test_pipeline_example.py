"""The example of three stages: what its page shows, command by command, is what happens."""

import re
import sys
import venv
from xml.etree import ElementTree

import pytest
from scripts import _papers
from scripts._papers import Clone

CHANGES = (
    (r"\d{8}T\d{6}Z-of-", "TIME-of-"),
    (r"\d{4}-\d\d-\d\d( \d\d:\d\d)?", "DATE"),
    (r"\b(?=[a-z]*\d)[0-9a-f]{7,64}\b", "ID"),
    (r"sent \d+ files", "sent N files"),  # a record of changed tools has more of them
    (r"[\d.]+ s\b", "N s"),
    (r"[\d.]+ [kM]?B\b", "N B"),
    (r"env +python .*", "env"),
    (r"(by  A\. Author) on \S+,", r"\1 on HOST,"),
    (r"(vs  |will run: )\S+", r"\1PYTHON"),
    (r"(PYTHON|python) 3\.\d+\.\d+", r"\1 3"),
    (r"(hardware|environment|runtime) \d+/\d+", r"\1 n/n"),
    (r"; \d+ changes? that cannot matter \(-v\)", ""),
    (r"[0-9a-f]{8}\b", "ID"),
)
"""What another machine, another day and another commit change."""


def told(text):
    for pattern, instead in CHANGES:
        text = re.sub(pattern, instead, text)
    return text.splitlines()


@pytest.fixture(scope="module")
def played(tmp_path_factory):
    """Return the clone in which the page was played, and the page with what was printed."""
    folder = tmp_path_factory.mktemp("papers") / "pipeline"
    clone = Clone(_papers.PIPELINE, folder, lambda _: sys.executable)
    venv.create(folder / _papers.OWN, symlinks=True)
    return clone, clone.play(clone.paper.page.read_text())


def test_the_page_shows_what_is_printed(played):
    clone, now = played
    assert told(now) == told(clone.paper.page.read_text())


def test_the_page_names_what_is_damaged_and_what_is_missing(played):
    _, now = played
    assert "! weights/best.json: damaged at ../team" in now
    assert "! weights/history.csv: ../team has it no more" in now
    assert "exit code 7" in now


def test_all_clones_have_the_files_that_the_run_made(played):
    clone, _ = played
    wanted = (clone.folder.parent / "downloads" / "final-v2.json").read_bytes()
    assert (clone.folder / "weights" / "best.json").read_bytes() != wanted
    for other in ("theirs", "third"):
        assert (clone.folder.parent / other / "weights" / "best.json").read_bytes() == wanted


def test_the_picture_is_that_of_the_page(played):
    clone, _ = played

    def texts(path):
        return told("\n".join(one.strip() for one in ElementTree.parse(path).getroot().itertext()))

    shown = texts(_papers.EXAMPLES / "pipeline" / "trace.svg")
    assert texts(clone.folder / "trace.svg") == shown
    assert {"raw/seeds.csv", "weights/best.json", "results/test.json"} <= set(shown)
