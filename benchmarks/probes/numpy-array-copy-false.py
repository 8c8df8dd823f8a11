# python: 3.11
# old: numpy==1.26.4
# new: numpy==2.0.0
import numpy as np

try:
    print(np.array([1, 2], copy=False).tolist())
except (AttributeError, ImportError, TypeError, ValueError) as error:
    print(type(error).__name__)
