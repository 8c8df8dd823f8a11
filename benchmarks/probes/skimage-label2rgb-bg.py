# python: 3.9
# old: numpy==1.22.4 scipy==1.8.1 scikit-image==0.18.3
# new: numpy==1.22.4 scipy==1.8.1 scikit-image==0.19.0
import sys

import numpy as np
from skimage.color import label2rgb

restored = "restored" in sys.argv
kw = {"bg_label": -1} if restored else {}
print(label2rgb(np.array([[0, 1]]), **kw).round(3).tolist())
