"""The authors' model in PyTorch: two convolutions per frame, an LSTM over frames, two layers.

Trains for a few steps and writes authors/weights.safetensors, the input of the comparison and what
every layer gives for it.
"""

from pathlib import Path

import numpy as np
import torch
from safetensors.torch import save_file
from torch import nn

FRAMES, SIDE, CLASSES = 3, 6, 10


class Net(nn.Module):
    def __init__(self):
        super().__init__()
        self.conv1 = nn.Conv2d(1, 4, 3, padding=1)
        self.bn1 = nn.BatchNorm2d(4)
        self.conv2 = nn.Conv2d(4, 6, 3, padding=1)
        self.fc1 = nn.Linear(6 * 3 * 3, 8)
        self.lstm = nn.LSTM(8, 8, batch_first=True)
        self.fc2 = nn.Linear(8, 8)
        self.head = nn.Linear(8, CLASSES)

    def layers(self, x):
        """Yield the name and output of each layer; ``x`` is batch, frame, channel, row, column."""
        batch, frames = x.shape[:2]
        x = torch.relu(self.bn1(self.conv1(x.flatten(0, 1))))
        yield "conv1", x
        x = torch.relu(self.conv2(nn.functional.max_pool2d(x, 2)))
        yield "conv2", x
        x = torch.relu(self.fc1(x.flatten(1)))
        yield "fc1", x
        x = self.lstm(x.reshape(batch, frames, -1))[0][:, -1]
        yield "lstm", x
        x = torch.relu(self.fc2(x))
        yield "fc2", x
        yield "logits", self.head(x)

    def forward(self, x):
        return list(self.layers(x))[-1][1]


def main():
    torch.manual_seed(0)
    torch.use_deterministic_algorithms(True)
    net = Net()
    frames = torch.randn(64, FRAMES, 1, SIDE, SIDE)
    labels = torch.randint(CLASSES, (64,))
    optimizer = torch.optim.Adam(net.parameters(), lr=1e-2)
    for _ in range(30):
        optimizer.zero_grad()
        nn.functional.cross_entropy(net(frames), labels).backward()
        optimizer.step()
    net.eval()
    folder = Path("authors")
    folder.mkdir(exist_ok=True)
    save_file(net.state_dict(), folder / "weights.safetensors")
    x = frames[:4]
    np.savez("input.npz", frames=x.numpy())
    with torch.no_grad():
        np.savez(folder / "outputs.npz", **{name: y.numpy() for name, y in net.layers(x)})


if __name__ == "__main__":
    main()
