# python: 3.8
# old: numpy==1.20.3 scipy==1.6.3
# new: numpy==1.20.3 scipy==1.7.0
import sys

from scipy.stats import mannwhitneyu

restored = "restored" in sys.argv
kw = {"method": "asymptotic"} if restored else {}
print("%.5f" % mannwhitneyu([1, 2, 3, 7], [4, 5, 6, 8], alternative="two-sided", **kw)[1])
