# python: 3.7
# old: joblib==0.14.1 numpy==1.17.5 scikit-learn==0.21.3 scipy==1.3.3
# new: joblib==0.14.1 numpy==1.17.5 scikit-learn==0.22 scipy==1.3.3
import sys

import numpy as np
from sklearn.neighbors import LocalOutlierFactor

restored = "restored" in sys.argv
X = np.random.RandomState(0).normal(size=(200, 2))
kw = {"contamination": 0.1} if restored else {}
print(int((LocalOutlierFactor(**kw).fit_predict(X) < 0).sum()))
