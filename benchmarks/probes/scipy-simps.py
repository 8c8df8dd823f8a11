# python: 3.11
# old: numpy==1.26.4 scipy==1.13.1
# new: numpy==1.26.4 scipy==1.14.0
import scipy.integrate

try:
    print("%.3f" % scipy.integrate.simps([1.0, 2.0, 4.0]))
except (AttributeError, ImportError, TypeError, ValueError) as error:
    print(type(error).__name__)
