"""Fingerprints of initial weights and first batches, where the user asked for them.

Used by the files that replace functions of torch and scikit-learn; run by ``sitecustomize``, which
gives ``load(name)`` (the names of a file beside this one). What is told are shapes, digests and
summaries, as by the SDK's ``fingerprint``; nothing is drawn, changed, consumed or kept. What is on
a device is copied to be read.
"""

import os
import time

load = globals()["load"]

_MOST, _MOST_BATCHES, _MOST_LOADERS = 40, 16, 20
"""Fingerprints of weights and of data handed to ``fit``; batches of one loader; loaders."""

_left, _loaders = [_MOST], {}


def asked():
    """Return whether fingerprints are wanted: a file in the folder of the logs says so."""
    return os.path.exists(os.environ.get("PROV_AGENT_DIR", "") + "/marks")


def mark(name, value, place):
    """Tell what ``value`` looks like at ``place``, under ``name``; never raises."""
    try:
        sdk = load("_prov_sdk")
        journal = sdk["_journal"]
        if journal.ready():
            told = dict(sdk["describe"](value), automatic=True)
            journal.put("f", time.time_ns(), place, name, told)
    except Exception:
        pass


def few(name, value, place):
    """Tell what ``value`` looks like, unless enough was told."""
    if _left[0] > 0 and value is not None:
        _left[0] -= 1
        mark(name, value, place)


def weights(modules, place):
    """Tell of the parameters and buffers of torch modules that an optimizer was made for."""
    for module in modules:
        named = dict(module.named_parameters())
        named.update(module.named_buffers())
        if named:
            few("initial weights of %s" % type(module).__name__, named, place)


def watch_batches(iterator):
    """Let a torch loader's iterator tell of its first batches."""
    load("_prov_models")["around"](iterator, "__next__", _next)


def _next(original, self):
    batch = original(self)
    if len(_loaders) <= _MOST_LOADERS:
        try:
            _batch(self, batch)
        except Exception:
            pass
    return batch


def _batch(iterator, batch):
    data = iterator._dataset
    known = _loaders.get(id(data))
    if known is None:
        name = "batches %d (%s)" % (len(_loaders) + 1, type(data).__name__)
        known = _loaders[id(data)] = [name, _MOST_BATCHES]
    if known[1] > 0:
        known[1] -= 1
        mark(known[0], batch, load("_prov_patches")["where"]("torch")[0])


def fitted(label, args, kwargs):
    """Tell of the data that an estimator's method called ``label`` is given."""
    place = load("_prov_patches")["where"]("sklearn")[0]
    for number, name in enumerate(("X", "y")):
        value = args[number] if len(args) > number else kwargs.get(name)
        few("data %s of %s" % (name, label), value, place)
