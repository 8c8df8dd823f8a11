"""Runs the steps of a workflow, a GitLab job or an action as their services do: by bash, in order.

What a service brings is stood in for: a checkout by a clone, a set-up Python by a virtual
environment first on PATH, the files for variables and the summary by files.
"""

import os
import re
import subprocess
import sys
from pathlib import Path

import yaml

ROOT = Path(__file__).resolve().parent.parent.parent
_EXPRESSION = re.compile(r"\$\{\{\s*(.*?)\s*\}\}")
_BASH = {
    None: ["bash", "-e"],
    "bash": ["bash", "--noprofile", "--norc", "-eo", "pipefail"],
}
"""How GitHub starts bash for a step, without and with ``shell: bash``."""


class Runner:
    """A machine of a CI service that has ``folder`` checked out.

    summary: what steps wrote for the page of the run. outputs: what each step printed, by name.
    python: where the job's own Python is, made when it is first asked for; machines may share it,
    so that only the first one waits for the installation of prov.
    """

    def __init__(self, folder, scratch, python):
        self.folder = folder
        self.scratch = scratch
        self.python = python
        scratch.mkdir(exist_ok=True)
        (scratch / "home").mkdir(exist_ok=True)
        self.files = {name: scratch / name.lower() for name in ("GITHUB_PATH", "GITHUB_ENV")}
        self.step_summary = scratch / "summary.md"
        for path in (*self.files.values(), self.step_summary):
            path.write_text("")
        kept = "PIP_ UV_ SSL_ REQUESTS_ CURL_ HTTP HTTPS NO_PROXY LANG OPENBLAS_ OMP_ MKL_".split()
        self.environ = {
            name: value
            for name, value in os.environ.items()
            if name.startswith(tuple(kept)) and name != "UV_PYTHON_DOWNLOADS"
        }
        self.environ.update(
            HOME=str(scratch / "home"),
            CI="true",
            PATH="/usr/local/bin:/usr/bin:/bin",
            RUNNER_TEMP=str(scratch),
            GITHUB_WORKSPACE=str(folder),
            GITHUB_STEP_SUMMARY=str(self.step_summary),
            **{name: str(path) for name, path in self.files.items()},
        )
        for name in ("config", "cache"):  # the settings and the cache of this machine's tools
            place = Path.home() / (".%s" % name)
            if place.is_dir():
                (scratch / "home" / place.name).symlink_to(place)
        self.outputs = {}

    @property
    def summary(self):
        return self.step_summary.read_text()

    def set_up_python(self):
        """Make a Python for the job and put it first on PATH, as actions/setup-python does."""
        if not self.python.exists():
            subprocess.run([sys.executable, "-m", "venv", str(self.python)], check=True)
        base = os.path.join(sys.base_prefix, "bin")  # where uv finds this version
        first = "%s:%s:" % (self.python / "bin", base)
        if not self.environ["PATH"].startswith(first):
            self.environ["PATH"] = first + self.environ["PATH"]

    def bash(self, text, name="", shell=None, environ=None, folder=None):
        """Run one step; return its exit code. Its output is kept by its name."""
        script = self.scratch / "step.sh"
        script.write_text(text)
        done = subprocess.run(
            [*_BASH[shell], str(script)],
            cwd=folder or self.folder,
            env={**self.environ, **(environ or {})},
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            check=False,
            timeout=280,
        )
        self.outputs[name] = done.stdout + done.stderr
        for line in self.files["GITHUB_PATH"].read_text().split():
            self.environ["PATH"] = "%s:%s" % (line, self.environ["PATH"])
        self.files["GITHUB_PATH"].write_text("")
        return done.returncode

    def workflow(self, path, **environ):
        """Run the only job of a workflow; return exit codes by the names of the steps.

        environ: stands for values of its ``env``.
        """
        document = yaml.safe_load(path.read_text())
        ((_, job),) = document["jobs"].items()
        self.environ.update(document.get("env", {}))
        self.environ.update(environ)
        return self._steps(job["steps"], {})

    def action(self, path, **given):
        """Run a composite action with the inputs ``given``; return exit codes as `workflow`."""
        document = yaml.safe_load(path.read_text())
        inputs = {name: str(one["default"]) for name, one in document["inputs"].items()}
        assert set(given) <= {name.replace("-", "_") for name in inputs}
        inputs.update({name.replace("_", "-"): value for name, value in given.items()})
        self.environ["GITHUB_ACTION_PATH"] = str(path.parent)
        return self._steps(document["runs"]["steps"], inputs)

    def gitlab(self, path, **variables):
        """Run the script of the only job of a GitLab file, which ends with its first failure."""
        document = yaml.safe_load(path.read_text())
        self.environ.update(document["variables"])
        self.environ.update(variables)
        self.set_up_python()  # the image is one of Python
        assert document["provenance"]["image"].startswith("python:")
        return self.bash("\n".join(document["provenance"]["script"]), "script", "bash")

    def _steps(self, steps, inputs):
        codes, failed = {}, False
        for step in steps:
            name = step.get("name", step.get("uses"))
            if "uses" in step:
                action = step["uses"].partition("@")[0]
                assert action in ("actions/checkout", "actions/setup-python"), action
                if action == "actions/setup-python":
                    self.set_up_python()
                continue
            if failed and step.get("if") != "${{ !cancelled() }}":
                continue
            assert step.get("if") in (None, "${{ !cancelled() }}")
            environ = {n: _expanded(str(v), inputs) for n, v in step.get("env", {}).items()}
            place = self.folder / _expanded(step.get("working-directory", "."), inputs)
            text = _expanded(step["run"], inputs)
            codes[name] = self.bash(text, name, step.get("shell"), environ, place)
            failed = failed or codes[name] != 0
        return codes


def _expanded(text, inputs):
    def value(match):
        literal = re.fullmatch(r"'(.*)'", match[1])
        return literal[1] if literal else inputs[match[1].removeprefix("inputs.")]

    return _EXPRESSION.sub(value, text)
