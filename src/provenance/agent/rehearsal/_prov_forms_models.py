"""To come."""

load = None
