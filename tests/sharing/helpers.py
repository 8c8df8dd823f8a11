"""Looking at remotes and at what came out of them."""

import hashlib


def made(folder):
    """Return the content of what the run read and wrote in ``folder``."""
    names = ["words.txt", "model.bin", *("parts/%03d.txt" % number for number in range(300))]
    return {name: (folder / name).read_bytes() for name in names}


def blobs(remote):
    return {path for path in (remote / "files" / "md5").rglob("*") if path.is_file()}


def blob_of(remote, content):
    """Return the path of the blob that holds ``content``."""
    return next(path for path in blobs(remote) if path.read_bytes() == content)


def check(store):
    """Require that each blob below ``store`` is what its name says."""
    for path in blobs(store):
        name = (path.parent.name + path.name).removesuffix(".dir")
        assert hashlib.md5(path.read_bytes()).hexdigest() == name, path
