# python: 3.11
# old: numpy==1.26.4 scipy==1.14.1
# new: numpy==1.26.4 scipy==1.15.0
import sys

from scipy.special import factorialk

restored = "restored" in sys.argv
kw = {"exact": True} if restored else {}
print(type(factorialk(25, 3, **kw)).__name__)
