"""Record experiments, verify them later, and say which differences matter.

The rooms, in the order in which a run passes through them:

``cli``           the only room that prints: parses the command line, renders results
``operations``    the verbs: run, verify, replay, diff, lock, list; plain arguments in, results out
``executors``     run the user's command exactly as if we were not there
``agent``         what runs inside the user's interpreter: the observing hook, the inventory
``facets``        one question about a run per file: code, packages, data, metrics ...
``core``          the nouns everybody shares: record, path, digest, difference, verdict
``knowledge``     why a difference matters: known behaviour changes and their matcher
``compare``       results against results: metrics, series and files, with tolerance
``store``         keep and find records
``specs``, ``environments``, ``exports``   other tools' files; rebuilding; exchange formats

``core``, ``facets``, ``knowledge``, ``agent`` and this file are *portable*: importing them needs
nothing but the standard library of Python 3.7, so that they can run in the user's interpreter.
"""

__version__ = "0.1.0.dev0"

_TOLD_BY_CODE = frozenset(
    (
        "fingerprint log_artifact log_metrics log_params path "
        "load_ipython_extension unload_ipython_extension"
    ).split()
)


def __getattr__(name: str) -> object:
    """Return a function of the SDK, or what ``%load_ext provenance`` calls, when first asked."""
    if name in _TOLD_BY_CODE:
        from provenance.agent import sdk  # noqa: PLC0415  # importing this package stays cheap

        return getattr(sdk, name)
    raise AttributeError("module %r has no attribute %r" % (__name__, name))
