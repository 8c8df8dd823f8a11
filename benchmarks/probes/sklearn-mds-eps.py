# python: 3.11
# old: numpy==1.26.4 scikit-learn==1.6.1 scipy==1.13.1
# new: numpy==1.26.4 scikit-learn==1.7.0 scipy==1.13.1
import numpy as np
from sklearn.manifold import MDS

X = np.random.RandomState(0).rand(20, 4)
print(MDS(2, n_init=1, max_iter=300, random_state=0, normalized_stress=False).fit(X).n_iter_)
