# python: 3.7
# old: numpy==1.17.5 scipy==1.2.1
# new: numpy==1.17.5 scipy==1.3.0
import sys

from scipy.optimize import linprog

restored = "restored" in sys.argv
kw = {"method": "simplex"} if restored else {}
print(linprog([-1, -1], A_ub=[[1, 1]], b_ub=[1], **kw).x.round(3).tolist())
