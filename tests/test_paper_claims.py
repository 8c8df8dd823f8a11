"""The example of a paper with six claims: what its page shows is what happens."""

import json
import re
import sys

import pytest
from scripts import _papers
from scripts._papers import Clone


@pytest.fixture(scope="module")
def paper(tmp_path_factory):
    """Return a clone as a reviewer has it: committed files, no `.prov`, this very Python."""
    folder = tmp_path_factory.mktemp("paper") / "paper-claims"
    clone = Clone(_papers.CLAIMS, folder, lambda _: sys.executable)
    own = folder / _papers.OWN / "bin"
    own.mkdir(parents=True)
    (own / "python").write_text('#!/bin/sh\nexec "%s" "$@"\n' % sys.executable)
    (own / "python").chmod(0o755)
    return clone


@pytest.fixture
def clone(paper):
    """Return the same, with what a test edits put back."""
    yield paper
    paper.run("git checkout -q .")


def verdicts(clone, code, words=""):
    said = clone.run("prov claims check --json %s" % words, code=code).stdout
    return {one["name"]: one["verdict"] for one in json.loads(said)["data"]["claims"]}


def test_all_six_claims_hold(clone):
    found = verdicts(clone, 0)
    assert len(found) == 6
    assert set(found.values()) == {"holds"}


def test_after_a_changed_default_the_right_claims_are_stale(clone):
    path = clone.folder / "models" / "products.py"
    text = path.read_text()
    path.write_text(text.replace('"""Ours', '"""Ours, again') + "# a comment\n")
    assert set(verdicts(clone, 0).values()) == {"holds"}
    path.write_text(text.replace("scale=0.5", "scale=0.05"))
    found = verdicts(clone, 1)
    stale = {name for name, verdict in found.items() if verdict == "stale"}
    assert stale == {"table1-products", "products-loss", "products-are-better"}
    assert set(found.values()) == {"holds", "stale"}


def test_a_rerun_with_it_fails_the_right_claim(clone):
    path = clone.folder / "models" / "products.py"
    path.write_text(path.read_text().replace("scale=0.5", "scale=0.05"))
    clone.run("prov run --name tried -- python train.py --model products")
    assert verdicts(clone, 1, "--run tried products-loss") == {"products-loss": "fails"}


def test_the_page_shows_what_is_printed(clone):
    page = clone.paper.page.read_text()

    def same(text):
        return re.sub(r"tried \(\w{8}\)", "tried (id)", text)

    assert same(clone.play(page)) == same(page)


def test_what_is_published_names_no_machine(clone):
    lock = (clone.folder / "prov.lock").read_text()
    assert not re.search(r"/(tmp|root|home|Users|work)/\w", lock)
    assert len(json.loads(lock)["claims"]) == 6
    workflow = (clone.folder / ".github/workflows/provenance.yml").read_text()
    assert "prov claims check --github --strict" in workflow
