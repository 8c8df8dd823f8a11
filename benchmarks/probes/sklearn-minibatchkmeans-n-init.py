# python: 3.9
# old: numpy==1.22.4 scikit-learn==1.3.2 scipy==1.8.1
# new: numpy==1.22.4 scikit-learn==1.4.0 scipy==1.8.1
import sys

from sklearn.cluster import MiniBatchKMeans
from sklearn.datasets import load_digits

restored = "restored" in sys.argv
kw = {"n_init": 3} if restored else {}
print("%.1f" % MiniBatchKMeans(10, random_state=0, **kw).fit(load_digits().data).inertia_)
