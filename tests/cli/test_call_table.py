"""The call table in the record, through the real command line."""

import sys

from tests.conftest import PYTHON

SECRET = "hunter3-of-mine"
SCRIPT = """\
import configparser, ftplib, json
parser = configparser.ConfigParser()
parser.add_section("a")
parser.set("a", "password", "%s")
parser.get("a", "password")
json.dumps([1], indent=2)
try:
    ftplib.FTP("127.0.0.1", passwd="%s", timeout=0.001)
except OSError:
    pass
""" % (SECRET, SECRET)


def table(prov):
    """Return the call table of the last run, and its sites by callee."""
    found = prov.payload("behaviour")["calls"]
    return found, {one["callee"]: one for one in found["sites"]} if found else {}


def test_a_run_has_a_table_where_it_is_asked_for(prov, repo):
    (repo / "a.py").write_text("import json\njson.dumps([1], indent=2)\n")
    prov("run", "--", PYTHON, "a.py")
    assert table(prov)[0] is None
    prov("run", "--calls", "--", PYTHON, "a.py")
    told, sites = table(prov)
    assert (sites["json.dumps"]["path"], sites["json.dumps"]["line"]) == ("a.py", 2)
    assert "json.dumps" in told["signatures"]
    assert told["cost_s"] > 0
    (repo / "prov.yaml").write_text("call_table: true\n")
    prov("run", "--", PYTHON, "a.py")
    assert "json.dumps" in table(prov)[1]
    prov("run", "--no-calls", "--", PYTHON, "a.py")
    assert table(prov)[0] is None


def test_no_text_that_may_be_a_secret_is_kept(prov, repo):
    (repo / "a.py").write_text(SCRIPT)
    prov("run", "--calls", "--", PYTHON, "a.py")
    told, sites = table(prov)
    assert SECRET not in str(told)
    get = "configparser.ConfigParser.get"
    assert sites[get]["result"] == {"type": "str"}
    assert sites["json.dumps"]["given"]["indent"] == 2


def test_a_table_that_switched_itself_off_says_so(prov, repo):
    calls = "itertools.zip_longest(%s)\n" % ", ".join(["x"] * 24) * 3500
    old = sys.version_info < (3, 12)
    calls = calls if old else "itertools.zip_longest(x)\n" * 30000
    (repo / "a.py").write_text("import itertools\nx = list(range(8))\n" + calls)
    said = prov("run", "--calls", "--", PYTHON, "a.py")
    sentence = "the call table was switched off: looking at calls took"
    assert sentence in said.stderr
    assert sentence in prov("show", "@last").stdout
