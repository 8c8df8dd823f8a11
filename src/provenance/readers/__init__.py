"""Foreign files of results read into plain arrays and tables: nothing in them is ever executed."""
