# python: 3.11
# old: numpy==1.26.4 scipy==1.14.1
# new: numpy==1.26.4 scipy==1.15.0
import numpy as np
from scipy.stats import wilcoxon

d = np.array([1.5, -0.5, 2.0, 3.0, -1.0, 4.0, 2.0, 0.0])
print("%.5f" % wilcoxon(d, method="exact").pvalue)
