"""Builds a Python environment from what a record says was installed, with uv, and keeps it."""
