# python: 3.11
# old: numpy==1.26.4 scikit-learn==1.4.2 scipy==1.13.1
# new: numpy==1.26.4 scikit-learn==1.5.0 scipy==1.13.1
import sys

import numpy as np
from sklearn.preprocessing import KBinsDiscretizer

restored = "restored" in sys.argv
X = np.random.RandomState(0).normal(size=(300000, 1))
kw = {"subsample": None} if restored else {}
print(
    KBinsDiscretizer(4, strategy="uniform", random_state=0, **kw)
    .fit(X)
    .bin_edges_[0]
    .round(6)
    .tolist()
)
