# python: 3.11
# old: numpy==1.26.4 scipy==1.14.1
# new: numpy==1.26.4 scipy==1.15.0
import scipy.signal

try:
    print(scipy.signal.ricker(4, 1.0).round(3).tolist())
except (AttributeError, ImportError, TypeError, ValueError) as error:
    print(type(error).__name__)
