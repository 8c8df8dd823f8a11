"""Train a small convolutional net on made-up stripe images, on the CPU, the same every time."""

import argparse
import csv
import json
import random
from pathlib import Path

import numpy as np
import torch
from torch import nn


def arguments() -> argparse.Namespace:
    """Return the settings given on the command line."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--lr", type=float, default=0.01)
    parser.add_argument("--epochs", type=int, default=4)
    parser.add_argument("--batch", type=int, default=64)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--out", type=Path, default=Path("results"))
    return parser.parse_args()


def make_repeatable(seed: int) -> None:
    """Seed every generator and refuse operations that are not deterministic."""
    random.seed(seed)
    np.random.seed(seed)
    torch.manual_seed(seed)
    torch.use_deterministic_algorithms(True)


def stripes(count: int) -> tuple[torch.Tensor, torch.Tensor]:
    """Return noisy 16x16 images of horizontal, vertical and diagonal stripes with their class."""
    row, column = torch.meshgrid(torch.arange(16.0), torch.arange(16.0), indexing="ij")
    directions = torch.stack([row, column, (row + column) / 2**0.5, (row - column) / 2**0.5])
    labels = torch.randint(0, 4, (count,))
    phase = torch.rand(count, 1, 1) * 2 * torch.pi
    images = torch.sin(directions[labels] * 1.3 + phase) + 1.5 * torch.randn(count, 16, 16)
    return images.unsqueeze(1), labels


def build() -> nn.Module:
    """Return the net: two blocks of convolution and batch normalisation, one linear layer."""
    return nn.Sequential(
        nn.Conv2d(1, 8, 3, padding=1),
        nn.BatchNorm2d(8),
        nn.ReLU(),
        nn.MaxPool2d(2),
        nn.Conv2d(8, 16, 3, padding=1),
        nn.BatchNorm2d(16),
        nn.ReLU(),
        nn.AdaptiveAvgPool2d(1),
        nn.Flatten(),
        nn.Linear(16, 4),
    )


def fit(args: argparse.Namespace) -> tuple[nn.Module, list[dict[str, float]]]:
    """Train; return the net and what was measured after each epoch."""
    images, labels = stripes(1024)
    val_images, val_labels = stripes(256)
    net = build()
    optimizer = torch.optim.SGD(net.parameters(), lr=args.lr, momentum=0.9)
    criterion = nn.CrossEntropyLoss()
    history = []
    for epoch in range(1, args.epochs + 1):
        net.train()
        total = 0.0
        for chunk in torch.randperm(len(images)).split(args.batch):
            optimizer.zero_grad()
            loss = criterion(net(images[chunk]), labels[chunk])
            loss.backward()
            optimizer.step()
            total += float(loss.detach()) * len(chunk)
        net.eval()
        with torch.no_grad():
            correct = (net(val_images).argmax(1) == val_labels).float().mean()
        row = {"epoch": epoch, "loss": total / len(images), "val_accuracy": float(correct)}
        history.append(row)
        print(f"epoch {epoch}  loss {row['loss']:.4f}  val_accuracy {row['val_accuracy']:.4f}")
    return net, history


def main() -> None:
    """Train, and write metrics.json, history.csv and the weights."""
    args = arguments()
    make_repeatable(args.seed)
    net, history = fit(args)
    args.out.mkdir(parents=True, exist_ok=True)
    final = {key: value for key, value in history[-1].items() if key != "epoch"}
    (args.out / "metrics.json").write_text(json.dumps(final, indent=2) + "\n")
    with (args.out / "history.csv").open("w", newline="") as stream:
        writer = csv.DictWriter(stream, history[0], lineterminator="\n")
        writer.writeheader()
        writer.writerows(history)
    torch.save(net.state_dict(), args.out / "model.pt")


if __name__ == "__main__":
    main()
