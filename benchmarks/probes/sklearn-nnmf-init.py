# python: 3.7
# old: joblib==0.14.1 numpy==1.17.5 scikit-learn==0.22.2.post1 scipy==1.3.3
# new: joblib==0.14.1 numpy==1.17.5 scikit-learn==0.23.0 scipy==1.3.3
import sys

import numpy as np
from sklearn.decomposition import non_negative_factorization

restored = "restored" in sys.argv
X = np.random.RandomState(0).rand(8, 6)
kw = {"init": "random"} if restored else {}
print(
    non_negative_factorization(X, n_components=2, random_state=0, max_iter=20, **kw)[0]
    .sum()
    .round(6)
)
