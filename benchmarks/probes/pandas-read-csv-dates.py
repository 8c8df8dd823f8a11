# python: 3.9
# old: numpy==1.26.4 pandas==1.5.3
# new: numpy==1.26.4 pandas==2.0.0
import io
import sys

import pandas as pd

restored = "restored" in sys.argv
text = "d\n01/02/2020\n13/02/2020\n"
kw = {"date_format": "mixed"} if restored else {}
print(pd.read_csv(io.StringIO(text), parse_dates=["d"], **kw).d.dtype)
