# python: 3.9
# old: numpy==1.26.4 pandas==1.5.3
# new: numpy==1.26.4 pandas==2.0.0
import sys

import pandas as pd

restored = "restored" in sys.argv
df = pd.DataFrame({"n": ["a", "b", "b"], "x": [1, 2, 3]})
kw = {"numeric_only": True} if restored else {}
try:
    print(df.corr(**kw).shape)
except ValueError:
    print("ValueError")
