"""Which files hold arrays that can be read, by their names alone."""

from __future__ import annotations

import os

SUFFIXES = frozenset(
    ".npy .npz .safetensors .pt .pth .ckpt .bin .pkl .pickle .joblib .h5 .hdf5 .hdf .he5 .nc "
    ".keras .mat".split()
)
INDEXES = (".safetensors.index.json", ".bin.index.json")


def is_archive(name: str) -> bool:
    """Return whether files called so are archives of arrays that can be read."""
    lower = name.lower()
    return lower.endswith(INDEXES) or os.path.splitext(lower)[1] in SUFFIXES
