"""Objects in S3 by their URL: a real server process, moto's, and fsspec's real client."""

from __future__ import annotations

import contextlib
import importlib.util
import json
import socket
import subprocess
import sys
import time

import pytest


@pytest.fixture
def s3(tmp_path):
    """Return a client and the environment to reach the bucket ``bucket``."""
    for module in ("moto", "boto3", "s3fs"):
        if importlib.util.find_spec(module) is None:
            pytest.skip("%s is not installed" % module)
    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        port = one.getsockname()[1]
    words = [sys.executable, "-m", "moto.server", "-H", "127.0.0.1", "-p", str(port)]
    with open(tmp_path / "moto.log", "wb") as log:
        server = subprocess.Popen(words, stdout=log, stderr=log)
    endpoint = "http://127.0.0.1:%d" % port

    try:
        for _ in range(300):
            assert server.poll() is None
            with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", port), 1):
                break
            time.sleep(0.1)
        client = importlib.import_module("boto3").client(
            "s3",
            endpoint_url=endpoint,
            aws_access_key_id="test",
            aws_secret_access_key="test",
            region_name="us-east-1",
        )
        client.create_bucket(Bucket="bucket")
        enabled = {"Status": "Enabled"}
        client.put_bucket_versioning(Bucket="bucket", VersioningConfiguration=enabled)
        yield (
            client,
            {
                "AWS_ACCESS_KEY_ID": "test",
                "AWS_SECRET_ACCESS_KEY": "test",
                "AWS_ENDPOINT_URL": endpoint,
                "AWS_DEFAULT_REGION": "us-east-1",
                "HOME": str(tmp_path),
                "NO_PROXY": "*",
                "no_proxy": "*",
            },
        )
    finally:
        server.kill()
        server.wait()


def test_an_object_is_recorded_verified_and_fetched(prov, s3):
    client, environ = s3
    prov.environ.update(environ)
    url = "s3://bucket/train.bin"
    client.put_object(Bucket="bucket", Key="train.bin", Body=b"recorded")
    local = prov.folder / "train.bin"
    local.write_bytes(b"recorded")
    (prov.folder / ".gitignore").write_text("train.bin\n")
    settings = {"data": [{"path": "train.bin", "url": url}], "remote_seconds": 60}
    (prov.folder / "prov.yaml").write_text(json.dumps(settings))
    prov("run", "--name", "r", "--", sys.executable, "-c", "open('train.bin').read()")
    (one,) = prov.payload("data")["remotes"]
    assert (one["url"], one["size"], one.get("problem")) == (url, 8, None)
    assert len(one["etag"]) == 32
    assert one["revision"]
    local.unlink()
    (told,) = prov.json("path", "r:train.bin")["artifacts"]
    assert told["source"] == url
    client.put_object(Bucket="bucket", Key="train.bin", Body=b"another")
    text = prov("verify", "--calls", "off", code=None).stdout
    assert url in text or "did not answer in time" in text
