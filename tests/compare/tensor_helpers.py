"""Archives of tensors made in memory."""

import numpy as np

from provenance.readers.model import Archive, Tensor


def tensor(name, array, dtype=None, most=1 << 30):
    """Return an array as a reader would; ``most`` elements at a time."""
    array = np.asarray(array)

    def chunks(limit):
        flat = array.reshape(-1)
        width = min(limit, most)
        return (flat[at : at + width] for at in range(0, flat.size, width))

    return Tensor(name, dtype or str(array.dtype), array.shape, chunks, lambda: array)


def archive(arrays, **values):
    """Return arrays by name, and plain values beside them, as one file."""
    return Archive("npz", {name: tensor(name, array) for name, array in arrays.items()}, values)


def part(judged, name):
    """Return the part called ``name``."""
    return next(one for one in judged.parts if one.name == name)
