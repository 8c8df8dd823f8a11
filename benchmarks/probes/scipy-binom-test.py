# python: 3.11
# old: numpy==1.26.4 scipy==1.11.4
# new: numpy==1.26.4 scipy==1.12.0
import scipy.stats

try:
    print("%.4f" % scipy.stats.binom_test(3, 10))
except (AttributeError, ImportError, TypeError, ValueError) as error:
    print(type(error).__name__)
