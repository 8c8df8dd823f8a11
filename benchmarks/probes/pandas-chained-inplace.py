# python: 3.11
# old: numpy==2.3.4 pandas==2.3.3
# new: numpy==2.3.4 pandas==3.0.0
import sys

import pandas as pd

df = pd.DataFrame({"a": [1, None]})
if "restored" in sys.argv:
    df["a"] = df["a"].fillna(0)
else:
    df["a"].fillna(0, inplace=True)
print(df.a.tolist())
