# python: 3.9
# old: numpy==1.22.4 scikit-learn==1.1.3 scipy==1.8.1
# new: numpy==1.22.4 scikit-learn==1.2.0 scipy==1.8.1
import numpy as np
from sklearn.decomposition import FastICA

X = np.random.RandomState(3).laplace(size=(200, 3)) @ np.array([[1, 2, 0], [0, 1, 1], [1, 0, 3]])
print(np.sign(FastICA(3, whiten="unit-variance", random_state=0).fit(X).components_[:, 0]).tolist())
