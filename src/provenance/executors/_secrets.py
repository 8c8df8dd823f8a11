"""Well-known places of secrets, which a sandboxed command cannot read."""

from __future__ import annotations

import os
from collections.abc import Mapping

_IN_HOME = (
    ".ssh .gnupg .aws .azure .kube .docker .netrc _netrc .pypirc .npmrc .yarnrc.yml .pgpass "
    ".my.cnf .vault-token .password-store .git-credentials .databrickscfg .s3cfg .boto .kaggle "
    ".huggingface .comet.config .clearml.conf clearml.conf .neptune .terraform.d .oci .bluemix "
    ".cargo/credentials .cargo/credentials.toml .gem/credentials .composer/auth.json "
    ".config/gcloud .config/gh .config/hub .config/glab-cli .config/op .config/rclone "
    ".config/git/credentials .config/kaggle .config/sops .config/doctl "
    ".config/containers/auth.json "
    ".config/google-chrome .config/chromium .config/BraveSoftware .config/Bitwarden .mozilla "
    ".thunderbird .local/share/keyrings .local/share/kwalletd .local/share/jupyter/runtime "
    ".cache/huggingface/token .cache/huggingface/stored_tokens Library/Keychains "
    ".bash_history .zsh_history .python_history .psql_history .mysql_history .node_repl_history"
).split()
"""Below the home folder; from the manuals of the tools that they are named for."""

_ELSEWHERE = (
    "/etc/shadow",
    "/etc/gshadow",
    "/etc/ssh",
    "/etc/sudoers",
    "/etc/sudoers.d",
    "/etc/ssl/private",
    "/etc/kubernetes",
    "/etc/krb5.keytab",
    "/run/secrets",
    "/run/user",
    "/var/run/secrets",
    "/var/lib/docker",
)

_NAMED = (
    "AWS_SHARED_CREDENTIALS_FILE",
    "AWS_CONFIG_FILE",
    "GOOGLE_APPLICATION_CREDENTIALS",
    "KUBECONFIG",
    "NETRC",
    "HF_TOKEN_PATH",
    "PGPASSFILE",
    "NPM_CONFIG_USERCONFIG",
    "KRB5CCNAME",
)
"""Environment variables that name a file with a secret."""


def is_place(name: str) -> bool:
    """Return whether ``name``, in a home folder, is one of these places or has one below it."""
    return any(one == name or one.startswith(name + "/") for one in _IN_HOME)


def places(environ: Mapping[str, str]) -> tuple[str, ...]:
    """Return the real paths of what is there of the well-known places of secrets.

    environ: of the command; its HOME and the user's own are looked at.
    """
    homes = {os.path.expanduser("~"), environ.get("HOME") or "/nowhere"}
    found = [os.path.join(home, name) for home in homes for name in _IN_HOME]
    found += _ELSEWHERE
    for name in _NAMED:
        value = environ.get(name) or os.environ.get(name) or ""
        found.append(value[5:] if value.startswith("FILE:") else value)
    kept = {os.path.realpath(path) for path in found if os.path.isabs(path)}
    return tuple(sorted(path for path in kept if os.path.lexists(path)))
