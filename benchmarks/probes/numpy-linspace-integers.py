# python: 3.8
# old: numpy==1.19.5
# new: numpy==1.20.0
import numpy as np

try:
    print(np.linspace(-2, 2, 6, dtype=int).tolist())
except (AttributeError, ImportError, TypeError, ValueError) as error:
    print(type(error).__name__)
