"""Objects in S3 by their URL: a real server process, moto's, and fsspec's real client."""

from __future__ import annotations

import importlib.util
import json
import sys

import pytest

from tests import servers


@pytest.fixture
def s3(tmp_path):
    """Return a client and the environment to reach the bucket ``bucket``."""
    with servers.moto(tmp_path, "boto3", "s3fs") as (endpoint, keys):
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
        yield client, {**keys, "NO_PROXY": "*", "no_proxy": "*"}


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
