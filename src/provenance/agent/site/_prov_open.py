"""Watching opens, renames and commands on Python 3.7, which has no audit hooks: best effort.

Run by ``sitecustomize``. The wrappers are objects and not functions: pathlib keeps ``os.open`` as
a class attribute, where a function would turn into a method.
"""

import builtins
import io
import os


class _Wrapper(object):
    """Calls ``note`` with the arguments, then the original; looks like the original."""

    def __init__(self, original, note):
        self.__dict__["_original"] = original
        self.__dict__["_note"] = note

    def __call__(self, *args, **kwargs):
        try:
            self._note(*args, **kwargs)
        except Exception:
            pass
        return self._original(*args, **kwargs)

    def __getattr__(self, name):
        return getattr(self.__dict__["_original"], name)

    def __repr__(self):
        return repr(self._original)

    def __reduce__(self):
        return self._original.__reduce__()

    def __eq__(self, other):
        return other is self or other is self._original

    def __hash__(self):
        return hash(self._original)


def install(opened, event):
    """Replace the functions that open, move and remove files and start commands."""

    def note_open(file, mode="r", *_args, **_kwargs):
        letters = set(mode)
        flags = os.O_RDWR if "+" in letters else os.O_WRONLY if letters & set("wax") else 0
        flags |= os.O_CREAT * bool(letters & set("wax")) | os.O_TRUNC * ("w" in letters)
        opened("open", (file, mode, flags | os.O_APPEND * ("a" in letters)))

    def note_os_open(path, flags, *_args, **kwargs):
        if kwargs.get("dir_fd") is None:
            opened("open", (path, None, flags))

    def note_two(name):
        return lambda source, target, **more: event(name, (source, target, *_folders(more)))

    def note_remove(path, **more):
        event("os.remove", (path, more.get("dir_fd")))

    builtins.open = io.open = _Wrapper(io.open, note_open)
    os.open = _Wrapper(os.open, note_os_open)
    os.rename = _Wrapper(os.rename, note_two("os.rename"))
    os.replace = _Wrapper(os.replace, note_two("os.rename"))
    os.link = _Wrapper(os.link, note_two("os.link"))
    os.remove = _Wrapper(os.remove, note_remove)
    os.unlink = _Wrapper(os.unlink, note_remove)
    os.chdir = _Wrapper(os.chdir, lambda path: event("os.chdir", (path,)))


def _folders(more):
    return more.get("src_dir_fd", -1), more.get("dst_dir_fd", -1)
