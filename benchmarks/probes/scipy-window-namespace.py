# python: 3.11
# old: numpy==1.26.4 scipy==1.12.0
# new: numpy==1.26.4 scipy==1.13.0
import scipy.signal

try:
    print(scipy.signal.hann(4).round(3).tolist())
except (AttributeError, ImportError, TypeError, ValueError) as error:
    print(type(error).__name__)
