"""Who and where the author of a record is, as far as this machine and the record tell."""

from __future__ import annotations

import getpass
import os
import re
import socket
from collections.abc import Iterable, Iterator, Mapping
from typing import Any
from urllib.parse import urlsplit

from provenance.core.anonymous import (
    ACCOUNT,
    AUTHOR,
    ENVIRONMENT,
    HOST,
    OWNER,
    USER,
    Identity,
    is_generic,
    is_telling,
)
from provenance.core.record import Record
from provenance.facets._git import Git
from provenance.store.project import Project

_USERS = ("USER", "LOGNAME", "USERNAME", "SUDO_USER", "SLURM_JOB_USER", "JUPYTERHUB_USER")
_HOSTS = ("HOSTNAME", "HOST", "COMPUTERNAME", "SLURMD_NODENAME", "SLURM_SUBMIT_HOST")
_ACCOUNTS = (
    "SLURM_JOB_ACCOUNT SLURM_JOB_NAME SLURM_CLUSTER_NAME SLURM_JOB_PARTITION SLURM_JOB_QOS "
    "SLURM_JOB_RESERVATION WANDB_ENTITY COMET_WORKSPACE NEPTUNE_PROJECT PBS_JOBNAME PBS_ACCOUNT "
    "LSB_JOBNAME MLFLOW_TRACKING_USERNAME GITHUB_REPOSITORY_OWNER GITHUB_ACTOR"
).split()
_PERSONS = "GIT_AUTHOR_NAME GIT_COMMITTER_NAME GIT_AUTHOR_EMAIL GIT_COMMITTER_EMAIL EMAIL".split()
_MOST_AUTHORS = 100
_QUEUES = frozenset("srun sbatch salloc qsub bsub".split())
_QUEUE_OPTIONS = frozenset("-A -J -p -w -q -N -G -M".split())
_PROVIDERS = re.compile(
    r"(?:.*\.)?(?:gmail|googlemail|outlook|hotmail|yahoo|icloud|proton|protonmail|qq|163|126|gmx|web|"
    r"mail|foxmail|users\.noreply\.github|noreply|example|invalid|localhost)(?:\.\w+)+"
)
"""Providers of mail that say nothing about who somebody works for."""
_COUNTRY = frozenset("ac co com edu gov org net".split())


def of(place: Project, runs: Iterable[Record], environ: Mapping[str, str]) -> Identity:
    """Return the identity that is to be kept out of ``runs``, whose project is ``place``."""
    runs = tuple(runs)
    top = place.repo or place.root
    words: list[tuple[str, str]] = []
    mails: list[str] = []
    _people(environ, Git(environ, top), top, words, mails)
    hosts = [socket.gethostname(), *(environ.get(name, "") for name in _HOSTS)]
    for run in runs:
        hosts += _hosts(run)
        words += [(word, ACCOUNT) for word in accounts(run)]
        for url in _remotes(run):
            _owner(url, words)
    for url in _here(Git(environ, top), top):
        _owner(url, words)
    for host in hosts:
        words += _of_host(host)
    for mail in mails:
        local, _, domain = mail.partition("@")
        words += [(local, AUTHOR), *_of_domain(domain)]
    words += [(environ[name].partition("/")[0], ACCOUNT) for name in _ACCOUNTS if environ.get(name)]
    words.append((environ.get("CONDA_DEFAULT_ENV", "").rpartition("/")[2], ENVIRONMENT))
    tops, homes = _folders(place, runs, environ)
    return Identity(tops, homes, tuple(_clean(words)), tuple(dict.fromkeys(mails)))


def accounts(run: Record) -> list[str]:
    """Return the values that the command, options and parameters of a run name somebody with."""
    found = [value for _, value in told(run.command)]
    for subject in run.payloads("params"):
        for name, one in subject.payload.get("values", {}).items():
            if is_telling(name) and isinstance(one, dict):
                values = [one.get("value"), *(o.get("value") for o in one.get("others") or ())]
                found += [value for value in values if isinstance(value, str)]
    return [one for one in found if "/" not in one and "@" not in one]


def told(command: Iterable[str]) -> Iterator[tuple[int, str]]:
    """Yield the position of each word that gives an option's telling value, and that value."""
    before, queue = "", False
    for at, word in enumerate(command):
        queue = queue or os.path.basename(word) in _QUEUES
        name, equals, value = word.partition("=")
        asked = before.startswith("--") and is_telling(before.lstrip("-"))
        if equals and is_telling(name.lstrip("-")):
            yield at, value
        elif asked or (queue and before in _QUEUE_OPTIONS):
            yield at, word
        before = "" if equals else word


def _people(
    environ: Mapping[str, str],
    git: Git,
    top: str,
    words: list[tuple[str, str]],
    mails: list[str],
) -> None:
    logins = [environ.get(name, "") for name in _USERS]
    try:
        logins.append(getpass.getuser())
    except (KeyError, OSError, ImportError):
        pass
    words += [(one, USER) for one in logins if one]
    names = [environ.get(name, "") for name in _PERSONS] + [_full_name()]
    options = ("user.name", "user.email", "author.name", "author.email")
    names += [os.fsdecode(git(top, "config", "--get", option).out) for option in options]
    authors = git(top, "log", "--format=%an%n%ae%n%cn%n%ce", "-n", "2000")
    if authors.code == 0:
        names += list(dict.fromkeys(os.fsdecode(authors.out).splitlines()))[:_MOST_AUTHORS]
    for one in dict.fromkeys(name.strip() for name in names):
        if "@" in one:
            mails.append(one)
        elif one:
            words += [(one, AUTHOR), *((part, AUTHOR) for part in re.split(r"[\s,._-]+", one))]


def _full_name() -> str:
    try:
        import pwd

        return pwd.getpwuid(os.getuid()).pw_gecos.partition(",")[0]
    except (ImportError, KeyError, AttributeError):
        return ""


def _here(git: Git, top: str) -> list[str]:
    answer = git(top, "config", "--get-regexp", r"^remote\..*\.url$")
    return [line.partition(" ")[2] for line in os.fsdecode(answer.out).splitlines()]


def _remotes(run: Record) -> Iterator[str]:
    for subject in run.payloads("code"):
        for one in subject.payload.get("remotes", []):
            yield str(one.get("url") or "")


def _owner(url: str, words: list[tuple[str, str]]) -> None:
    """Add the owner and the host of a remote's address, where the host is not everybody's."""
    if "://" in url:
        parts = urlsplit(url)
        host, path = parts.hostname or "", parts.path
    elif re.match(r"[\w.-]+@[\w.-]+:", url):
        host, _, path = url.partition("@")[2].partition(":")
    else:
        return
    folders = [one for one in path.strip("/").split("/") if one][:-1]
    words += [(one.lstrip("~"), OWNER) for one in folders]
    if not re.fullmatch(r"(?:www\.)?(?:github|gitlab|bitbucket|codeberg|huggingface)\.\w+", host):
        words += _of_host(host)


def _hosts(run: Record) -> Iterator[str]:
    if run.process is not None:
        yield run.process.host
    for subject in run.payloads("processes"):
        for rank in subject.payload.get("ranks", []):
            yield str(rank.get("host") or "")


def _of_host(host: str) -> list[tuple[str, str]]:
    """Return a host's names: whole, short, and those of its domain that say whose it is."""
    host = host.strip().lower().rstrip(".")
    if not host or re.fullmatch(r"[\d.]+|[0-9a-f:]+", host):
        return [(host, HOST)] if host.count(".") == 3 else []
    short, _, domain = host.partition(".")
    return [(host, HOST), (short, HOST), *_of_domain(domain)]


def _of_domain(domain: str) -> list[tuple[str, str]]:
    if not domain or _PROVIDERS.fullmatch(domain.lower()):
        return []
    parts = [one for one in domain.split(".")[:-1] if one not in _COUNTRY]
    return [(domain, OWNER), *((one, OWNER) for one in parts)]


def _folders(
    place: Project, runs: Iterable[Record], environ: Mapping[str, str]
) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """Return the tops of the repository and the home folders, as they are named and really."""
    homes = [environ.get("HOME", ""), os.path.expanduser("~")]
    tops = [place.repo or "", place.root]
    for run in runs:
        homes.append(run.roots.get("home", ""))
        tops.append(run.roots.get("repo", ""))
    homes += [os.path.realpath(one) for one in homes if one]
    tops += [os.path.realpath(one) for one in tops if one]
    return tuple(filter(None, dict.fromkeys(tops))), tuple(filter(None, dict.fromkeys(homes)))


def _clean(words: Iterable[tuple[str, str]]) -> Iterator[tuple[str, str]]:
    """Yield each name once, with the first neutral word that was given for it."""
    seen: dict[str, Any] = {}
    for word, neutral in words:
        bare = word.strip()
        if not is_generic(bare) and bare.lower() not in seen:
            seen[bare.lower()] = neutral
            yield bare, neutral
