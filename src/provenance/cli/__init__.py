"""The only room that prints: parse, call an operation, render its result."""
