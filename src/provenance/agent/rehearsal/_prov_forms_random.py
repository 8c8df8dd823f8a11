"""The state of the global random generators, read without changing any of them."""

import sys

load = None


def digest():
    """Return a digest of the states of random, numpy, torch (CPU) and TensorFlow's global seed."""
    from array import array
    from hashlib import blake2b

    found = blake2b(digest_size=8)
    random = sys.modules.get("random")
    if random is not None:
        state = random.getstate()
        found.update(array("L", state[1]).tobytes())
        if state[2] is not None:
            found.update(repr(state[2]).encode())
    numpy = sys.modules.get("numpy.random")
    mtrand = getattr(numpy, "mtrand", None)
    own = getattr(mtrand, "_rand", None)
    if own is not None:
        state = own.get_state()
        if state.__class__ is tuple:
            found.update(state[1].tobytes())
            found.update(repr(state[2:]).encode())
    torch = sys.modules.get("torch")
    if torch is not None and hasattr(torch, "default_generator"):
        found.update(stream(torch.default_generator.get_state()))
    context = sys.modules.get("tensorflow.python.eager.context")
    if context is not None:
        now = getattr(context, "_context", None)
        found.update(repr(getattr(now, "_seed", None)).encode())
    return found.hexdigest()


def stream(state):
    """Return what the numbers to come depend on, of the tensor with the state of torch's generator.

    The bytes of a CPU generator differ between torch 1.1 (5048 of them), 1.2 and later (5056): the
    last normal number is kept in another way. The words of the Mersenne twister (from byte 24), how
    many of them are left (byte 8) and whether a normal number is kept (byte 5040) stand at the same
    places in torch 1.1 to 2.13; that number itself follows from the words. The seed of the
    beginning (byte 0) is not part of it.
    """
    data = _bytes(state)
    if len(data) < 5044:
        return data
    return data[8:12] + data[24:5016] + data[5040:5044]


def _bytes(state):
    """Return the bytes of a tensor of bytes."""
    try:
        return state.numpy().tobytes()
    except Exception:
        return bytes(bytearray(state.tolist()))
