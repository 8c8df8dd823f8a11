# python: 3.9
# old: numpy==1.22.4 scikit-learn==1.0.2 scipy==1.8.1
# new: numpy==1.22.4 scikit-learn==1.1.0 scipy==1.8.1
import sys

from sklearn.cluster import KMeans

restored = "restored" in sys.argv
kw = {"algorithm": "elkan"} if restored else {}
model = KMeans(3, n_init=1, random_state=0, **kw).fit([[float(i * i % 17)] for i in range(40)])
print({"auto": "elkan", "full": "lloyd"}.get(model.algorithm, model.algorithm))
