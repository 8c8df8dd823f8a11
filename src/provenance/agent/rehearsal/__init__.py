"""What a rehearsal runs inside the target interpreter: loaded by path, standard library only.

The files are never imported as part of this package there, since the tool is not installed in the
user's environment: `_prov_rehearse.py` is started as a script and loads its neighbours itself.
"""
