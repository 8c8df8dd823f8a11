# python: 3.9
# old: numpy==1.22.4 scikit-learn==1.2.2 scipy==1.8.1
# new: numpy==1.22.4 scikit-learn==1.3.0 scipy==1.8.1
import sys

import numpy as np
from sklearn.decomposition import MiniBatchDictionaryLearning

restored = "restored" in sys.argv
X = np.random.RandomState(0).rand(30, 6)
kw = {"batch_size": 3} if restored else {}
model = MiniBatchDictionaryLearning(
    3, random_state=0, max_iter=5, transform_algorithm="lasso_cd", **kw
)
print(np.abs(model.fit(X).components_).sum().round(4))
