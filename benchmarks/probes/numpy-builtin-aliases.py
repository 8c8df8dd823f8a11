# python: 3.9
# old: numpy==1.23.5
# new: numpy==1.24.0
import numpy as np

try:
    print(np.zeros(2, dtype=np.float).dtype)
except (AttributeError, ImportError, TypeError, ValueError) as error:
    print(type(error).__name__)
