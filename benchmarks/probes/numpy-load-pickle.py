# python: 3.7
# old: numpy==1.16.2
# new: numpy==1.16.3
import sys

import numpy as np

restored = "restored" in sys.argv
np.save("x.npy", np.array([{}], dtype=object))
kw = {"allow_pickle": True} if restored else {}
try:
    print(np.load("x.npy", **kw))
except ValueError:
    print("ValueError")
