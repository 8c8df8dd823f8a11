"""What the documentation says of the code must be true."""

import functools
import json
import os
import re
import subprocess
import sys
import typing
from pathlib import Path

import pytest

from provenance import errors, facets
from provenance.core import difference, record, uses
from provenance.facets import _model

ROOT = Path(__file__).resolve().parent.parent
PAGES = sorted(
    [
        ROOT / "README.md",
        ROOT / "CONTRIBUTING.md",
        ROOT / "CHANGELOG.md",
        *ROOT.glob("docs/*.md"),
        *ROOT.glob("examples/**/*.md"),
    ]
)
FENCE = re.compile(r"^```(\w*)\n(.*?)^```", re.MULTILINE | re.DOTALL)
SPAN = re.compile(r"`([^`\n]+)`")

pages = pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))


def doc(name):
    return (ROOT / "docs" / name).read_text()


def table(text):
    """Return the rows of all Markdown tables in ``text`` as lists of cells."""
    rows = [line.strip().strip("|") for line in text.splitlines() if line.startswith("|")]
    return [[cell.strip() for cell in row.split("|")] for row in rows if set(row) - set("|-: ")]


def test_exit_codes_are_those_of_the_code():
    stated = re.findall(r"^(\d+) +(.+)$", errors.__doc__, re.MULTILINE)
    assert len(stated) > 5
    documented = [row[:2] for row in table(doc("exit-codes.md")) if row[0].isdigit()]
    assert documented == [[code, text.replace("``", "`")] for code, text in stated]


def test_error_codes_are_those_of_the_code():
    kinds = [
        one
        for one in vars(errors).values()
        if isinstance(one, type)
        and issubclass(one, errors.ProvError)
        and one is not errors.ProvError
    ]
    documented = {
        row[0].strip("`"): row[2] for row in table(doc("json-output.md")) if len(row) == 3
    }
    for kind in kinds:
        assert documented.get(kind.code) == str(kind.exit_code), kind


def test_kinds_of_differences_are_those_of_the_code():
    documented = {row[0].strip("`"): row[1] for row in table(doc("json-output.md"))}
    for kind, text in difference.KINDS.items():
        assert documented.get(kind) == text, kind


@functools.cache
def slugs(path):
    """Return the anchors of a page's headings."""
    titles = re.findall(r"^#+ (.+)$", FENCE.sub("", path.read_text()), re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", title.lower()).replace(" ", "-") for title in titles}


@pages
def test_links_lead_somewhere(page):
    for target in re.findall(r"\]\(([^)\s]+)\)", FENCE.sub("", page.read_text())):
        if target.startswith(("http://", "https://")):
            continue
        name, _, anchor = target.partition("#")
        place = (page.parent / name).resolve() if name else page
        assert place.exists(), target
        assert not anchor or anchor in slugs(place), target


@pages
def test_paths_of_the_repository_exist(page):
    for word in SPAN.findall(FENCE.sub("", page.read_text())):
        if re.fullmatch(r"(src|tests|docs|examples|benchmarks|scripts|templates)/[\w./-]+", word):
            assert (ROOT / word).exists(), word


@pages
def test_json_examples_are_json(page):
    for language, text in FENCE.findall(page.read_text()):
        if language == "json":
            json.loads(text)


GROUPS = ("env", "claims")
"""Commands with commands of their own."""
GROUPED = (("env", "create"), ("env", "export"), ("claims", "check"), ("claims", "add"))


@functools.cache
def help_of(*words):
    done = subprocess.run(
        [sys.executable, "-m", "provenance", *words, "--help"],
        env=dict(os.environ, COLUMNS="200", NO_COLOR="1"),
        capture_output=True,
        text=True,
        check=True,
    )
    return done.stdout


def typed(lines):
    """Return what a person types: of a session the lines after the prompt, else all lines."""
    return [line for line in lines if line.startswith("$ ")] or lines


def commands(text):
    """Yield the words after ``prov`` of every command line in code blocks and code spans."""
    blocks = [body for language, body in FENCE.findall(text) if language != "json"]
    lines = [line for body in blocks for line in typed(body.splitlines())]
    for line in lines + SPAN.findall(FENCE.sub("", text)):
        for found in re.finditer(r"(?:^|[\s;(]|&& )(?:\$ )?prov ([a-z-][^#;|]*)", line):
            yield found.group(1).split()


@pages
def test_commands_and_options_exist(page):
    verbs = set(re.findall(r"^  (\w+) ", help_of().partition("Commands")[2], re.MULTILINE))
    assert "run" in verbs
    for words in commands(page.read_text()):
        verb = words[0]
        if verb.startswith("-"):
            assert verb in help_of(), words
            continue
        assert verb in verbs, words
        ours = words[1 : words.index("--")] if "--" in words else words[1:]
        inner = words[1:2] if verb in GROUPS else []
        known = set(re.findall(r"(?<![\w-])-{1,2}[a-z][\w-]*", help_of(verb, *inner)))
        for word in ours:
            if word.startswith("-"):
                assert word.partition("=")[0].rstrip("`.,)]") in known, (words, word)


@pages
def test_options_named_alone_exist(page):
    known = set()
    verbs = (
        "checkout diff explain fetch gc init lock ls pull push replay rm run share show trace "
        "verify watch"
    ).split()
    for verb in (*((one,) for one in verbs), *GROUPED):
        known |= set(re.findall(r"--[a-z][\w-]*", help_of(*verb)))
    foreign = {"--password", "--api-key", "--lr", "--epochs", "--version", "--help", "--strict"}
    for span in SPAN.findall(FENCE.sub("", page.read_text())):
        if span.startswith("--"):
            name = re.match(r"--[a-z][\w-]*", span)
            assert name, span
            assert name.group() in known | foreign, span


def test_every_room_is_on_the_map():
    text = doc("architecture.md")
    rooms = [path.parent.name for path in ROOT.glob("src/provenance/*/__init__.py")]
    assert len(rooms) > 5
    for room in rooms:
        assert "| `%s` |" % room in text, room


def section(text, title):
    """Return what stands under the heading ``title`` up to the next of its level or above."""
    found = re.search(
        r"^(#+) %s$\n(.*?)(?=^#{1,3} |\Z)" % re.escape(title), text, re.MULTILINE | re.DOTALL
    )
    return found.group(2) if found else ""


def named_tuples(kind, seen):
    """Collect every named tuple type that ``kind`` is made of."""
    for part in typing.get_args(kind):
        named_tuples(part, seen)
    if hasattr(kind, "_fields") and kind not in seen and not hasattr(kind, "from_json"):
        seen.append(kind)
        # Some modules import the types of their payload for the type checker only.
        for hint in typing.get_type_hints(kind, localns={"Use": uses.Use}).values():
            named_tuples(hint, seen)
    return seen


@pytest.mark.parametrize("name", facets.NAMES)
def test_every_member_of_a_payload_is_specified(name):
    module = facets.load(name)
    result = typing.get_type_hints(module.of, localns={"Made": _model.Made})["return"]
    text = section(doc("record-format.md"), name)
    assert text, "no section on %s" % name
    for kind in named_tuples(result, []):
        for member in kind._fields:
            assert "`%s`" % member in text, "%s.%s" % (kind.__name__, member)


def test_every_member_of_the_header_is_specified():
    text = doc("record-format.md")
    for kind in (record.Record, record.Payload, record.Subject, record.Log, record.Process):
        for member in set(kind._fields) - {"extra"}:
            assert "`%s`" % member in text, "%s.%s" % (kind.__name__, member)


def test_the_examples_in_contributing_name_the_layers():
    layers = json.loads((ROOT / "tests" / "layers.json").read_text())
    text = (ROOT / "CONTRIBUTING.md").read_text()
    for room in ("cli", "operations", "executors", "agent", "facets", "core", "knowledge"):
        assert room in layers
        assert "| `%s` |" % room in text
