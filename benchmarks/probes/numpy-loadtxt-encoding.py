# python: 3.11
# old: numpy==1.26.4
# new: numpy==2.0.0
import io
import sys

import numpy as np

restored = "restored" in sys.argv
kw = {"encoding": "bytes"} if restored else {}
seen = []
np.loadtxt(io.StringIO("1 2"), converters={0: lambda x: seen.append(type(x).__name__) or 1.0}, **kw)
print(seen)
