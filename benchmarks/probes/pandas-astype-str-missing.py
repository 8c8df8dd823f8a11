# python: 3.11
# old: numpy==2.3.4 pandas==2.3.3
# new: numpy==2.3.4 pandas==3.0.0
import pandas as pd

print(pd.Series(["a", None]).astype(str).isna().tolist())
