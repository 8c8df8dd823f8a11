"""The verbs: plain arguments in, frozen results out; nothing here prints."""
