# python: 3.9
# old: numpy==1.22.4 scikit-learn==1.2.2 scipy==1.8.1
# new: numpy==1.22.4 scikit-learn==1.3.0 scipy==1.8.1
import sys

import numpy as np
from sklearn.preprocessing import KBinsDiscretizer

restored = "restored" in sys.argv
X = np.random.RandomState(0).normal(size=(300000, 1))
kw = {"subsample": None} if restored else {}
print(
    KBinsDiscretizer(4, strategy="quantile", random_state=0, **kw)
    .fit(X)
    .bin_edges_[0]
    .round(6)
    .tolist()
)
