# python: 3.11
# old: numpy==1.26.4
# new: numpy==2.0.0
import sys

import numpy as np

restored = "restored" in sys.argv
A = np.array([[1, 1, 1], [1, 1 + 3e-16, 1], [1, 1, 1 + 5e-16], [2, 2, 2.0000000000000004]])
kw = {"rcond": -1} if restored else {}
print(np.linalg.lstsq(A, np.arange(4.0), **kw)[0].round(-9).tolist())
