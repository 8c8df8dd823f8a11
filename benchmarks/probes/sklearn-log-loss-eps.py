# python: 3.9
# old: numpy==1.22.4 scikit-learn==1.1.3 scipy==1.8.1
# new: numpy==1.22.4 scikit-learn==1.2.0 scipy==1.8.1
import sys

import numpy as np
from sklearn.metrics import log_loss

restored = "restored" in sys.argv
kw = {"eps": 1e-15} if restored else {}
print("%.5f" % log_loss([0, 1], np.array([[0.0, 1.0], [0.3, 0.7]], dtype=np.float32), **kw))
