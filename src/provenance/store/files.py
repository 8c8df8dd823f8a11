"""Writing so that nothing is ever half there: write, fsync, rename."""

from __future__ import annotations

import os

from provenance.errors import SystemRefused


def write_atomic(path: str, data: bytes) -> None:
    """Put ``data`` at ``path`` whole or not at all.

    Raises `SystemRefused` naming the path; a partly written temporary file is removed.
    """
    temporary = "%s.%d.tmp" % (path, os.getpid())
    try:
        descriptor = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_CLOEXEC, 0o666)
        try:
            view = memoryview(data)
            while view:
                view = view[os.write(descriptor, view) :]
            os.fsync(descriptor)
        finally:
            os.close(descriptor)
        os.replace(temporary, path)
    except OSError as error:
        _remove(temporary)
        raise SystemRefused("%s cannot be written: %s." % (path, error.strerror)) from error


def make_folder(path: str, mode: int = 0o777) -> None:
    """Make ``path`` and its parents where they are missing. Raises `SystemRefused`."""
    try:
        os.makedirs(path, mode, exist_ok=True)
    except OSError as error:
        raise SystemRefused("%s cannot be made: %s." % (path, error.strerror)) from error


def remove_folder(folder: str) -> None:
    """Remove a folder of ours, mostly a flat one: `shutil` costs 3 ms to import."""
    try:
        for name in os.listdir(folder):
            os.unlink(os.path.join(folder, name))
        os.rmdir(folder)
    except OSError:
        import shutil

        shutil.rmtree(folder, ignore_errors=True)


def _remove(path: str) -> None:
    try:
        os.unlink(path)
    except OSError:
        pass
