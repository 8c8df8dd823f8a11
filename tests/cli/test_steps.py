"""Shell scripts of several steps: what one makes and another reads, and whose Python it was."""

import os
import subprocess
import sys

from tests.conftest import PYTHON

STEPS = """\
set -e
{python} -c "open('a.csv', 'w').write('2\\n1\\n')"
sort a.csv > b.csv
{python} sum.py
"""
SUM = "print('total', sum(int(line) for line in open('b.csv')), file=open('c.txt', 'w'))\n"


def written(repo, python):
    (repo / "sum.py").write_text(SUM)
    (repo / "all.sh").write_text(STEPS.format(python=python))


def test_what_a_shell_tool_wrote_for_a_later_step_is_no_input(prov, repo):
    written(repo, PYTHON)
    said = prov("run", "--", "sh", "all.sh").stderr
    assert "changed while the run went on" not in said
    assert prov.payload("data")["files"] == []
    kinds = {one["path"]["path"]: one["kind"] for one in prov.payload("outputs")["files"]}
    assert kinds == {"a.csv": "output", "b.csv": "intermediate", "c.txt": "output"}


def test_a_tool_may_write_at_a_time_before_the_end_of_the_python_before_it(prov, repo):
    # The clock of files is behind by up to one of its ticks: here it always is.
    (repo / "sum.py").write_text(SUM)
    first = "import time; open('a.csv', 'w').write('2\\n1\\n'); print(time.time())"
    steps = 'at=$({0} -c "{1}")\nsort a.csv > b.csv\ntouch -d "@$at" b.csv\n{0} sum.py\n'
    (repo / "all.sh").write_text(steps.format(PYTHON, first))
    prov("run", "--", "sh", "all.sh")
    assert prov.payload("data")["files"] == []


def test_verify_looks_at_the_python_that_the_steps_name(prov, repo, tmp_path):
    link = tmp_path / "env" / "bin" / "python"
    link.parent.mkdir(parents=True)
    os.symlink(sys.executable, link)
    written(repo, link)
    prov("run", "--", "sh", "all.sh")
    assert str(link) in prov("verify", "@last").stdout.splitlines()[0]


def test_a_difference_names_what_a_run_lacks_by_words_that_fit(prov, repo):
    (repo / "a.py").write_text("print(1)\n")
    prov("run", "--name", "one", "--", PYTHON, "a.py", "--extra", "3")
    prov("run", "--name", "two", "--", PYTHON, "a.py")
    said = prov("diff", "one", "two").stdout
    assert "extra is not there this time" in said


def test_where_the_shell_sent_what_is_printed_is_no_output(prov, repo):
    (repo / "a.py").write_text("open('r.txt', 'w').write('1')\nprint('loss 0.5')\n")
    line = '"$0" -m provenance run -- "$0" a.py > out.log 2> err.log'
    subprocess.run(["sh", "-c", line, PYTHON], cwd=repo, env=prov.environ, check=True)
    assert [one["path"]["path"] for one in prov.payload("outputs")["files"]] == ["r.txt"]
    assert prov.payload("metrics")["final"] == {"loss": 0.5}
