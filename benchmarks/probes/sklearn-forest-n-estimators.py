# python: 3.7
# old: joblib==0.14.1 numpy==1.17.5 scikit-learn==0.21.3 scipy==1.3.3
# new: joblib==0.14.1 numpy==1.17.5 scikit-learn==0.22 scipy==1.3.3
import sys

from sklearn.ensemble import RandomForestClassifier

restored = "restored" in sys.argv
kw = {"n_estimators": 10} if restored else {}
print(len(RandomForestClassifier(random_state=0, **kw).fit([[0], [1], [2]], [0, 1, 1]).estimators_))
