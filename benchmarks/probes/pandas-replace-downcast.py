# python: 3.11
# old: numpy==2.3.4 pandas==2.3.3
# new: numpy==2.3.4 pandas==3.0.0
import sys

import pandas as pd

series = pd.Series(["a", "b"]).replace({"a": 1, "b": 2})
print((series.infer_objects() if "restored" in sys.argv else series).dtype)
