"""The same model written again without PyTorch: ``python port.py FOLDER [jax]``.

Pictures are NHWC, kernels HWIO, dense kernels input by output, and the LSTM has one bias, as in
Keras and flax. Reads FOLDER/weights.npz and input.npz, writes FOLDER/outputs.npz.
"""

import importlib
import sys
from pathlib import Path

import numpy

xp = importlib.import_module("jax.numpy" if "jax" in sys.argv[2:] else "numpy")


def conv(x, kernel, bias):
    """Convolve pictures (NHWC) with a 3x3 kernel (HWIO), padded so that the size stays."""
    rows, columns = x.shape[1:3]
    x = xp.pad(x, ((0, 0), (1, 1), (1, 1), (0, 0)))
    return bias + sum(
        x[:, i : i + rows, j : j + columns] @ kernel[i, j] for i in range(3) for j in range(3)
    )


def pool(x):
    """Take the largest of 2x2."""
    n, rows, columns, channels = x.shape
    return x.reshape(n, rows // 2, 2, columns // 2, 2, channels).max(axis=(2, 4))


def sigmoid(x):
    return 1 / (1 + xp.exp(-x))


def lstm(x, kernel, recurrent, bias):
    """Return the last output; gates in the order input, forget, cell, output."""
    h = c = xp.zeros((x.shape[0], recurrent.shape[0]), x.dtype)
    for step in range(x.shape[1]):
        i, f, g, o = xp.split(x[:, step] @ kernel + h @ recurrent + bias, 4, axis=-1)
        c = sigmoid(f) * c + sigmoid(i) * xp.tanh(g)
        h = sigmoid(o) * xp.tanh(c)
    return h


def layers(w, x):
    """Yield the name and output of each layer; ``x`` is batch, frame, row, column, channel."""
    batch, frames = x.shape[:2]
    x = conv(x.reshape(-1, *x.shape[2:]), w["conv1/kernel"], w["conv1/bias"])
    spread = xp.sqrt(w["bn1/moving_variance"] + xp.float32(1e-5))
    x = (x - w["bn1/moving_mean"]) / spread * w["bn1/gamma"] + w["bn1/beta"]
    x = xp.maximum(x, 0)
    yield "conv1", x
    x = xp.maximum(conv(pool(x), w["conv2/kernel"], w["conv2/bias"]), 0)
    yield "conv2", x
    x = xp.maximum(x.reshape(x.shape[0], -1) @ w["fc1/kernel"] + w["fc1/bias"], 0)
    yield "fc1", x
    x = x.reshape(batch, frames, -1)
    x = lstm(x, w["lstm/kernel"], w["lstm/recurrent_kernel"], w["lstm/bias"])
    yield "lstm", x
    x = xp.maximum(x @ w["fc2/kernel"] + w["fc2/bias"], 0)
    yield "fc2", x
    yield "logits", x @ w["head/kernel"] + w["head/bias"]


def main():
    folder = Path(sys.argv[1])
    with numpy.load(folder / "weights.npz") as stored:
        weights = {name: xp.asarray(stored[name]) for name in stored.files}
    with numpy.load("input.npz") as stored:
        frames = xp.asarray(stored["frames"].transpose(0, 1, 3, 4, 2))  # NCHW -> NHWC
    found = {name: numpy.asarray(y) for name, y in layers(weights, frames)}
    numpy.savez(folder / "outputs.npz", **found)


if __name__ == "__main__":
    main()
