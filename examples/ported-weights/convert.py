"""Bring the authors' weights into the form of the port: ``python convert.py FOLDER [wrong]``.

With "wrong" one matrix is not transposed. It is square, so nothing complains.
"""

import sys
from pathlib import Path

import numpy as np
from safetensors.numpy import load_file


def convert(w, wrong=False):
    made = {}
    for name in ("conv1", "conv2"):
        made[name + "/kernel"] = w[name + ".weight"].transpose(2, 3, 1, 0)  # OIHW -> HWIO
        made[name + "/bias"] = w[name + ".bias"]
    for new, old in (
        ("gamma", "weight"),
        ("beta", "bias"),
        ("moving_mean", "running_mean"),
        ("moving_variance", "running_var"),
    ):
        made["bn1/" + new] = w["bn1." + old]
    # Torch flattens channel by channel, the port pixel by pixel.
    flat = w["fc1.weight"].reshape(8, 6, 3, 3).transpose(2, 3, 1, 0)
    made["fc1/kernel"] = flat.reshape(-1, 8)
    made["fc1/bias"] = w["fc1.bias"]
    made["lstm/kernel"] = w["lstm.weight_ih_l0"].T
    made["lstm/recurrent_kernel"] = w["lstm.weight_hh_l0"].T
    made["lstm/bias"] = w["lstm.bias_ih_l0"] + w["lstm.bias_hh_l0"]
    for name in ("fc2", "head"):
        made[name + "/kernel"] = w[name + ".weight"].T
        made[name + "/bias"] = w[name + ".bias"]
    if wrong:
        made["fc2/kernel"] = w["fc2.weight"]
    return {name: np.ascontiguousarray(array) for name, array in made.items()}


def main():
    folder = Path(sys.argv[1])
    folder.mkdir(exist_ok=True)
    weights = load_file("authors/weights.safetensors")
    np.savez(folder / "weights.npz", **convert(weights, "wrong" in sys.argv[2:]))


if __name__ == "__main__":
    main()
