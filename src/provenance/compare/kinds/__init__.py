"""Files compared by what they say: a module per kind, see `compare.contents` for which is taken."""
