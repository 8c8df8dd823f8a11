# python: 3.11
# old: numpy==1.26.4
# new: numpy==2.0.0
import numpy as np

try:
    print(np.float_(1.5), np.Inf, np.product([2, 3]))
except (AttributeError, ImportError, TypeError, ValueError) as error:
    print(type(error).__name__)
