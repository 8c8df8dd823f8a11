"""Import each snippet beside this file; tell what it printed, and how and where it failed."""

import contextlib
import glob
import importlib
import io
import json
import os
import sys
import traceback

here = os.path.dirname(os.path.abspath(__file__))
told = {}
for path in sorted(glob.glob(os.path.join(here, "at_*.py"))):
    name = os.path.basename(path)[:-3]
    if sys.version_info < tuple(int(n) for n in name.split("_")[1:3]):
        continue
    said, where = io.StringIO(), None
    with contextlib.redirect_stdout(said), contextlib.redirect_stderr(said):
        try:
            importlib.import_module(name)
        except BaseException as error:  # noqa: BLE001
            lines = traceback.extract_tb(sys.exc_info()[2])
            where = [type(error).__name__, str(error)]
            where += [[one[1], one[2]] for one in lines if one[0].endswith(name + ".py")]
    told[name] = [said.getvalue(), where]
print(json.dumps(told))
