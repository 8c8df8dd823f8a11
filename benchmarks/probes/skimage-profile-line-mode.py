# python: 3.9
# old: numpy==1.22.4 scipy==1.8.1 scikit-image==0.18.3
# new: numpy==1.22.4 scipy==1.8.1 scikit-image==0.19.0
import numpy as np
from skimage.measure import profile_line

print(profile_line(np.arange(25.0).reshape(5, 5), (3, 3), (6, 6)).round(3).tolist())
