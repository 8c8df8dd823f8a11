"""Ours: the coordinates and their products, damped by ``scale``."""


def features(x, y, scale=0.5):
    return (1.0, x, y, scale * x * x, scale * x * y, scale * y * y)
