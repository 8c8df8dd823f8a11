"""Run a command exactly as if we were not there, and say how it ended."""
