"""``prov doctor``: what it says is what a run then shows."""

import json
import os
import shutil
import subprocess
import sys

import pytest

from provenance.operations import _doctor_place
from tests.conftest import PYTHON, git


def checks(prov, *command, code=0, env=None):
    """Return the checks by name; of a repeated name the last."""
    words = ["--", *command] if command else []
    done = prov("doctor", "--json", *words, code=code, env=env)
    data = json.loads(done.stdout)["data"]
    assert data["works"] is (code == 0)
    return {one["name"]: one for one in data["checks"]}


def script(path, text):
    path.parent.mkdir(exist_ok=True)
    path.write_text(text)
    path.chmod(0o755)
    return str(path)


def test_all_is_well(prov, repo):
    before = sorted(os.listdir(repo))
    found = checks(prov, PYTHON, "train.py")
    for name in ("git", "records", "disk", "clock", "interpreter", "hook", "SDK", "command", "log"):
        assert found[name]["status"] == "ok", found[name]
    commit = git(repo, "rev-parse", "HEAD").strip()
    assert commit[:12] in found["git"]["says"]
    assert "%d.%d.%d" % sys.version_info[:3] in found["interpreter"]["says"]
    assert sorted(os.listdir(repo)) == before, "it left something behind"


def test_the_same_in_words(prov):
    text = prov("doctor", "--", PYTHON, "train.py").stdout
    assert "ok            hook" in text
    assert text.splitlines()[-1].startswith("Recording works here (")


def test_an_interpreter_that_its_options_close(prov):
    found = checks(prov, PYTHON, "-I", "train.py")
    assert found["hook"]["status"] == "limited"
    assert found["hook"]["remedy"] == "leave out -I, -E and -S"
    found = checks(prov, "nice", PYTHON, "-W", "ignore", "train.py", "-I")
    assert found["hook"]["status"] == "ok"


def test_a_wrapper_that_drops_the_hook(prov, tmp_path):
    wrapper = script(
        tmp_path / "bin" / "python3", '#!/bin/sh\nunset PYTHONPATH\nexec %s "$@"\n' % PYTHON
    )
    found = checks(prov, wrapper, "train.py", code=1)
    assert found["hook"]["status"] == "not possible"
    assert found["hook"]["essential"] is True
    text = prov("doctor", "--", wrapper, "train.py", code=1).stdout
    assert text.splitlines()[-1] == "Recording does not work here: hook."


def test_what_is_no_interpreter(prov, tmp_path):
    broken = script(tmp_path / "bin" / "python3", "#!/bin/sh\necho no >&2\nexit 3\n")
    found = checks(prov, broken, "train.py", code=1)
    assert found["interpreter"]["status"] == "not possible"
    assert "is not a Python interpreter" in found["interpreter"]["says"]


def test_an_interpreter_that_only_runs(prov, tmp_path):
    text = '#!/bin/sh\n[ "$1" = -c ] && exit 0\necho too old >&2; exit 3\n'
    found = checks(prov, script(tmp_path / "bin" / "python2", text), "train.py")
    assert found["interpreter"]["status"] == "not possible"
    assert "too old" in found["interpreter"]["says"]
    assert "hook" not in found


def test_a_conda_environment(prov, tmp_path):
    prefix = tmp_path / "conda"
    subprocess.run([PYTHON, "-m", "venv", "--without-pip", str(prefix)], check=True)
    (prefix / "conda-meta").mkdir()
    text = json.dumps({"name": "zlib", "version": "1", "build": "0"}, indent=2)
    (prefix / "conda-meta" / "zlib-1-0.json").write_text(text)
    found = checks(prov, env={"CONDA_PREFIX": str(prefix), "VIRTUAL_ENV": ""})
    assert found["interpreter"]["says"].endswith("in %s (conda)" % prefix)
    assert found["conda"]["says"] == "1 package in %s" % prefix


def test_a_command_that_is_not_there(prov):
    found = checks(prov, "no-such-program", code=1)
    assert found["command"]["status"] == "not possible"
    assert "no-such-program is not found" in found["command"]["says"]


def test_a_command_that_names_no_interpreter(prov):
    found = checks(prov, "sh", "-c", "env -i %s train.py" % PYTHON)
    assert found["interpreter"]["status"] == "limited"
    assert "sh names no interpreter" in found["interpreter"]["says"]


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write anywhere")
def test_a_folder_that_may_not_be_written(prov, repo):
    os.chmod(repo, 0o555)
    try:
        found = checks(prov, code=1)
    finally:
        os.chmod(repo, 0o755)
    assert found["records"]["status"] == "not possible"


def test_a_place_that_is_no_folder(prov, repo):
    (repo / ".prov").mkdir()
    shutil.rmtree(repo / ".prov")
    (repo / ".prov").symlink_to("/proc/self")
    found = checks(prov, code=1)
    assert found["records"]["status"] == "not possible", found["records"]
    assert "cannot be written" in found["records"]["says"]


def test_switched_off(prov):
    found = checks(prov, PYTHON, "train.py", env={"PROV_HOOK": "0"})
    assert (found["hook"]["status"], found["hook"]["remedy"]) == ("limited", "unset PROV_HOOK")


def test_without_git(loose, folder, tmp_path):
    assert "git init" in checks(loose)["git"]["remedy"]
    git(folder, "init", "-q")
    assert "no commit yet" in checks(loose)["git"]["says"]
    found = checks(loose, env={"PATH": str(tmp_path)})
    assert "git is not installed" in found["git"]["says"]
    assert found["strace"]["status"] == "not possible"
    assert "strace is not installed" in found["strace"]["says"]


def test_a_shallow_clone(prov, repo, tmp_path):
    (repo / "more").write_text("1")
    git(repo, "add", "more")
    git(repo, "commit", "-q", "-m", "more")
    git(tmp_path, "clone", "-q", "--depth", "1", "file://%s" % repo, "clone")
    prov.folder = tmp_path / "clone"
    found = checks(prov)
    assert (found["git"]["status"], found["git"]["remedy"]) == ("limited", "git fetch --unshallow")


def test_settings_that_cannot_be_read(prov, repo):
    (repo / "prov.yaml").write_text("data: [\n")
    found = checks(prov)
    assert found["settings"]["status"] == "limited"
    assert "prov.yaml" in found["settings"]["says"]


def test_secrets_are_counted_and_not_shown(prov):
    environ = {"DEPLOY_TOKEN": "tok-4711-abcdef-99", "OMP_NUM_THREADS": "2"}
    before = checks(prov)["secrets"]["says"]
    done = prov("doctor", env=environ)
    after = checks(prov, env=environ)["secrets"]["says"]
    assert "tok-4711" not in done.stdout
    masked = [int(text.split("; ")[1].split()[0]) for text in (before, after)]
    assert masked[1] == masked[0] + 1


def test_packages_and_other_hooks(prov, tmp_path):
    venv = tmp_path / "venv"
    subprocess.run([PYTHON, "-m", "venv", "--without-pip", str(venv)], check=True)
    (site,) = venv.glob("lib/python*/site-packages")
    for name, text in (("good-1.0", "Name: good\nVersion: 1.0\n"), ("bad-2.0", "")):
        (site / (name + ".dist-info")).mkdir()
        (site / (name + ".dist-info") / "METADATA").write_text(text)
    (site / "a1_coverage.pth").write_text("import sys\n")
    (site / "plain.pth").write_text("/somewhere\n")
    (site / "sitecustomize.py").write_text("import sys\nsys.theirs = 1\n")
    found = checks(prov, str(venv / "bin" / "python"), "train.py")
    assert found["interpreter"]["says"].endswith("(venv)")
    assert found["packages"]["status"] == "limited", found["packages"]
    assert "the metadata of 1 is not whole: bad" in found["packages"]["says"]
    assert "a1_coverage.pth" in found["other hooks"]["says"]
    assert str(site / "sitecustomize.py") in found["other hooks"]["says"]
    assert "plain.pth" not in found["other hooks"]["says"]
    assert found["hook"]["status"] == "ok"


def test_a_gpu_whose_driver_hangs(prov, tmp_path):
    if os.path.exists("/dev/nvidiactl"):
        pytest.skip("a real driver answers here")
    script(tmp_path / "bin" / "nvidia-smi", "#!/bin/sh\nexec sleep 60\n")
    path = "%s:%s" % (tmp_path / "bin", os.environ["PATH"])
    found = checks(prov, env={"PATH": path})
    says = "none is seen; GPU: nvidia-smi did not answer in time"
    assert (found["GPU"]["status"], found["GPU"]["says"]) == ("limited", says)


def test_a_gpu_that_answers(prov, tmp_path):
    if os.path.exists("/dev/nvidiactl"):
        pytest.skip("a real driver answers here")
    row = "00000000:07:00.0, NVIDIA A100, GPU-07, 40960, 8.0, Disabled"
    body = 'case "$*" in *COMPUTE*) echo "Driver Version : 535.1";; *) echo "%s";; esac\n' % row
    script(tmp_path / "bin" / "nvidia-smi", "#!/bin/sh\n" + body)
    path = "%s:%s" % (tmp_path / "bin", os.environ["PATH"])
    found = checks(prov, env={"PATH": path, "CUDA_VISIBLE_DEVICES": ""})
    assert found["GPU"]["says"] == (
        "NVIDIA A100 (0000:07:00.0), driver 535.1; the environment hides 1 of them"
    )


@pytest.mark.parametrize(
    ("path", "kind"),
    [("/", "ext4"), ("/home/a/b", "nfs4"), ("/homes", "ext4"), ("/my data/x", "tmpfs")],
)
def test_kinds_of_file_systems(tmp_path, path, kind):
    lines = (
        "1 0 8:1 / / rw - ext4 /dev/sda1 rw\n"
        "2 1 0:40 / /home rw shared:1 - nfs4 server:/home rw\n"
        "3 1 0:41 / /my\\040data rw - tmpfs tmpfs rw\n"
    )
    (tmp_path / "mountinfo").write_text(lines)
    assert _doctor_place.file_system(path, str(tmp_path / "mountinfo")) == kind
