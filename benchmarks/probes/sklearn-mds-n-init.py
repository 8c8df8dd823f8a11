# python: 3.11
# old: numpy==1.26.4 scikit-learn==1.8.0 scipy==1.13.1
# new: numpy==1.26.4 scikit-learn==1.9.0 scipy==1.13.1
import sys

from sklearn.manifold import MDS

restored = "restored" in sys.argv
kw = {"n_init": 4} if restored else {}
n_init = MDS(2, **kw).get_params()["n_init"]
print(4 if n_init == "warn" else n_init)
