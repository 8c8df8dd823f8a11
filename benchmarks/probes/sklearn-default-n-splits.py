# python: 3.7
# old: joblib==0.14.1 numpy==1.17.5 scikit-learn==0.21.3 scipy==1.3.3
# new: joblib==0.14.1 numpy==1.17.5 scikit-learn==0.22 scipy==1.3.3
import sys

from sklearn.model_selection import KFold

restored = "restored" in sys.argv
kw = {"n_splits": 3} if restored else {}
print(KFold(**kw).get_n_splits())
