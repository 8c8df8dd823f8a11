# python: 3.11
# old: numpy==1.26.4 scikit-learn==1.8.0 scipy==1.13.1
# new: numpy==1.26.4 scikit-learn==1.9.0 scipy==1.13.1
import sys

import numpy as np
from sklearn.preprocessing import KBinsDiscretizer

restored = "restored" in sys.argv
X = np.array([[0.0], [1.0], [2.0], [4.0], [8.0], [16.0]])
kw = {"quantile_method": "linear"} if restored else {}
print(KBinsDiscretizer(4, strategy="quantile", **kw).fit(X).bin_edges_[0].tolist())
