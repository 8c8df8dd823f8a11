# python: 3.9
# old: numpy==1.22.4 scikit-learn==1.3.2 scipy==1.8.1
# new: numpy==1.22.4 scikit-learn==1.4.0 scipy==1.8.1
import sys

from sklearn.naive_bayes import MultinomialNB

restored = "restored" in sys.argv
kw = {"force_alpha": False} if restored else {}
model = MultinomialNB(alpha=0.0, **kw).fit([[1, 0], [0, 2]], [0, 1])
print("%.3g" % model.predict_proba([[1, 1]])[0][0])
print(model.feature_log_prob_.round(2).tolist())
