# python: 3.9
# old: numpy==1.22.4 scipy==1.8.1
# new: numpy==1.22.4 scipy==1.9.0
from scipy.stats import combine_pvalues

for method in ("pearson", "mudholkar_george"):
    print(["%.5g" % x for x in combine_pvalues([0.01, 0.2, 0.3], method)])
