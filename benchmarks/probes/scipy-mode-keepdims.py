# python: 3.9
# old: numpy==1.22.4 scipy==1.10.1
# new: numpy==1.22.4 scipy==1.11.1
import sys

import numpy as np
from scipy.stats import mode

restored = "restored" in sys.argv
kw = {"keepdims": True} if restored else {}
print(np.shape(mode([[1, 2], [1, 3]], **kw)[0]))
