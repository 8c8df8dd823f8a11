# python: 3.9
# old: numpy==1.21.6 scikit-learn==0.24.2 scipy==1.7.3
# new: numpy==1.21.6 scikit-learn==1.0 scipy==1.7.3
import sys

from sklearn.cluster import MiniBatchKMeans

restored = "restored" in sys.argv
kw = {"batch_size": 100} if restored else {}
print(MiniBatchKMeans(10, random_state=0, **kw).get_params()["batch_size"])
