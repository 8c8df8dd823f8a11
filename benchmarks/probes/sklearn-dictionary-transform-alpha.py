# python: 3.9
# old: numpy==1.22.4 scikit-learn==1.1.3 scipy==1.8.1
# new: numpy==1.22.4 scikit-learn==1.2.0 scipy==1.8.1
import sys

import numpy as np
from sklearn.decomposition import DictionaryLearning

restored = "restored" in sys.argv
X = np.random.RandomState(0).rand(12, 6)
kw = {"transform_alpha": 1.0} if restored else {}
model = DictionaryLearning(3, alpha=0.2, transform_algorithm="lasso_cd", random_state=0, **kw)
print(np.abs(model.fit_transform(X)).sum().round(5))
