# python: 3.7
# old: joblib==0.14.1 numpy==1.17.5 scikit-learn==0.21.3 scipy==1.3.3
# new: joblib==0.14.1 numpy==1.17.5 scikit-learn==0.22 scipy==1.3.3
import sys

from sklearn.metrics import normalized_mutual_info_score

restored = "restored" in sys.argv
kw = {"average_method": "geometric"} if restored else {}
print("%.6f" % normalized_mutual_info_score([0, 0, 1, 1, 2, 2], [0, 0, 0, 1, 1, 1], **kw))
