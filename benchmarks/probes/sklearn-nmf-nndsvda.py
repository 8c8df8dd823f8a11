# python: 3.9
# old: numpy==1.22.4 scikit-learn==1.0.2 scipy==1.8.1
# new: numpy==1.22.4 scikit-learn==1.1.0 scipy==1.8.1
import sys

import numpy as np
from sklearn.decomposition import NMF

restored = "restored" in sys.argv
X = np.random.RandomState(0).rand(8, 6)
kw = {"init": "nndsvd"} if restored else {}
print(NMF(2, random_state=0, max_iter=30, **kw).fit_transform(X).sum().round(5))
