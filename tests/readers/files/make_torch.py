"""Makes the checkpoints beside this file; run with the torch whose name they shall carry.

python make_torch.py        # with torch 1.1, 1.5.1, 1.6 and 2.13
"""

import collections
import os
import sys

import torch

HERE = sys.argv[1] if len(sys.argv) > 1 else os.path.dirname(os.path.abspath(__file__))
VERSION = torch.__version__.split("+")[0]

grid = torch.arange(24.0).reshape(4, 6)
model = torch.nn.Sequential(
    collections.OrderedDict(fc=torch.nn.Linear(3, 2), bn=torch.nn.BatchNorm1d(2))
)
with torch.no_grad():
    model.fc.weight.copy_(torch.arange(6.0).reshape(2, 3))
    model.fc.bias.copy_(torch.tensor([7.0, 8.0]))
adam = torch.optim.Adam(model.parameters(), lr=0.25)
model(torch.ones(4, 3)).sum().backward()
adam.step()
with torch.no_grad():
    model.fc.weight.copy_(torch.arange(6.0).reshape(2, 3))

saved = {
    "model": model.state_dict(),
    "optimizer": adam.state_dict(),
    "epoch": 3,
    "args": {"lr": 0.25, "name": "tiny", "layers": [1, 2], "amp": False, "seed": None},
    "views": {"t": grid.t(), "row": grid[1], "column": grid[:, 2], "step": grid[::2, ::3]},
    "shared": [grid, grid],
    "expanded": torch.ones(1).expand(3, 4),
    "half": torch.tensor([1.5, -2.0]).half(),
    "count": torch.tensor(7),
    "empty": torch.zeros(0, 3),
    "parameter": torch.nn.Parameter(torch.tensor([1.0, 2.0])),
}
four = torch.tensor([1.5, -2.0, 0.0, 448.0])
for name in ("bfloat16", "bool", "complex64", "float8_e4m3fn", "float8_e5m2"):
    if hasattr(torch, name) and VERSION not in ("1.1.0", "1.5.1"):
        saved[name] = four.to(getattr(torch, name))

if VERSION in ("1.1.0", "1.5.1"):
    torch.save(saved, "%s/torch-%s.pt" % (HERE, VERSION))
else:
    torch.save(saved, "%s/torch-%s.pt" % (HERE, VERSION))
    old = "%s/torch-%s-legacy.pt" % (HERE, VERSION)
    torch.save(saved, old, _use_new_zipfile_serialization=False)
torch.save(model, "%s/module-%s.pt" % (HERE, VERSION))
