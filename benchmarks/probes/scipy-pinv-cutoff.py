# python: 3.7
# old: numpy==1.17.5 scipy==1.2.1
# new: numpy==1.17.5 scipy==1.3.0
import numpy as np
from scipy.linalg import pinv2

print("%.6g" % np.abs(pinv2(np.diag([1.0, 1e-11, 3e-13, 1e-14]))).max())
