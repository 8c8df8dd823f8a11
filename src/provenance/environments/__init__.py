"""Build an interpreter and its packages from a record."""
