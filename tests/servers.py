"""Real servers on the loopback interface for tests: an S3 server, and Debian's sshd."""

import contextlib
import getpass
import importlib.util
import os
import shutil
import socket
import subprocess
import sys
import time
import urllib.request

import pytest


def free_port():
    """Return a port on which nobody listens."""
    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        return one.getsockname()[1]


def wait_for(port, process, what):
    """Wait until ``process`` listens on ``port``."""
    for _ in range(300):
        assert process.poll() is None, "%s ended with %s" % (what, process.returncode)
        with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", port), 1):
            return
        time.sleep(0.1)
    raise AssertionError("%s does not listen" % what)


@contextlib.contextmanager
def moto(folder, *needed):
    """Run moto's S3 server; yield its address and the environment to reach it.

    needed: modules without which the test is skipped.
    """
    for module in ("moto", *needed):
        if importlib.util.find_spec(module) is None:
            pytest.skip("%s is not installed" % module)
    port = free_port()
    with open(folder / "s3.log", "wb") as log:
        words = [sys.executable, "-m", "moto.server", "-H", "127.0.0.1", "-p", str(port)]
        server = subprocess.Popen(words, stdout=log, stderr=log)
    try:
        wait_for(port, server, "moto")
        endpoint = "http://127.0.0.1:%d" % port
        keys = {
            "AWS_ACCESS_KEY_ID": "test",
            "AWS_SECRET_ACCESS_KEY": "test",
            "AWS_ENDPOINT_URL": endpoint,
            "AWS_DEFAULT_REGION": "us-east-1",
            "HOME": str(folder),
        }
        yield endpoint, keys
    finally:
        server.kill()
        server.wait()


@contextlib.contextmanager
def s3(folder):
    """Run an S3 server for DVC; yield address of a bucket and the environment to reach it."""
    with moto(folder, "dvc_s3") as (endpoint, keys):
        urllib.request.urlopen(urllib.request.Request(endpoint + "/bucket", method="PUT")).close()
        yield "s3://bucket/team", keys


@contextlib.contextmanager
def ssh(folder):
    """Run sshd for the user who runs the tests; yield an address and the environment for it."""
    sshd = shutil.which("sshd", path="/usr/sbin:/usr/bin:/sbin")
    if sshd is None or shutil.which("ssh-keygen") is None:
        pytest.skip("sshd is not installed")
    if importlib.util.find_spec("dvc_ssh") is None:
        pytest.skip("dvc_ssh is not installed")
    port, home = free_port(), folder / "ssh-home"
    (home / ".ssh").mkdir(parents=True, mode=0o700)
    for key in (folder / "host", home / ".ssh" / "id_ed25519"):
        subprocess.run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", key], check=True)
    public = (folder / "host.pub").read_text().split()[:2]
    (home / ".ssh" / "known_hosts").write_text("[127.0.0.1]:%d %s\n" % (port, " ".join(public)))
    if os.getuid() == 0:
        os.makedirs("/run/sshd", exist_ok=True)  # where Debian's sshd wants to stand
    (folder / "sshd_config").write_text(
        "Port %d\nListenAddress 127.0.0.1\nHostKey %s\nPidFile none\nUsePAM no\n"
        "AuthorizedKeysFile %s\nStrictModes no\nPermitRootLogin prohibit-password\n"
        "PasswordAuthentication no\nSubsystem sftp internal-sftp\nMaxSessions 100\n"
        % (port, folder / "host", home / ".ssh" / "id_ed25519.pub")
    )
    with open(folder / "sshd.log", "wb") as log:
        words = [sshd, "-D", "-e", "-f", folder / "sshd_config"]
        server = subprocess.Popen(words, stdout=log, stderr=log)
    try:
        wait_for(port, server, "sshd")
        address = "ssh://%s@127.0.0.1:%d%s" % (getpass.getuser(), port, folder / "remote")
        yield address, {"HOME": str(home)}
    finally:
        server.kill()
        server.wait()
