# python: 3.11
# old: numpy==1.26.4
# new: numpy==2.0.0
import io
import sys

import numpy as np

restored = "restored" in sys.argv
kw = {"encoding": "bytes"} if restored else {}
print(np.genfromtxt(io.StringIO("a,b"), dtype=None, delimiter=",", **kw).dtype.kind)
