# python: 3.7
# old: joblib==0.14.1 numpy==1.17.5 scikit-learn==0.22.2.post1 scipy==1.3.3
# new: joblib==0.14.1 numpy==1.17.5 scikit-learn==0.23.0 scipy==1.3.3
import sys

import numpy as np
from sklearn.preprocessing import power_transform

restored = "restored" in sys.argv
X = np.random.RandomState(0).lognormal(size=(20, 1))
kw = {"method": "box-cox"} if restored else {}
print(power_transform(X, **kw)[:3].round(5).tolist())
