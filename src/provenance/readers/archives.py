"""Which reader a file needs, by what it begins with and by its name."""

from __future__ import annotations

from provenance.readers import hdf5, joblib, npy, safetensors, torch
from provenance.readers._bytes import Store, open_store
from provenance.readers._zips import Members
from provenance.readers.model import Archive, Unreadable
from provenance.readers.names import INDEXES


def open_archive(path: str, name: str | None = None) -> Archive:
    """Return what the file at ``path`` holds; nothing of its tensors is read yet.

    name: as the file was called, where ``path`` is a copy under another name. The beginning of the
    file decides, and the name where that says nothing. Raises `Unreadable`.
    """
    called = (name or path).lower()
    if called.endswith(INDEXES):
        return safetensors.read_index(path, open_archive)
    store = open_store(path)
    head = store.read(0, 512)
    if not head:
        raise Unreadable("is empty")
    if head[:6] == npy.MAGIC:
        return npy.read_npy(path)
    if head[:4] in (b"PK\x03\x04", b"PK\x05\x06"):
        return _zip(store, called)
    if called.endswith(".safetensors") or safetensors.looks_like(head, store.size):
        return safetensors.read(path)
    if head[:6] == b"MATLAB" or called.endswith(".mat"):
        return hdf5.read_mat(store)
    if head[:8] == hdf5.MAGIC or called.endswith((".h5", ".hdf5", ".hdf", ".he5", ".keras")):
        return hdf5.read(store.all())
    if called.endswith(".nc"):
        raise Unreadable("is not NetCDF 4: older NetCDF is not read")
    return _pickle(store, head)


def _zip(store: Store, called: str) -> Archive:
    members = Members(store)
    if "model.weights.h5" in members.names():
        return hdf5.read_keras(members)
    if torch.is_checkpoint(members):
        return torch.from_members(members)
    if called.endswith(".npz") or any(one.endswith(".npy") for one in members.names()):
        return npy.from_members(members)
    raise Unreadable("is a zip file that holds neither arrays nor a checkpoint")


def _pickle(store: Store, head: bytes) -> Archive:
    if torch.LEGACY in head[:16]:
        return torch.from_legacy(store.all())
    return joblib.read(store.all())
